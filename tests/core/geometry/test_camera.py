"""Projection and lens distortion: known values, OpenCV, round trips, gradients."""

import math

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.geometry.camera import (
    CameraModel,
    check_camera,
    check_image_size,
    in_image,
    normalized_from_pixels,
    pinhole_camera,
    pixels_from_normalized,
    project,
    project_points,
    undistort_pixels,
)
from conegrad_core.geometry.distortion import distort_points, distortion_limit, undistort_points
from conegrad_core.geometry.distortion_names import named_distortion
from conegrad_core.geometry.transforms import optical_from_body

CAMERA_FROM_LIDAR = optical_from_body(torch.float64)
INTRINSICS = torch.tensor([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]], dtype=torch.float64)
LENSES = {
    "plumb_bob": [-0.28, 0.07, 0.001, -0.0007, 0.01],
    "rational_polynomial": [0.3, -0.1, 0.001, 0.0005, 0.02, 0.6, -0.05, 0.01],
    "equidistant": [-0.01, 0.02, -0.005, 0.001],
    "none": [],
}
ALL_LENSES = pytest.mark.parametrize("name", LENSES)
BENT_LENSES = pytest.mark.parametrize("name", ["plumb_bob", "rational_polynomial", "equidistant"])


def camera(name):
    distortion = torch.tensor(LENSES[name], dtype=torch.float64)
    return CameraModel(640, 480, INTRINSICS, distortion, name)


def rays():
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(50, 2, generator=generator, dtype=torch.float64) - 0.5) * 1.6


@pytest.mark.parametrize(
    ("point", "pixel"),
    [
        pytest.param([10, 0, 0], [320, 240], id="ahead is the principal point"),
        pytest.param([10, 1, 0], [270, 240], id="left of the car is left in the image"),
        pytest.param([10, 0, 1], [320, 190], id="up is up"),
    ],
)
def test_projects_along_the_optical_axes(point, pixel):
    points = torch.tensor([point], dtype=torch.float64)
    pixels, visible = project_points(points, CAMERA_FROM_LIDAR, INTRINSICS)
    assert visible.all()
    torch.testing.assert_close(pixels, torch.tensor([pixel], dtype=torch.float64))


def test_points_behind_the_camera_are_masked_and_finite():
    points = torch.tensor([[-5.0, 1, 0], [0, 0, 0]], dtype=torch.float64)
    pixels, visible = project(points, CAMERA_FROM_LIDAR, camera("plumb_bob"))
    assert not visible.any()
    assert pixels.isfinite().all()


def test_batches_of_cameras_broadcast():
    points = torch.rand(2, 4, 3, dtype=torch.float64) + 5
    stacked = torch.stack([INTRINSICS, 2 * INTRINSICS])
    pixels, _ = project_points(points, CAMERA_FROM_LIDAR.expand(2, 4, 4), stacked)
    torch.testing.assert_close(
        pixels[1], project_points(points[1], CAMERA_FROM_LIDAR, 2 * INTRINSICS)[0]
    )


@pytest.mark.parametrize("name", ["plumb_bob", "rational_polynomial"])
def test_agrees_with_opencv(name):
    model = camera(name)
    points = np.concatenate([rays().numpy(), np.ones((50, 1))], axis=1)
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), INTRINSICS.numpy(), model.distortion.numpy()
    )
    pixels, _ = project(torch.from_numpy(points), torch.eye(4, dtype=torch.float64), model)
    torch.testing.assert_close(pixels, torch.from_numpy(expected[:, 0]))


def test_agrees_with_opencvs_fisheye_camera():
    model = camera("equidistant")
    points = np.concatenate([2 * rays().numpy(), np.ones((50, 1))], axis=1)
    expected, _ = cv2.fisheye.projectPoints(
        points[None], np.zeros(3), np.zeros(3), INTRINSICS.numpy(), model.distortion.numpy()
    )
    pixels, _ = project(torch.from_numpy(points), torch.eye(4, dtype=torch.float64), model)
    torch.testing.assert_close(pixels, torch.from_numpy(expected[0]))


@ALL_LENSES
def test_undistorting_undoes_distorting(name):
    model = camera(name)
    distorted = distort_points(rays(), model.distortion, name)
    pixels = pixels_from_normalized(distorted, INTRINSICS)
    torch.testing.assert_close(undistort_pixels(pixels, model), rays())


@ALL_LENSES
def test_single_precision_is_enough_for_a_hundredth_of_a_pixel(name):
    model = camera(name)
    pixels = pixels_from_normalized(distort_points(rays(), model.distortion, name), INTRINSICS)
    single = model._replace(intrinsics=INTRINSICS.float(), distortion=model.distortion.float())
    error = undistort_pixels(pixels.float(), single) - rays()
    assert 500 * error.abs().max() < 0.01


@BENT_LENSES
def test_passes_gradients_through_the_lens_both_ways(name):
    points = rays()[:6].requires_grad_()
    distortion = torch.tensor(LENSES[name], dtype=torch.float64, requires_grad=True)
    for function in (distort_points, undistort_points):
        assert torch.autograd.gradcheck(
            lambda p, d, f=function: f(p, d, name), (points, distortion)
        )


def test_passes_gradients_to_points_and_calibration():
    points = 5 + torch.rand(2, 4, 3, dtype=torch.float64)
    inputs = [t.clone().requires_grad_() for t in (points, CAMERA_FROM_LIDAR, INTRINSICS)]
    assert torch.autograd.gradcheck(lambda *a: project_points(*a)[0], inputs)


@BENT_LENSES
def test_passes_gradients_to_pixels_and_intrinsics(name):
    distortion = torch.tensor(LENSES[name], dtype=torch.float64)
    pixels = torch.tensor([[100.0, 50], [320, 240.5], [600, 400]], dtype=torch.float64)

    def rays_of(pixels, intrinsics):
        return undistort_pixels(pixels, CameraModel(640, 480, intrinsics, distortion, name))

    inputs = (pixels.requires_grad_(), INTRINSICS.clone().requires_grad_())
    assert torch.autograd.gradcheck(rays_of, inputs)


@BENT_LENSES
def test_pixels_that_no_ray_reaches_stay_finite_with_their_gradients(name):
    distortion = torch.tensor(LENSES[name])
    far = torch.tensor([[1e6, -1e6], [5, 5], [0, 0], [0, -3.0]], requires_grad=True)
    undistorted = undistort_points(far, distortion, name)
    undistorted.sum().backward()
    assert undistorted.isfinite().all()
    assert far.grad.isfinite().all()


def test_points_beyond_the_fold_of_a_barrel_lens_are_masked():
    # r (1 - 0.3 r^2) grows until r = 1.054, then folds back towards the centre.
    distortion = torch.tensor([-0.3, 0, 0, 0], dtype=torch.float64)
    assert distortion_limit(distortion, "plumb_bob") == pytest.approx(math.sqrt(1 / 0.9), abs=0.02)
    model = CameraModel(640, 480, INTRINSICS, distortion, "plumb_bob")
    points = torch.tensor([[1.0, 1.8, 0], [1.0, 0.5, 0]], dtype=torch.float64)
    pixels, visible = project(points, CAMERA_FROM_LIDAR, model)
    assert visible.tolist() == [False, True]
    assert pixels.isfinite().all()


def test_a_pinhole_camera_sees_its_field_of_view():
    model = pinhole_camera(640, 384, math.pi / 2)
    edge = torch.tensor([[1.0, 1.0, 0.0]])
    pixels, _ = project(edge, optical_from_body(), model)
    torch.testing.assert_close(pixels, torch.tensor([[0.0, 192.0]]))


def test_skew_is_part_of_the_intrinsics():
    skewed = torch.tensor([[500.0, 20, 320], [0, 400, 240], [0, 0, 1]])
    normalized = torch.tensor([[0.1, -0.2]])
    pixels = pixels_from_normalized(normalized, skewed)
    assert pixels.tolist() == [[320 + 50 - 4, 240 - 80]]
    torch.testing.assert_close(normalized_from_pixels(pixels, skewed), normalized)


def test_the_image_ends_at_its_size():
    pixels = torch.tensor([[0.0, 0], [639.9, 479.9], [640, 100], [100, -0.1]])
    assert in_image(pixels, camera("none")).tolist() == [True, True, False, False]


def test_refuses_an_unknown_model_and_lists_what_it_knows():
    with pytest.raises(ValueError, match="distortion_model is 'fisheye9', expected one of: none, "):
        distort_points(torch.zeros(1, 2), torch.zeros(4), "fisheye9")


def test_refuses_a_wrong_number_of_coefficients():
    with pytest.raises(
        ValueError, match=r"'plumb_bob' has shape \(3,\), expected \(4,\) or \(5,\)"
    ):
        distort_points(torch.zeros(1, 2), torch.zeros(3), "plumb_bob")


def test_refuses_points_of_the_wrong_width():
    with pytest.raises(ValueError, match=r"points has shape \(7, 2\)"):
        project_points(torch.zeros(7, 2), CAMERA_FROM_LIDAR, INTRINSICS)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("width", 0, "image size is 0x480"),
        ("intrinsics", torch.zeros(3, 3), "focal lengths are"),
        ("intrinsics", torch.zeros(2, 3), r"intrinsics has shape \(2, 3\)"),
    ],
)
def test_refuses_a_camera_that_cannot_be_used(field, value, message):
    with pytest.raises(ValueError, match=message):
        check_camera(camera("none")._replace(**{field: value}))


@pytest.mark.parametrize("name", ["plumb_bob", "rational_polynomial", ""])
@pytest.mark.parametrize("count", [5, 8, 12, 14])
def test_any_length_of_opencvs_polynomial_is_read_as_opencv_reads_it(name, count):
    values = [*LENSES["rational_polynomial"][: min(count, 8)], *[0.0] * (count - 8)]
    lens = named_distortion(name, values)
    model = CameraModel(640, 480, INTRINSICS, torch.tensor(lens.coefficients).double(), lens.model)
    points = np.concatenate([rays().numpy(), np.ones((50, 1))], axis=1)
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), INTRINSICS.numpy(), np.array(values)
    )
    pixels, _ = project(torch.from_numpy(points), torch.eye(4, dtype=torch.float64), model)
    torch.testing.assert_close(pixels, torch.from_numpy(expected[:, 0]), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("name", "values", "lens"),
    [
        ("", [0.0] * 5, ("none", ())),
        ("", [], ("none", ())),
        ("none", [0.0] * 4, ("none", ())),
        ("fisheye", [0.1, 0.2, 0.3, 0.4], ("equidistant", (0.1, 0.2, 0.3, 0.4))),
        ("equidistant", [0.1, 0, 0, 0, 0], ("equidistant", (0.1, 0, 0, 0))),
        ("equidistant", [0.0] * 4, ("equidistant", (0.0,) * 4)),
        ("radtan", [0.1, 0.2, 0.3, 0.4], ("plumb_bob", (0.1, 0.2, 0.3, 0.4))),
        ("plumb_bob", [], ("none", ())),
    ],
)
def test_lenses_of_other_names_and_lengths_are_those_they_mean(name, values, lens):
    assert named_distortion(name, values) == lens


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("", [0.1, 0, 0, 0], "empty and distortion has 4 coefficients, which both plumb_bob and"),
        ("", [0.1], "has 1 coefficients, no model"),
        ("none", [0.1] * 5, "is 'none', but distortion is"),
        ("equidistant", [], "'equidistant' has 0 coefficients, expected 4"),
        ("equidistant", [0.1] * 5, "'equidistant' has 5 coefficients, expected 4"),
        ("plumb_bob", [0.1] * 3, "'plumb_bob' has 3 coefficients, expected 4, 5, 8, 12 or 14"),
        ("rational_polynomial", [0.1] * 12, "of a thin prism, which is not supported"),
        ("rational_polynomial", [0.1] * 8 + [0.0] * 4 + [0.1, 0], "of a tilted sensor"),
        ("division", [0.1], "is 'division', expected one of: plumb_bob, rational_polynomial,"),
        ("plumb_bob", [math.nan] * 5, "expected finite values"),
    ],
)
def test_lenses_that_are_not_known_are_refused_with_the_reason(name, values, fault):
    with pytest.raises(ValueError, match=fault):
        named_distortion(name, values)


@pytest.mark.parametrize(
    ("width", "height", "fault"),
    [
        (320, 240, "320x240 px, but the intrinsics are for 640x480: the images are scaled by 0.5;"),
        (1280, 960, "scaled by 2;"),
        (640, 400, "cropped, or of another mode"),
    ],
)
def test_intrinsics_of_another_image_size_are_refused_with_the_factor(width, height, fault):
    check_image_size(camera("none"), 640, 480)
    with pytest.raises(ValueError, match=fault):
        check_image_size(camera("none"), width, height)
