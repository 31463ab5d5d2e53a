"""What the fusion knows of where the sensors are, and what it refuses."""

import numpy as np
import pytest
import torch

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import mounting_matrix
from conegrad_data.bags import messages
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.decode import DecodeError

BASE_FROM_LIDAR = np.array([[1.0, 0, 0, 1.5], [0, 1, 0, 0], [0, 0, 1, 0.2], [0, 0, 0, 1]])
# z of the camera ahead, x to the right, y down.
BASE_FROM_CAMERA = np.array([[0.0, 0, 1, 0.5], [-1, 0, 0, 0], [0, -1, 0, 1.0], [0, 0, 0, 1]])


def mounting(roll, pitch, yaw):
    return mounting_matrix(torch.zeros(3, dtype=torch.float64), roll, pitch, yaw).numpy()


def transforms(base_from_camera=BASE_FROM_CAMERA):
    tree = [("base_link", "lidar", BASE_FROM_LIDAR), ("base_link", "camera", base_from_camera)]
    return messages.transforms_msg(0, tree)


@pytest.fixture
def source(monkeypatch):
    # The wheels of ROS lack tf2_msgs, and the source says so where transforms cannot come in.
    monkeypatch.setattr("conegrad_data.calibration.calibration_source.HAS_TF2_MESSAGES", True)
    source = CalibrationSource(CalibrationConfig())
    source.set_camera(pinhole_camera(640, 480, 1.5))
    return source


def test_the_pieces_of_tf_static_and_camera_info_become_the_calibration(source):
    source.add_transforms(transforms())
    calibration, base_from_lidar = source.calibration("camera", "lidar")
    assert calibration.lidar_height == pytest.approx(0.2)
    ahead = calibration.camera_from_lidar @ torch.tensor([4.0, 1.0, 0.0, 1.0])
    # 4 m before the LiDAR is 5 m before the camera, which is 0.8 m higher.
    torch.testing.assert_close(ahead[:3], torch.tensor([-1.0, 0.8, 5.0]))
    assert base_from_lidar[0, 3] == 1.5


def test_a_scan_alone_needs_to_know_where_the_lidar_is(source):
    with pytest.raises(CalibrationError, match="no extrinsics from 'lidar' to 'base_link'"):
        source.needed("", "lidar", with_camera=False)
    tree = [("base_link", "lidar", BASE_FROM_LIDAR)]
    source.add_transforms(messages.transforms_msg(0, tree))
    calibration, base_from_lidar = source.needed("", "lidar", with_camera=False)
    assert calibration is None
    assert base_from_lidar[0, 3] == 1.5
    with pytest.raises(CalibrationError, match="no extrinsics from 'lidar' to 'camera'"):
        source.needed("camera", "lidar", with_camera=True)
    below = BASE_FROM_LIDAR.copy()
    below[2, 3] = -0.1
    source.add_transforms(messages.transforms_msg(0, [("base_link", "lidar", below)]))
    with pytest.raises(CalibrationError, match=r"the LiDAR is -0\.100 m above the ground"):
        source.needed("", "lidar", with_camera=False)


def test_a_camera_below_the_ground_is_a_fault_of_the_calibration(source):
    below = BASE_FROM_CAMERA.copy()
    below[2, 3] = -0.3
    source.add_transforms(transforms(below))
    with pytest.raises(CalibrationError, match=r"the camera is -0\.300 m above the ground"):
        source.calibration("camera", "lidar")
    source.add_transforms(transforms())
    assert source.calibration("camera", "lidar")


def test_transforms_that_change_nothing_keep_the_calibration_as_it_is(source):
    source.add_transforms(transforms())
    before, _ = source.calibration("camera", "lidar")
    source.add_transforms(transforms())
    assert source.calibration("camera", "lidar")[0] is before
    moved = BASE_FROM_CAMERA.copy()
    moved[0, 3] += 0.1
    source.add_transforms(transforms(moved))
    assert source.calibration("camera", "lidar")[0] is not before


def broken(msg, place):
    """The message with a transform that turns by nothing."""
    for axis in "xyzw":
        object.__setattr__(msg.transforms[place].transform.rotation, axis, 0.0)
    return msg


def test_a_transform_without_rotation_is_refused_and_the_others_of_its_message_count(source):
    expected = r"1 of 2 transforms cannot be used: the transform from camera to base_link: rotation"
    with pytest.raises(DecodeError, match=expected):
        source.add_transforms(broken(transforms(), 1))
    assert source.needed("", "lidar", with_camera=False)
    with pytest.raises(CalibrationError, match="skipped: the transform from camera to base_link"):
        source.calibration("camera", "lidar")
    source.add_transforms(transforms())
    before, _ = source.calibration("camera", "lidar")
    with pytest.raises(DecodeError):
        source.add_transforms(broken(transforms(), 1))
    assert source.calibration("camera", "lidar")[0] is before


def test_a_transform_of_a_file_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "frames.yaml"
    path.write_text(
        "frames: [{parent: base_link, child: lidar, translation: [0, 0, 1],"
        " quaternion: [0, 0, 0, 0]}]"
    )
    with pytest.raises(ValueError, match=r"frames.yaml: the transform from lidar to base_link: "):
        CalibrationSource(CalibrationConfig(extrinsics="file", file=str(path)))


def test_a_transform_that_closes_a_loop_is_named_and_silences_nothing(source):
    loop = [("base_link", "lidar", BASE_FROM_LIDAR), ("lidar", "base_link", BASE_FROM_LIDAR)]
    expected = "loop of frames, child to parent: base_link -> lidar -> base_link"
    with pytest.raises(DecodeError, match=expected):
        source.add_transforms(messages.transforms_msg(0, loop))
    assert source.needed("", "lidar", with_camera=False)
    with pytest.raises(CalibrationError, match=expected):
        source.calibration("camera", "lidar")


def test_every_pair_of_frames_has_its_calibration(source):
    other = BASE_FROM_LIDAR.copy()
    other[2, 3] = 0.5
    source.add_transforms(transforms())
    source.add_transforms(messages.transforms_msg(0, [("base_link", "rear", other)]))
    heights = [source.calibration("camera", f)[0].lidar_height for f in ("lidar", "rear") * 2]
    assert heights == pytest.approx([0.2, 0.5, 0.2, 0.5])
    assert source.calibration("camera", "rear")[0] is source.calibration("camera", "rear")[0]


def test_a_calibration_file_that_does_not_exist_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        CalibrationSource(CalibrationConfig(extrinsics="file", file="/nowhere/frames.yaml"))


def test_a_source_without_its_file_is_refused():
    with pytest.raises(ValueError, match=r"extrinsics is 'file', but calibration\.file is empty"):
        CalibrationConfig(extrinsics="file")


def test_before_any_scan_cones_are_in_the_frame_of_the_base(source):
    assert source.cone_frame("") == "base_link"
    assert source.cone_frame("lidar") == "lidar"
    tree = [("base_link", "camera", BASE_FROM_CAMERA)]  # no LiDAR on this car
    source.add_transforms(messages.transforms_msg(0, tree))
    calibration, base_from_base = source.needed("camera", "", with_camera=True, with_lidar=False)
    torch.testing.assert_close(base_from_base, torch.eye(4))
    assert calibration.ground_z == 0
    ahead = calibration.camera_from_lidar @ torch.tensor([5.5, 1.0, 0.0, 1.0])
    torch.testing.assert_close(ahead[:3], torch.tensor([-1.0, 1.0, 5.0]))
    with pytest.raises(CalibrationError, match="no extrinsics from 'lidar' to 'base_link'"):
        source.needed("camera", "lidar", with_camera=True)


def test_a_vehicle_preset_gives_the_camera_in_the_frame_of_the_base():
    preset = {"intrinsics": "vehicle", "extrinsics": "vehicle", "vehicle": "formula_student"}
    source = CalibrationSource(CalibrationConfig(**preset))
    in_lidar, base_from_lidar = source.calibration("", "laser")
    in_base, _ = source.calibration("camera", "")
    torch.testing.assert_close(
        in_base.camera_from_lidar @ base_from_lidar, in_lidar.camera_from_lidar, atol=1e-5, rtol=0
    )
    assert in_base.ground_z == 0
    assumed = CalibrationSource(CalibrationConfig(**preset, default_lidar_frame="laser"))
    assert [assumed.cone_frame(frame) for frame in ("", "front")] == ["laser", "front"]
    named = CalibrationSource(CalibrationConfig(**preset, lidar_frame="laser"))
    assert named.cone_frame("") == "laser"
    with pytest.raises(CalibrationError, match=r"calibration\.lidar_frame"):
        source.needed("", "", with_camera=False)


def test_a_lidar_that_is_tilted_too_far_is_refused_by_name(source):
    tilted = BASE_FROM_LIDAR @ mounting(0.0, 0.4, 0.0)
    source.add_transforms(messages.transforms_msg(0, [("base_link", "lidar", tilted)]))
    with pytest.raises(CalibrationError, match=r"the LiDAR is tilted by 22\.9 degrees .* most 10"):
        source.needed("", "lidar", with_camera=False)
