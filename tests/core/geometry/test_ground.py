"""Rays of the camera on the ground, and calibrations that can be used."""

import math

import pytest
import torch

from conegrad_core.geometry.calibration import (
    Calibration,
    check_calibration,
    mounted_calibration,
    moved_calibration,
)
from conegrad_core.geometry.camera import pinhole_camera, project_normalized
from conegrad_core.geometry.ground import camera_rays
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse

LIDAR_HEIGHT = 0.2


def camera_from_lidar(pitch=0.0, yaw=0.0):
    translation = torch.tensor([-1.0, 0.0, 0.8], dtype=torch.float64)
    mounting = mounting_matrix(translation, 0.0, pitch, yaw)
    return optical_from_body(torch.float64) @ rigid_inverse(mounting)


def on_ground(normalized, transform, lidar_height=LIDAR_HEIGHT):
    """Points x, y at which rays meet the ground; all have to point downwards."""
    origin, directions = camera_rays(normalized, transform)
    assert (directions[..., 2] < 0).all()
    depth = -(origin[2] + lidar_height) / directions[..., 2]
    return origin[:2] + depth[..., None] * directions[..., :2]


def test_a_ray_45_degrees_down_meets_the_ground_at_the_cameras_height():
    # The camera is 1 m above the ground, 1 m behind the LiDAR.
    down = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    points = on_ground(down, camera_from_lidar())
    torch.testing.assert_close(points, torch.zeros(1, 2, dtype=torch.float64))


def test_the_pitch_of_the_camera_counts():
    ahead = torch.zeros(1, 2, dtype=torch.float64)
    points = on_ground(ahead, camera_from_lidar(pitch=math.atan(0.1)))
    torch.testing.assert_close(points, torch.tensor([[9.0, 0.0]], dtype=torch.float64))


def test_rays_undo_the_projection():
    truth = torch.tensor([[5.0, 2.0, -LIDAR_HEIGHT], [9, -3, -LIDAR_HEIGHT]], dtype=torch.float64)
    transform = camera_from_lidar(pitch=0.2, yaw=-0.1)
    normalized, _ = project_normalized(truth, transform)
    points = on_ground(normalized, transform)
    torch.testing.assert_close(points, truth[:, :2])


def test_rays_above_the_horizon_point_upwards():
    ideal = torch.tensor([[0.0, -0.1], [0.0, 0.0], [0.0, 0.1]], dtype=torch.float64)
    _, directions = camera_rays(ideal, camera_from_lidar())
    expected = torch.tensor([0.1, 0.0, -0.1], dtype=torch.float64)
    torch.testing.assert_close(directions[:, 2], expected)


def test_passes_gradients_to_rays_and_extrinsics():
    normalized = torch.tensor([[0.1, 0.3], [-0.4, 0.2]], dtype=torch.float64, requires_grad=True)
    transform = camera_from_lidar(pitch=0.1).requires_grad_()
    assert torch.autograd.gradcheck(on_ground, (normalized, transform))


def test_origin_of_the_rays_is_the_camera():
    origin, _ = camera_rays(torch.zeros(1, 2, dtype=torch.float64), camera_from_lidar(pitch=0.3))
    torch.testing.assert_close(origin, torch.tensor([-1.0, 0, 0.8], dtype=torch.float64))


def test_motion_puts_the_camera_where_it_was():
    # The car drove 0.5 m on between image and scan: seen from the scan, the camera stood at -1.5 m.
    calibration = Calibration(pinhole_camera(640, 480, 1.5), camera_from_lidar(), LIDAR_HEIGHT)
    moved = moved_calibration(calibration, torch.tensor([-0.5, 0.0, 0.0]))
    origin, _ = camera_rays(torch.zeros(1, 2, dtype=torch.float64), moved.camera_from_lidar)
    torch.testing.assert_close(origin, torch.tensor([-1.5, 0, 0.8], dtype=torch.float64))


def test_a_tilted_lidar_is_levelled():
    # LiDAR and camera are one rigid unit, pitched down by 0.1 rad: the camera's axis is level only
    # in the tilted frame, and looks down by 0.1 rad on the flat ground.
    base_from_lidar = mounting_matrix(torch.tensor([1.0, 0.0, 0.5]), 0.0, 0.1, 0.3)
    calibration = mounted_calibration(
        pinhole_camera(640, 480, 1.5), optical_from_body(), base_from_lidar
    )
    points = on_ground(torch.zeros(1, 2), calibration.camera_from_lidar, calibration.lidar_height)
    assert calibration.lidar_height == pytest.approx(0.5)
    torch.testing.assert_close(points, torch.tensor([[0.5 / math.tan(0.1), 0.0]]))


def test_a_level_lidar_keeps_its_extrinsics():
    camera_from = camera_from_lidar(pitch=0.2)
    base_from_lidar = mounting_matrix(camera_from.new_tensor([1.0, 0.0, 0.2]), 0.0, 0.0, 0.5)
    calibration = mounted_calibration(pinhole_camera(640, 480, 1.5), camera_from, base_from_lidar)
    torch.testing.assert_close(calibration.camera_from_lidar, camera_from)


def moved(by):
    """A camera that looks ahead, ``by`` metres below the LiDAR."""
    matrix = optical_from_body()
    matrix[1, 3] = -by
    return matrix


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lidar_height": math.nan}, "lidar_height is nan m"),
        ({"camera_from_lidar": 2 * torch.eye(4)}, "camera_from_lidar is off a rotation by 3"),
        ({"camera_from_lidar": torch.eye(3)}, r"camera_from_lidar has shape \(3, 3\)"),
        ({"camera_from_lidar": moved(math.nan)}, "the camera is nan m above the ground"),
        ({"camera_from_lidar": moved(2.0)}, "the camera is -1.800 m above the ground"),
    ],
)
def test_refuses_a_calibration_that_cannot_be_used(change, message):
    good = Calibration(pinhole_camera(640, 480, 1.5), optical_from_body(), LIDAR_HEIGHT)
    check_calibration(good)
    with pytest.raises(ValueError, match=message):
        check_calibration(good._replace(**change))
