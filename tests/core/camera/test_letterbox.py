"""The letterbox and its inverse."""

import numpy as np
import pytest
import torch

from conegrad_core.camera.letterbox import Letterbox, inputs_from_pixels


def test_a_16_to_9_image_gets_grey_bars_above_and_below():
    image = np.full((720, 1280, 3), 200, dtype=np.uint8)
    pixels = Letterbox((1280, 720), (640, 384)).apply(image)
    assert pixels.shape == (384, 640, 3)
    assert (pixels[:12] == 114).all()
    assert (pixels[12:372] == 200).all()
    assert (pixels[372:] == 114).all()


def test_the_crop_takes_rows_off_before_scaling():
    image = np.zeros((100, 64, 3), dtype=np.uint8)
    image[20:90] = 255
    letterbox = Letterbox((64, 100), (64, 96), crop_top=0.2, crop_bottom=0.1)
    pixels = letterbox.apply(image)
    assert letterbox.offset == (0, 13)
    assert (pixels[13:83] == 255).all()
    assert (pixels[83:] == 114).all()


def test_boxes_land_where_the_pixels_land():
    # 1280x720 minus 72 rows of sky, scaled by 0.5, 30 px border above.
    letterbox = Letterbox((1280, 720), (640, 384), crop_top=0.1)
    box = torch.tensor([[100.0, 172.0, 200.0, 272.0]])
    torch.testing.assert_close(
        letterbox.boxes_to_input(box), torch.tensor([[50.0, 80.0, 100.0, 130.0]])
    )


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (2048, 1536), (333, 777), (5, 900)])
def test_the_inverse_is_exact_for_any_size(size):
    letterbox = Letterbox(size, (640, 384), crop_top=0.13, crop_bottom=0.07)
    boxes = torch.rand(20, 4, dtype=torch.float64) * 700
    torch.testing.assert_close(letterbox.boxes_to_input(letterbox.boxes_to_image(boxes)), boxes)


def test_scaling_maps_edges_to_edges_so_a_mirrored_image_gives_mirrored_pixels():
    image = np.random.default_rng(0).integers(0, 255, (577, 1001, 3), dtype=np.uint8)
    letterbox = Letterbox((1001, 577), (640, 384))
    mirrored = letterbox.apply(np.ascontiguousarray(image[:, ::-1]))
    difference = mirrored.astype(int) - letterbox.apply(image)[:, ::-1]
    assert np.abs(difference).max() <= 1


def test_passes_gradients_to_boxes():
    letterbox = Letterbox((1280, 720), (640, 384), crop_top=0.1)
    boxes = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(letterbox.boxes_to_image, boxes)


def test_inputs_are_planes_between_0_and_1():
    pixels = np.zeros((32, 64, 3), dtype=np.uint8)
    pixels[..., 1] = 255
    inputs = inputs_from_pixels(pixels)
    assert inputs.shape == (1, 3, 32, 64)
    assert inputs[0].mean((1, 2)).tolist() == [0.0, 1.0, 0.0]


def test_refuses_an_input_size_off_the_grid():
    with pytest.raises(ValueError, match=r"input_size is \(640, 380\), expected multiples of 32"):
        Letterbox((1280, 720), (640, 380))


def test_refuses_a_crop_that_leaves_nothing():
    with pytest.raises(ValueError, match="leave nothing of the 720 rows of the image"):
        Letterbox((1280, 720), (640, 384), crop_top=0.6, crop_bottom=0.4)


def test_refuses_an_image_of_another_size():
    with pytest.raises(ValueError, match=r"image is \(10, 10, 3\) uint8, expected \(720"):
        Letterbox((1280, 720), (640, 384)).apply(np.zeros((10, 10, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(1280, 720), (577, 301), (1500, 1001), (100, 60)])
def test_levels_are_scaled_as_images_are_up_to_rounding(size):
    # A scale of exactly a half, other linear ones, and areas where the image is much larger.
    image = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    letterbox = Letterbox(size, (320, 192) if size[0] == 1500 else (640, 384), crop_top=0.1)
    levels = letterbox.apply_to_levels(torch.from_numpy(image).float())
    difference = levels.numpy() - letterbox.apply(image).astype(np.float32)
    assert np.abs(difference).max() <= 1.0


def test_passes_gradients_to_levels():
    letterbox = Letterbox((64, 36), (32, 32))
    levels = torch.zeros(36, 64, 3, requires_grad=True)
    letterbox.apply_to_levels(levels).sum().backward()
    # Each of the 64 x 36 pixels counts for a quarter of a pixel of half the size.
    torch.testing.assert_close(levels.grad, torch.full_like(levels, 0.25))
