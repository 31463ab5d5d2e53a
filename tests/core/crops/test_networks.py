"""Both networks over crops: engines, weights files, numbers of crops, gradients to the boxes."""

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.colours.stage import ColourStage
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import cut_crops
from conegrad_core.crops.network_stage import CropNetworkConfig
from conegrad_core.crops.stage import CropConfig, CropStage
from conegrad_core.engines.errors import EngineError
from conegrad_core.keypoints.stage import KeypointStage

STAGES = [KeypointStage, ColourStage]


def image_of(height: int = 72, width: int = 128) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def crops_of(count: int, image: np.ndarray | None = None) -> Crops:
    generator = torch.Generator().manual_seed(count)
    corner = torch.rand(count, 2, generator=generator) * 60 - 5
    boxes = torch.cat([corner, corner + torch.tensor([9.0, 14.0])], dim=-1)
    return cut_crops(image_of() if image is None else image, boxes)


def outputs(stage, *crops: Crops) -> list[torch.Tensor]:
    """Tensors of the values of the stage, one per sample after the other."""
    (values,) = stage({"crops": list(crops)}, []).values()
    return [tensor for value in values for tensor in value]


@pytest.fixture(scope="module", params=STAGES)
def saved(request, tmp_path_factory):
    """A stage with weights of its own, and the file of them."""
    torch.manual_seed(0)
    stage = request.param(CropNetworkConfig()).eval()
    for weight in stage.parameters():  # blocks that start at zero would hide faults
        torch.nn.init.normal_(weight, std=0.1)
    stage.module.metadata = {"trained_on": "nothing"}
    path = tmp_path_factory.mktemp("weights") / stage.weights_file
    stage.save(path)
    return stage, path


def loaded(saved, engine: str = "torch", **flags):
    stage, path = saved
    return type(stage).from_config(CropNetworkConfig(weights=str(path), engine=engine), **flags)


def test_saved_and_loaded_weights_are_equal(saved):
    stage, _ = saved
    again = loaded(saved)
    assert again.module.metadata.keys() == {"architecture"}  # the origin is not that of these
    assert again.state_dict().keys() == stage.state_dict().keys()
    for name, weight in again.state_dict().items():
        torch.testing.assert_close(weight, stage.state_dict()[name], rtol=0, atol=0)
    for one, other in zip(outputs(stage, crops_of(5)), outputs(again, crops_of(5)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_weights_are_small(saved):
    assert saved[1].stat().st_size < 2**20


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_engines_give_the_values_of_torch_for_any_number_of_crops(saved, engine):
    fast = loaded(saved, engine)
    assert fast.module.engine is not None
    for count in (20, 1, 0, 40):
        with torch.inference_mode():
            pairs = zip(
                outputs(fast, crops_of(count)), outputs(saved[0], crops_of(count)), strict=True
            )
            for found, expected in pairs:
                assert len(found) == count
                torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_auto_runs_exported_on_a_cpu_and_on_torch_where_it_learns(saved):
    assert loaded(saved, "auto").module.engine is not None
    assert loaded(saved, "onnx", trainable=True).module.engine is None


def test_says_that_an_engine_has_no_gradient(saved):
    fast = loaded(saved, "onnx")
    crops = crops_of(2)
    with pytest.raises(EngineError, match="has no gradient, expected engine 'torch'"):
        fast({"crops": [crops._replace(pictures=crops.pictures.requires_grad_())]}, [])
    with pytest.raises(EngineError, match="has no gradient"):
        fast.train()({"crops": [crops_of(2)]}, [])


def test_crops_of_several_samples_do_not_mix(saved):
    stage, _ = saved
    samples = [crops_of(3), crops_of(0), crops_of(7)]
    together = outputs(stage, *samples)
    apart = [tensor for sample in samples for tensor in outputs(stage, sample)]
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


def test_a_gradient_reaches_the_boxes(saved):
    stage, _ = saved
    boxes = torch.tensor([[30.0, 20.0, 40.0, 36.0], [-4.0, 50.0, 12.0, 80.0]], requires_grad=True)
    crops = CropStage(CropConfig())(
        {"image": [image_of()], "detections": [Detections(boxes, torch.zeros(2, 4))]}, []
    )
    torch.stack(
        [tensor.square().sum() for tensor in outputs(stage, *crops["crops"])]
    ).sum().backward()
    assert boxes.grad.isfinite().all()
    assert (boxes.grad.abs().sum(dim=-1) > 0).all()


def test_a_picture_without_contrast_gives_finite_values_and_gradients(saved):
    stage, _ = saved
    pictures = torch.full((1, 3, 40, 40), 0.4, requires_grad=True)
    crops = Crops(pictures, torch.tensor([[0.0, 0.0, 30.0, 30.0]]))
    found = outputs(stage, crops)
    torch.stack([tensor.sum() for tensor in found]).sum().backward()
    assert all(tensor.isfinite().all() for tensor in (*found, pictures.grad))


def test_exposure_changes_nothing(saved):
    crops = crops_of(3)
    darker = crops._replace(pictures=0.5 * crops.pictures + 0.1)
    for one, other in zip(outputs(saved[0], crops), outputs(saved[0], darker), strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.05)


def test_refuses_pictures_of_another_shape(saved):
    with pytest.raises(ValueError, match=r"pictures has shape \(2, 40, 40, 3\)"):
        saved[0].module(torch.zeros(2, 40, 40, 3))


def test_names_both_architectures(saved):
    stage, path = saved
    (other,) = (kind for kind in STAGES if kind is not type(stage))
    with pytest.raises(ValueError, match=f"{path} has architecture '{stage.architecture}', exp"):
        other.from_config(CropNetworkConfig(weights=str(path)))


def test_names_a_file_that_does_not_exist():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        KeypointStage.from_config(CropNetworkConfig(weights="nowhere.safetensors"))


def test_names_the_device_that_an_engine_cannot_use(saved):
    stage, path = saved
    config = CropNetworkConfig(weights=str(path), engine="onnx", device="meta")
    with pytest.raises(EngineError, match="device is 'meta' for engine 'onnx', expected 'cpu'"):
        type(stage).from_config(config)


def test_refuses_unusable_settings():
    with pytest.raises(ValueError, match=r"CropNetworkConfig\.engine is 'caffe'"):
        CropNetworkConfig(engine="caffe")
    with pytest.raises(ValueError, match=r"CropConfig\.size is 41, expected a multiple of 8"):
        CropConfig(size=41)
