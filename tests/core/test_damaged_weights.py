"""Weights that are damaged are refused in one line that names the file."""

import pytest
import torch

from conegrad_core.camera.checkpoint import load_network
from conegrad_core.colours.stage import ColourStage
from conegrad_core.crops.network_stage import CropNetworkConfig
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.keypoints.stage import KeypointStage
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.weights import default_weights

DAMAGES = {
    "empty": lambda whole: b"",
    "text": lambda whole: b"version https://git-lfs.github.com/spec/v1",
    "zeros": lambda whole: bytes(len(whole)),
    "cut": lambda whole: whole[: len(whole) // 2],
    "without its end": lambda whole: whole[:-3],
    "another name inside": lambda whole: whole.replace(b"bias", b"b\x01as"),
    "no text inside": lambda whole: whole.replace(b"bias", b"b\xffas"),
}


def camera(path, suffix):
    weights = default_weights("camera")
    if suffix == ".safetensors":
        path.write_bytes(weights.read_bytes())
        return
    network, metadata = load_network(weights)
    torch.save({"weights": network.state_dict(), "metadata": metadata}, path)


KINDS = {
    "detector": (".safetensors", camera, load_network),
    "detector of torch": (".pt", camera, load_network),
    "trusted detector": (".pt", camera, lambda path: load_network(path, trust_pickle=True)),
    "scan network": (
        ".safetensors",
        lambda path, _: path.write_bytes(default_weights("lidar").read_bytes()),
        lambda path: load_segmenter(SegmenterConfig(weights=str(path))),
    ),
    "keypoint network": (
        ".safetensors",
        lambda path, _: KeypointStage(CropNetworkConfig()).save(path),
        lambda path: KeypointStage.from_config(CropNetworkConfig(weights=str(path))),
    ),
    "colour network": (
        ".safetensors",
        lambda path, _: ColourStage(CropNetworkConfig()).save(path),
        lambda path: ColourStage.from_config(CropNetworkConfig(weights=str(path))),
    ),
    "fusion": (
        ".safetensors",
        lambda path, _: Fuser().save(path),
        lambda path: Fuser(FuserConfig(weights=str(path))),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_weights_are_refused_in_one_line_with_their_name(tmp_path, kind):
    suffix, write, load = KINDS[kind]
    path = tmp_path / f"weights{suffix}"
    write(path, suffix)
    whole = path.read_bytes()
    load(path)
    for damage, change in DAMAGES.items():
        path.write_bytes(change(whole))
        if path.read_bytes() == whole:
            continue
        with pytest.raises(ValueError, match=str(path)) as refused:
            load(path)
        assert "\n" not in str(refused.value), damage
        assert len(str(refused.value)) < 500, damage
