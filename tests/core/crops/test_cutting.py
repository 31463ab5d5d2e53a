"""Crops: what they show, where their windows are, and the gradient into the boxes."""

import numpy as np
import pytest
import torch

from conegrad_core.crops.cutting import MIN_SIDE, cut_crops, windows_around

GREY = 114 / 255


def ramp(height: int = 60, width: int = 80) -> np.ndarray:
    """An image that is brighter to the right in red and further down in green."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = 2 * np.arange(width)
    image[..., 1] = 3 * np.arange(height)[:, None]
    return image


def test_windows_are_square_around_the_box():
    boxes = torch.tensor([[10.0, 20.0, 14.0, 40.0], [0.0, 0.0, 30.0, 10.0]])
    expected = torch.tensor([[-3.0, 15.0, 27.0, 45.0], [-7.5, -17.5, 37.5, 27.5]])
    torch.testing.assert_close(windows_around(boxes, window=1.5), expected)


def test_a_picture_shows_the_pixels_of_its_window():
    # From the left edge of pixel 20 to the right edge of pixel 35.
    crops = cut_crops(ramp(), torch.tensor([[19.5, 9.5, 35.5, 25.5]]), size=16, window=1.0)
    # One picture pixel per image pixel: the average of two samples a quarter of a pixel off.
    torch.testing.assert_close(
        crops.pictures[0, 0] * 255, 2 * (20.0 + torch.arange(16)).repeat(16, 1)
    )
    torch.testing.assert_close(
        crops.pictures[0, 1, :, 0] * 255, 3 * (10.0 + torch.arange(16)), rtol=1e-4, atol=1e-3
    )
    assert crops.windows_xyxy.tolist() == [[19.5, 9.5, 35.5, 25.5]]


def test_large_windows_are_averaged():
    image = np.zeros((128, 128, 3), dtype=np.uint8)
    image[::2] = 200  # every other row: alias to 0 or 200 where only one row were read
    crops = cut_crops(image, torch.tensor([[-0.5, -0.5, 63.5, 63.5]]), size=16, window=1.0)
    torch.testing.assert_close(crops.pictures[0, :, 1:-1], torch.full((3, 14, 16), 100 / 255))


def test_pictures_do_not_depend_on_the_other_boxes():
    boxes = torch.tensor([[5.0, 5.0, 12.0, 20.0], [50.0, 30.0, 70.0, 55.0], [-9.0, -9.0, 3.0, 4.0]])
    together = cut_crops(ramp(), boxes).pictures
    for box, picture in zip(boxes, together, strict=True):
        alone = cut_crops(ramp(), box[None]).pictures[0]
        torch.testing.assert_close(alone, picture, rtol=0, atol=1e-5)


def test_outside_the_image_is_grey():
    image = np.full((60, 80, 3), 255, dtype=np.uint8)
    boxes = torch.tensor([[-16.0, 10.0, 16.0, 42.0], [64.0, 44.0, 96.0, 76.0]])
    left, corner = cut_crops(image, boxes, size=16, window=1.0).pictures
    torch.testing.assert_close(left[:, :, :7], torch.full((3, 16, 7), GREY))
    torch.testing.assert_close(left[:, :, 9:], torch.ones(3, 16, 7))
    torch.testing.assert_close(corner[:, 9:], torch.full((3, 7, 16), GREY))
    torch.testing.assert_close(corner[:, :7, :7], torch.ones(3, 7, 7))


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([-500.0, 10.0, -480.0, 30.0], id="left"),
        pytest.param([500.0, 10.0, 520.0, 30.0], id="right"),
        pytest.param([10.0, -500.0, 30.0, -480.0], id="above"),
        pytest.param([1e9, 1e9, 2e9, 2e9], id="far away and huge"),
    ],
)
def test_a_box_far_from_the_image_is_grey(box):
    pictures = cut_crops(ramp(), torch.tensor([box])).pictures
    torch.testing.assert_close(pictures, torch.full_like(pictures, GREY))


@pytest.mark.parametrize("count", [0, 40])
def test_any_number_of_boxes(count):
    corner = torch.rand(count, 2) * 40
    crops = cut_crops(ramp(), torch.cat([corner, corner + 12], dim=-1), size=24)
    assert crops.pictures.shape == (count, 3, 24, 24)
    assert crops.windows_xyxy.shape == (count, 4)
    assert crops.pictures.isfinite().all()


@pytest.mark.parametrize(
    "box", [[30.0, 20.0, 30.0, 20.0], [31.0, 22.0, 29.0, 18.0], [30.0, 20.0, 30.1, 20.1]]
)
def test_an_empty_box_gets_the_smallest_window(box):
    window = cut_crops(ramp(), torch.tensor([box])).windows_xyxy[0]
    torch.testing.assert_close(window[2:] - window[:2], torch.full((2,), MIN_SIDE))


def test_passes_gradients_to_the_boxes():
    image = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    boxes = torch.tensor(
        [[10.3, 8.1, 17.2, 21.7], [-3.4, 25.3, 9.1, 45.2], [30.2, 12.9, 44.7, 20.4]],
        dtype=torch.float64,
        requires_grad=True,
    )
    assert torch.autograd.gradcheck(lambda b: cut_crops(image, b, size=8), [boxes])


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_refuses_boxes_that_are_not_finite(value):
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, value, 3.0, 4.0]])
    with pytest.raises(ValueError, match=r"boxes_xyxy has \[1.0, .*\] in row 1, expected finite"):
        cut_crops(ramp(), boxes)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((60, 80), dtype=np.uint8), id="grey"),
        pytest.param(np.zeros((60, 80, 4), dtype=np.uint8), id="four channels"),
        pytest.param(np.zeros((60, 80, 3), dtype=np.float32), id="floats"),
    ],
)
def test_refuses_another_kind_of_image(image):
    with pytest.raises(
        ValueError, match=r"image is \(60, 80.* expected \(height, width, 3\) uint8"
    ):
        cut_crops(image, torch.zeros(0, 4))


def test_refuses_boxes_of_another_shape():
    with pytest.raises(ValueError, match=r"boxes_xyxy has shape \(3, 5\)"):
        cut_crops(ramp(), torch.zeros(3, 5))


def test_levels_give_the_pictures_of_their_image_and_get_a_gradient():
    boxes = torch.tensor([[19.5, 9.5, 35.5, 25.5]])
    levels = torch.from_numpy(ramp()).float().requires_grad_()
    crops = cut_crops(levels, boxes, size=16, window=1.0)
    torch.testing.assert_close(crops.pictures, cut_crops(ramp(), boxes, 16, 1.0).pictures)
    crops.pictures.sum().backward()
    assert levels.grad[10:25, 20:35].min() > 0
    assert levels.grad[40:].abs().max() == 0
