"""Weights files of the detector."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from conegrad_core.camera.checkpoint import load_network, save_network
from conegrad_core.camera.head import raw_detections
from conegrad_core.cones import CLASS_NAMES


class Malicious:
    """Creates a file as soon as it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def rewritten(path, target, **metadata):
    """Copy of a weights file with other metadata; None removes an entry."""
    known = {"architecture": "yolov5n", "class_names": json.dumps(["blue"])} | metadata
    save_file(load_file(path), target, {k: v for k, v in known.items() if v is not None})
    return target


def test_weights_survive_the_file(network, weights):
    inputs = torch.rand(1, 3, 96, 160)
    loaded = load_network(weights)
    with torch.no_grad():
        for found, expected in zip(
            raw_detections(loaded.network, inputs), raw_detections(network, inputs), strict=True
        ):
            torch.testing.assert_close(found, expected)
    assert loaded.metadata["architecture"] == "yolov5n"
    assert loaded.metadata["input_width"] == "160"


def test_half_precision_on_disk_is_full_precision_in_memory(network, tmp_path):
    path = tmp_path / "half.safetensors"
    save_network(network, path, architecture="yolov5n", input_size=(160, 96))
    assert path.stat().st_size < 5.3e6
    weight = load_network(path).network.model[0].conv.weight
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, network.model[0].conv.weight, atol=1e-3, rtol=1e-3)


def test_classes_are_sorted_by_name(network, weights, tmp_path):
    names = ["large_orange_cone", "yellow_cone", "blue_cone", "orange_cone"]
    path = rewritten(weights, tmp_path / "other.safetensors", class_names=json.dumps(names))
    inputs = torch.rand(1, 3, 96, 160)
    with torch.no_grad():
        found = raw_detections(load_network(path).network, inputs).logits
        expected = raw_detections(network, inputs).logits[..., [2, 1, 3, 0]]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "names",
    [
        ["blue", "yellow", "small_orange"],
        ["person", "yellow", "orange", "large_orange"],
        ["blue"] * 4,
    ],
)
def test_refuses_other_classes_by_name(weights, tmp_path, names):
    path = rewritten(weights, tmp_path / "other.safetensors", class_names=json.dumps(names))
    with pytest.raises(ValueError, match=r"other\.safetensors has .*expected \['blue'"):
        load_network(path)


def test_refuses_weights_of_another_architecture(weights, tmp_path):
    names = json.dumps(["blue", "yellow", "small_orange", "big_orange"])
    path = rewritten(weights, tmp_path / "s.safetensors", architecture="yolov5s", class_names=names)
    with pytest.raises(ValueError, match="do not fit the architecture yolov5s"):
        load_network(path)


def test_refuses_a_file_without_metadata(weights, tmp_path):
    path = rewritten(weights, tmp_path / "bare.safetensors", architecture=None)
    with pytest.raises(ValueError, match=r"lack the metadata \['architecture'\]"):
        load_network(path)


def test_refuses_a_broken_file(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_network(path)


def test_refuses_another_suffix(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"expected \.safetensors or \.pt"):
        load_network(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pt"):
        load_network(tmp_path / "nothing.pt")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: b"", id="empty"),
        pytest.param(lambda whole: whole[: len(whole) // 2], id="cut short"),
        pytest.param(lambda whole: b"x" * 3000, id="something else"),
        pytest.param(
            lambda whole: whole[:-9000] + bytes([whole[-9000] ^ 255]) + whole[-8999:], id="one byte"
        ),
    ],
)
def test_a_damaged_archive_is_called_so(tmp_path, damage):
    path = tmp_path / "bad.pt"
    torch.save({"metadata": {}, "weights": {"a": torch.rand(200, 200)}}, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"bad\.pt are damaged"):
        load_network(path, trust_pickle=True)


@pytest.mark.parametrize("zipped", [True, False], ids=["archive of torch", "plain pickle"])
def test_code_in_a_pickle_is_never_executed(tmp_path, zipped):
    path, mark = tmp_path / "evil.pt", tmp_path / "executed"
    if zipped:
        torch.save({"model": Malicious(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Malicious(mark)}))
    with pytest.raises(ValueError, match=r"evil\.pt are a pickle that can execute code"):
        load_network(path)
    assert not mark.exists()


def test_the_malicious_pickle_of_these_tests_would_have_worked(tmp_path):
    mark = tmp_path / "executed"
    pickle.loads(pickle.dumps(Malicious(mark))).close()
    assert mark.exists()


def test_a_checkpoint_of_ultralytics_needs_trust(network, tmp_path):
    path = tmp_path / "best.pt"
    network.names = {0: "yellow_cone", 1: "blue_cone", 2: "large_orange_cone", 3: "orange_cone"}
    torch.save({"model": network, "ema": None}, path)
    with pytest.raises(ValueError, match="set trust_pickle to true"):
        load_network(path)
    inputs = torch.rand(1, 3, 96, 160)
    with torch.no_grad():
        found = raw_detections(load_network(path, trust_pickle=True).network, inputs).logits
        expected = raw_detections(network, inputs).logits[..., [1, 0, 3, 2]]
    torch.testing.assert_close(found, expected)


def test_a_pt_of_tensors_alone_needs_no_trust(network, tmp_path):
    path = tmp_path / "plain.pt"
    names = json.dumps(["blue", "yellow", "small_orange", "big_orange"])
    metadata = {"architecture": "yolov5n", "class_names": names}
    torch.save({"weights": network.state_dict(), "metadata": metadata}, path)
    weight = load_network(path).network.model[0].conv.weight
    torch.testing.assert_close(weight, network.model[0].conv.weight)


@pytest.mark.parametrize("names", ["5", "null", "[1, 2, 3, 4]", '{"blue": 0}', "blue", "[[]]"])
def test_class_names_of_another_type_are_refused(weights, tmp_path, names):
    path = rewritten(weights, tmp_path / "odd.safetensors", class_names=names)
    with pytest.raises(ValueError, match=r"odd\.safetensors has the metadata class_names"):
        load_network(path)


def test_metadata_that_is_not_text_is_refused(weights, tmp_path):
    data = weights.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = {"architecture": 5, "class_names": ["blue"]}
    text = json.dumps(header).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(ValueError, match=r"odd\.safetensors are not a readable safetensors file"):
        load_network(path)


@pytest.mark.parametrize(("metadata", "tensors"), [(5, {}), ({}, 5), ({}, {"a": 1})])
def test_a_pt_file_whose_parts_have_another_type_is_refused(tmp_path, metadata, tensors):
    torch.save({"metadata": metadata, "weights": tensors}, tmp_path / "odd.pt")
    with pytest.raises(ValueError, match=r"odd\.pt hold metadata or weights of another type"):
        load_network(tmp_path / "odd.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(weights, tmp_path, value):
    tensors = load_file(weights)
    name = sorted(tensors)[0]
    tensors[name].view(-1)[3] = value
    path = tmp_path / "odd.safetensors"
    metadata = {"architecture": "yolov5n", "class_names": json.dumps(CLASS_NAMES)}
    save_file(tensors, path, metadata)
    with pytest.raises(ValueError, match=rf"odd\.safetensors hold 1 values in {name} that"):
        load_network(path)
