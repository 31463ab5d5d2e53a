"""The detector and its engines."""

import dataclasses

import numpy as np
import pytest
import torch

from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.engines import openvino_engine
from conegrad_core.camera.engines.engine import EngineError
from conegrad_core.camera.engines.export import export_network
from conegrad_core.camera.stage import DetectorStage
from conegrad_core.engines import processor
from conegrad_core.engines.form import EngineForm
from conegrad_core.engines.runtimes import openvino_model, openvino_request

SIZE = {"input_width": 160, "input_height": 96}


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 255, (120, 200, 3), dtype=np.uint8)


def detector(weights, engine="torch", **settings):
    settings = {**SIZE, **settings}
    return load_detector(DetectorConfig(weights=str(weights), engine=engine, threads=1, **settings))


def write_export(of, path):
    export_network(of.engine.network, path, (SIZE["input_width"], SIZE["input_height"]))


def test_gives_at_most_forty_rows_in_image_pixels(weights, image):
    with torch.inference_mode():
        found = detector(weights)([image])[0]
    assert 0 < len(found.logits) <= 40
    assert found.boxes_xyxy.shape == (len(found.logits), 4)


def test_a_batch_gives_what_single_images_give(weights, image):
    torch_detector = detector(weights)
    other = np.ascontiguousarray(image[:100, ::-1])
    with torch.inference_mode():
        batch = torch_detector([image, other])
        for found, single in zip(batch, (image, other), strict=True):
            expected = torch_detector([single])[0]
            torch.testing.assert_close(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-3, rtol=1e-4)
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("part", [0, 1], ids=["boxes", "logits"])
def test_the_gradient_reaches_the_first_layer(weights, image, part):
    torch_detector = detector(weights)
    torch_detector([image])[0][part].sum().backward()
    assert torch_detector.engine.network.model[0].conv.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_exported_engines_equal_torch(weights, image, engine):
    reference, exported = detector(weights), detector(weights, engine, precision="fp32")
    pixels = reference.letterbox(image).apply(image)
    with torch.inference_mode():
        expected = reference.engine.infer([pixels])
        found = exported.engine.infer([pixels])
        torch.testing.assert_close(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-4, rtol=0)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=0)
        twice = exported.engine.infer([pixels, pixels])
    for both, one in zip(twice, found, strict=True):
        assert torch.equal(both, one.expand(2, -1, -1))


def test_openvino_computes_in_bf16_where_the_processor_does(weights, image, monkeypatch):
    asked = []

    def request(model, threads, precision):
        asked.append(precision)
        return openvino_request(model, threads, precision)

    monkeypatch.setattr(openvino_engine, "openvino_request", request)
    for flags in ({"avx512_bf16"}, {"avx2"}):
        monkeypatch.setattr(processor, "processor_flags", lambda flags=flags: frozenset(flags))
        detector(weights, "openvino")
    assert asked == ["bf16", "fp32"]


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_an_exported_file_loads_by_its_suffix(weights, image, tmp_path, suffix):
    reference, path = detector(weights), tmp_path / f"cones{suffix}"
    write_export(reference, path)
    with torch.inference_mode():
        found, expected = detector(path, "auto")([image])[0], reference([image])[0]
    torch.testing.assert_close(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-2, rtol=1e-4)
    if suffix == ".xml":
        assert detector(tmp_path, "auto").engine.input_size == (160, 96)


def test_a_stage_writes_a_file_that_says_its_precision_and_runs_alone(weights, image, tmp_path):
    config = DetectorConfig(weights=str(weights), threads=1, **SIZE)
    stage = DetectorStage.from_config(config, trainable=True)
    settings = stage.export(tmp_path, EngineForm("openvino", "bf16"), [])
    assert settings == {"weights": "detector.xml", "engine": "openvino", "precision": "auto"}
    model = openvino_model(tmp_path / "detector.xml")
    assert model.get_rt_info(["conegrad", "precision"]).astype(str) == "bf16"
    with pytest.raises(EngineError, match="engine is 'tensorrt', expected openvino or onnx"):
        stage.export(tmp_path, EngineForm("tensorrt"), [])
    exported = DetectorStage.from_config(dataclasses.replace(config, weights=str(tmp_path)))
    with pytest.raises(EngineError, match="runs on OpenVinoEngine, expected weights of torch"):
        exported.export(tmp_path, EngineForm("onnx"), [])


def test_the_second_load_takes_the_export_from_the_cache(weights, cache):
    detector(weights, "onnx")
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.onnx")}
    detector(weights, "onnx")
    assert files == {path: path.stat().st_mtime_ns for path in cache.rglob("*.onnx")}
    assert files


def test_files_of_ultralytics_give_logits_and_corners(network, weights, image, tmp_path):
    path = tmp_path / "yolo.onnx"
    write_like_ultralytics(network, path)
    reference = detector(weights)
    pixels = reference.letterbox(image).apply(image)
    with torch.inference_mode():
        expected, found = (
            reference.engine.infer([pixels]),
            detector(path, "auto").engine.infer([pixels]),
        )
    torch.testing.assert_close(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-3, rtol=0)
    # The file calls its classes yellow, blue, large orange, orange.
    inside = expected.logits[..., [1, 0, 3, 2]].clamp(-13.8, 13.8)
    torch.testing.assert_close(found.logits, inside, atol=1e-2, rtol=1e-3)


def write_like_ultralytics(network, path, names=None):
    import copy

    import onnx

    network = copy.deepcopy(network)
    network.model[-1].export = True
    torch.onnx.export(
        network, (torch.zeros(1, 3, 96, 160),), str(path), input_names=["images"], dynamo=False
    )
    model = onnx.load(str(path))
    names = names or {0: "yellow_cone", 1: "blue_cone", 2: "large_orange_cone", 3: "orange_cone"}
    onnx.helper.set_model_props(model, {"names": str(names)})
    onnx.save(model, str(path))


def test_an_exported_file_with_other_classes_is_refused(network, tmp_path):
    path = tmp_path / "coco.onnx"
    write_like_ultralytics(network, path, {0: "person", 1: "car", 2: "dog", 3: "cat"})
    with pytest.raises(ValueError, match=r"coco\.onnx has the classes \['person'"):
        detector(path, "auto")


def test_an_engine_without_gradient_refuses_to_be_trained(weights, image):
    with pytest.raises(EngineError, match="OnnxEngine has no gradient, expected engine 'torch'"):
        detector(weights, "onnx").train()([image])


def test_a_file_fixed_to_another_size_is_refused(weights, tmp_path):
    path = tmp_path / "cones.onnx"
    write_export(detector(weights), path)
    with pytest.raises(ValueError, match=r"size \(160, 96\), expected \(320, 96\)"):
        detector(path, "auto", input_width=320)


@pytest.mark.parametrize("name", ["cones.onnx", "cones.xml"])
def test_a_broken_file_is_refused_by_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=f"{name} is not a readable"):
        detector(path, "auto")


def test_a_tensorrt_file_asks_for_its_device(tmp_path):
    path = tmp_path / "cones.engine"
    path.write_bytes(b"")
    with pytest.raises(EngineError, match=r"cones\.engine is a TensorRT engine.*expected device"):
        detector(path, "auto")


def test_an_engine_that_does_not_fit_the_suffix_is_refused(tmp_path):
    path = tmp_path / "cones.xml"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="engine is 'torch' for weights"):
        detector(path, "torch")


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.onnx"):
        detector(tmp_path / "nothing.onnx")


@pytest.mark.parametrize(("name", "value"), [("engine", "caffe"), ("precision", "int3")])
def test_refuses_unknown_settings_by_name(name, value):
    with pytest.raises(ValueError, match=f"DetectorConfig.{name} is '{value}'"):
        DetectorConfig(**{name: value})


def test_refuses_crops_that_leave_no_image_of_any_size():
    with pytest.raises(ValueError, match=r"crop_top is 0\.6, .* crop_bottom 0\.4 cuts all"):
        DetectorConfig(crop_top=0.6, crop_bottom=0.4)


def test_a_detector_is_a_module_with_trainable_weights(weights):
    torch_detector = detector(weights)
    assert isinstance(torch_detector, Detector)
    first_layers = torch_detector.engine.network.model[:3]
    assert all(weight.requires_grad for weight in first_layers.parameters())


def test_an_exported_file_that_gives_nan_is_refused(weights, tmp_path):
    broken = detector(weights)
    with torch.no_grad():
        broken.engine.network.model[0].conv.weight[0] = torch.nan
    write_export(broken, tmp_path / "broken.onnx")
    with pytest.raises(ValueError, match=r"broken\.onnx give values that are not finite"):
        detector(tmp_path / "broken.onnx", "onnx")
