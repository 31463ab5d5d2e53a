"""Random cameras: limits, padding and determinism."""

import math

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.samples.random_camera import (
    FIELDS_OF_VIEW,
    HARD,
    HEIGHTS,
    padded_model,
    padded_vehicle_camera,
    random_camera,
)

VEHICLE = load_vehicle("formula_student")
MOUNTING = VEHICLE.camera.mounting
SIZE = (640, 384)


@pytest.mark.parametrize("index", range(0, 40))
def test_a_random_camera_keeps_its_limits(index):
    camera = random_camera(index, MOUNTING, SIZE)
    model = camera.model
    view = 2 * math.atan(model.width / 2 / float(model.intrinsics[0, 0]))
    assert FIELDS_OF_VIEW[0] - 1e-6 <= view <= FIELDS_OF_VIEW[1] + 1e-6
    assert HEIGHTS[0] <= camera.mounting.z <= HEIGHTS[1]
    assert (camera.mounting.x, camera.mounting.y) == (MOUNTING.x, MOUNTING.y)
    assert 0 <= camera.left <= SIZE[0] - model.width
    assert 0 <= camera.top <= SIZE[1] - model.height


def test_an_index_is_always_the_same_camera_and_indices_differ():
    first = random_camera(3, MOUNTING, SIZE)
    random_camera.cache_clear()
    again = random_camera(3, MOUNTING, SIZE)
    assert again.mounting == first.mounting
    assert again.model.intrinsics.equal(first.model.intrinsics)
    assert random_camera(4, MOUNTING, SIZE).mounting != first.mounting


def test_the_camera_of_the_vehicle_fits_the_image_with_its_field_of_view():
    model, camera = VEHICLE.camera.model(), padded_vehicle_camera(VEHICLE, (320, 320))
    assert camera.model.width == 320
    assert camera.model.height == round(320 * model.height / model.width)
    assert (camera.left, camera.top) == (0, (320 - camera.model.height) // 2)
    ratio = camera.model.intrinsics[0, 0] / model.intrinsics[0, 0]
    assert float(ratio) == pytest.approx(320 / model.width)
    assert camera.mounting == MOUNTING


def test_padding_moves_the_principal_point_and_nothing_else():
    camera = padded_vehicle_camera(VEHICLE, (320, 320))
    padded = padded_model(camera, (320, 320))
    assert (padded.width, padded.height) == (320, 320)
    moved = (padded.intrinsics - camera.model.intrinsics).numpy()
    expected = np.zeros((3, 3))
    expected[:2, 2] = camera.left, camera.top
    np.testing.assert_allclose(moved, expected)


def test_hard_cameras_keep_wider_limits_and_have_flat_pictures():
    cameras = [random_camera(index, MOUNTING, SIZE, HARD) for index in range(40)]
    for camera in cameras:
        view = 2 * math.atan(camera.model.width / 2 / float(camera.model.intrinsics[0, 0]))
        assert HARD.fields_of_view[0] - 1e-6 <= view <= HARD.fields_of_view[1] + 1e-6
        assert HARD.heights[0] <= camera.mounting.z <= HARD.heights[1]
    assert max(camera.model.width / camera.model.height for camera in cameras) > 3.5
