"""How sensors may hang on a car."""

import math

import pytest
import torch

from conegrad_core.geometry.calibration import mounted_calibration
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.mounting import ground_of, lidar_up
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse

CAMERA = pinhole_camera(640, 480, 1.2)


def mounted(roll=0.0, pitch=0.0, yaw=0.0, height=0.2):
    return mounting_matrix(torch.tensor([1.0, 0.1, height]), roll, pitch, yaw)


@pytest.mark.parametrize("yaw", [0.0, -1.0, math.pi])
@pytest.mark.parametrize(("roll", "up"), [(0.0, 1.0), (math.pi, -1.0), (math.pi - 0.05, -1.0)])
def test_up_is_down_in_a_lidar_that_hangs_upside_down(roll, up, yaw):
    ground = ground_of(mounted(roll, 0.05, yaw))
    assert ground.up == lidar_up(mounted(roll, 0.05, yaw)) == up
    assert ground.z == pytest.approx(-up * 0.2)


def test_a_lidar_turned_over_its_pitch_hangs_upside_down_too():
    assert lidar_up(mounted(pitch=math.pi)) == -1.0


@pytest.mark.parametrize(
    ("mounting", "message"),
    [
        (mounted(pitch=math.radians(23)), r"tilted by 23\.0 degrees .*expected at most 10"),
        (mounted(roll=math.radians(-12)), r"tilted by 12\.0 degrees"),
        (mounted(roll=math.pi / 2), r"tilted by 90\.0 degrees"),
        (mounted(roll=math.pi, pitch=0.3), r"tilted by 17\.2 degrees"),
        (mounted(roll=math.nan), "tilted by nan degrees"),
        (mounted(height=-0.1), r"the LiDAR is -0\.100 m above the ground"),
        (mounted(height=math.inf), "the LiDAR is inf m above the ground"),
    ],
)
def test_refuses_a_lidar_that_the_flat_ground_model_does_not_bear(mounting, message):
    with pytest.raises(ValueError, match=message):
        lidar_up(mounting)


def calibrated(roll=0.0, pitch=0.0, yaw=0.0, height=1.0, lidar_roll=0.0):
    """A camera mounted so, with a LiDAR that may hang upside down."""
    base_from_lidar = mounted(lidar_roll)
    base_from_camera = mounting_matrix(torch.tensor([0.5, 0.0, height]), roll, pitch, yaw)
    camera_from_base = optical_from_body() @ rigid_inverse(base_from_camera)
    return mounted_calibration(CAMERA, camera_from_base @ base_from_lidar, base_from_lidar)


@pytest.mark.parametrize("lidar_roll", [0.0, math.pi])
@pytest.mark.parametrize(
    "mounting",
    [
        {},
        {"pitch": 0.3},
        {"pitch": -0.2},
        {"yaw": math.pi, "roll": 0.1},
        {"yaw": 2.0, "pitch": 0.8},
    ],
)
def test_cameras_of_any_heading_are_taken(mounting, lidar_roll):
    calibrated(**mounting, lidar_roll=lidar_roll)


@pytest.mark.parametrize("lidar_roll", [0.0, math.pi])
@pytest.mark.parametrize(
    ("mounting", "message"),
    [
        ({"roll": math.pi / 2}, "the camera is rolled by -?90 degrees, expected at most 20"),
        ({"roll": math.pi}, "the camera is rolled by -?180 degrees"),
        ({"pitch": -1.2}, r"looks up by 69 degrees and shows no ground: .* optical frame"),
        ({"pitch": 1.3}, "looks down by 74 degrees, expected at most 60"),
        ({"height": -0.4}, r"the camera is -0\.400 m above the ground"),
    ],
)
def test_refuses_cameras_that_show_no_upright_cones_on_the_ground(mounting, message, lidar_roll):
    with pytest.raises(ValueError, match=message):
        calibrated(**mounting, lidar_roll=lidar_roll)


def test_names_a_body_frame_in_the_place_of_the_optical_one():
    camera_from_lidar = torch.eye(4)
    with pytest.raises(ValueError, match=r"looks up by 90 degrees .* its optical frame"):
        mounted_calibration(CAMERA, camera_from_lidar, mounted())
