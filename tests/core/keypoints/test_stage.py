"""The keypoint network as a stage: places in the image, its loss, and that it learns."""

import math

import pytest
import torch

from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import windows_around
from conegrad_core.crops.network_stage import CropNetworkConfig
from conegrad_core.keypoints.keypoints import TrueKeypoints
from conegrad_core.keypoints.stage import KeypointStage, in_image, keypoint_losses

BOXES = torch.tensor([[100.0, 50.0, 120.0, 90.0], [300.0, 60.0, 310.0, 80.0]])
WINDOWS = windows_around(BOXES)  # 60 and 30 px wide


def truth(visible: bool = True) -> TrueKeypoints:
    """Keypoints in the middle of the windows."""
    centres = (WINDOWS[:, None, :2] + WINDOWS[:, None, 2:]) / 2
    positions = centres.expand(2, 7, 2).clone()
    return TrueKeypoints(BOXES, positions, torch.full((2, 7), visible), torch.tensor([0, 1]))


def test_keypoints_lie_in_pixels_of_the_image():
    positions = torch.tensor([[[0.5, 0.25]] * 7])
    found = in_image(positions, torch.full((1, 7), math.log(0.1)), WINDOWS[:1])
    torch.testing.assert_close(found.positions, torch.tensor([[[110.0, 55.0]] * 7]))
    torch.testing.assert_close(found.log_deviations, torch.full((1, 7), math.log(6.0)))


def test_passes_gradients_to_positions_deviations_and_windows():
    inputs = [torch.rand(2, 7, 2), torch.rand(2, 7), WINDOWS]
    inputs = [tensor.double().requires_grad_() for tensor in inputs]
    assert torch.autograd.gradcheck(in_image, inputs)


def test_fresh_weights_guess_the_middle_with_little_certainty():
    crops = Crops(torch.rand(2, 3, 40, 40), WINDOWS)
    stage = KeypointStage(CropNetworkConfig()).eval()
    found = stage({"crops": [crops]}, [])["keypoints"][0]
    torch.testing.assert_close(found.positions, truth().positions, rtol=0, atol=3.0)
    expected = torch.tensor([6.0, 3.0])[:, None].expand(2, 7)
    torch.testing.assert_close(found.log_deviations.exp(), expected, rtol=0.1, atol=0)


def test_the_loss_is_that_of_a_laplace_distribution():
    logs = torch.full((2, 7), math.log(0.1))
    losses = keypoint_losses(torch.full((2, 7, 2), 0.5), logs, WINDOWS, truth())
    torch.testing.assert_close(losses, torch.full((14,), math.log(0.1)))
    losses = keypoint_losses(torch.full((2, 7, 2), 0.6), logs, WINDOWS, truth())
    torch.testing.assert_close(losses, torch.full((14,), math.sqrt(2) + math.log(0.1)))


def test_crops_of_no_cone_and_invisible_keypoints_do_not_count():
    positions = torch.full((3, 7, 2), 0.5)
    windows = torch.cat([WINDOWS[1:], WINDOWS + 500])
    true = truth()
    true.visible[1, 2:] = False
    assert len(keypoint_losses(positions, torch.zeros(3, 7), windows, true)) == 2
    assert len(keypoint_losses(positions, torch.zeros(3, 7), windows, truth(visible=False))) == 0


@pytest.mark.parametrize("count", [0, 2])
def test_without_a_visible_keypoint_the_loss_is_zero(count):
    stage = KeypointStage(CropNetworkConfig())
    crops = Crops(torch.rand(count, 3, 40, 40), WINDOWS[:count])
    loss = stage.supervised_loss({"crops": [crops]}, {"keypoints": [truth(visible=False)]}, [])
    loss["keypoints"].backward()
    assert loss["keypoints"] == 0
    assert all((weight.grad == 0).all() for weight in stage.parameters())


def test_a_label_costs_two_values_per_visible_keypoint():
    true = truth()
    true.visible[0, 0] = False
    assert KeypointStage(CropNetworkConfig()).label_values({"keypoints": true}, {}) == 26


def test_learns_where_a_square_is():
    torch.manual_seed(0)
    stage = KeypointStage(CropNetworkConfig())
    pictures, positions = torch.full((8, 3, 16, 16), 0.2), torch.zeros(8, 7, 2)
    for row, picture in enumerate(pictures):
        left, top = row % 4 * 3, row // 4 * 6
        picture[:, top : top + 5, left : left + 5] = 0.8
        positions[row] = torch.tensor([left + 2.5, top + 2.5])
    boxes = torch.tensor([[0.0, 0.0, 16.0, 16.0]]).repeat(8, 1) + 100 * torch.arange(8)[:, None]
    true = TrueKeypoints(
        boxes, positions + boxes[:, None, :2], torch.ones(8, 7, dtype=torch.bool), torch.zeros(8)
    )
    inputs = {"crops": [Crops(pictures, boxes)]}
    optimizer = torch.optim.AdamW(stage.parameters(), lr=3e-3)
    for _ in range(120):
        loss = stage.supervised_loss(inputs, {"keypoints": [true]}, [])["keypoints"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = stage(inputs, [])["keypoints"][0]
    assert (found.positions - true.positions).abs().mean() < 0.5
