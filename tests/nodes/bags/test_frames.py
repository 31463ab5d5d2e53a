"""Fixed frames of a bag."""

import numpy as np
import pytest

from conegrad_nodes.bags import messages
from conegrad_nodes.bags.frames import StaticFrames
from conegrad_nodes.bags.types import BagError

# lidar: 2 m ahead of base_link, turned left by 90 degrees, so that its x is the car's y.
BASE_FROM_LIDAR = np.array([[0.0, -1, 0, 2], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
BASE_FROM_CAMERA = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1.5], [0, 0, 0, 1]])


def frames():
    tree = [("base_link", "lidar", BASE_FROM_LIDAR), ("base_link", "camera", BASE_FROM_CAMERA)]
    return StaticFrames([messages.transforms_msg(0, tree)])


def test_a_point_is_carried_through_the_common_parent():
    point_in_lidar = [3.0, 0.0, 0.0, 1.0]  # 3 m to the left of the car, 2 m ahead
    np.testing.assert_allclose(
        frames().lookup("camera", "lidar") @ point_in_lidar, [2.0, 3.0, -1.5, 1.0], atol=1e-12
    )


def test_looking_up_there_and_back_is_the_identity():
    there, back = frames().lookup("camera", "lidar"), frames().lookup("lidar", "camera")
    np.testing.assert_allclose(there @ back, np.eye(4), atol=1e-12)


def test_unconnected_frames_are_refused_with_the_known_ones():
    with pytest.raises(BagError, match=r"no transform from imu to lidar.*base_link, camera, lidar"):
        frames().lookup("lidar", "imu")


@pytest.mark.parametrize(
    ("rotation", "translation"), [((0.0, 0.0, 0.0, 0.0), 0.0), ((0.0, 0.0, 0.0, 1.0), np.nan)]
)
def test_a_transform_that_means_nothing_is_refused_with_its_frames(rotation, translation):
    msg = messages.transforms_msg(0, [("base_link", "lidar", BASE_FROM_LIDAR)])
    transform = msg.transforms[0].transform
    for axis, value in zip("xyzw", rotation, strict=True):
        object.__setattr__(transform.rotation, axis, value)
    object.__setattr__(transform.translation, "x", translation)
    with pytest.raises(BagError, match="the transform from lidar to base_link"):
        StaticFrames([msg])


def test_a_loop_of_frames_is_refused():
    loop = [("a", "b", np.eye(4)), ("b", "a", np.eye(4))]
    with pytest.raises(BagError, match="loop of frames"):
        StaticFrames([messages.transforms_msg(0, loop)]).lookup("a", "b")
