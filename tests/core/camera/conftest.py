"""A small trained-looking network: random weights with plausible batch statistics."""

import pytest
import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network

SIZE = (160, 96)


@pytest.fixture(scope="session")
def network():
    torch.manual_seed(0)
    network = build_network("yolov5n").train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, SIZE[1], SIZE[0]))
        for branch in network.model[-1].cv3:
            branch[-1].weight *= 20  # scores well apart, so that rounding does not reorder them
    return network.eval()


@pytest.fixture(scope="session")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(network, path, architecture="yolov5n", input_size=SIZE, half=False)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("CONEGRAD_CACHE", str(folder))
    return folder
