"""Fixed frames of a bag."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.calibration.static_frames import MAX_FRAMES, FrameError, StaticFrames

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
    with pytest.raises(FrameError, match=r"from imu to lidar.*base_link, camera, lidar"):
        frames().lookup("lidar", "imu")


@pytest.mark.parametrize(
    ("rotation", "translation"),
    [
        ((0.0, 0.0, 0.0, 0.0), 0.0),
        ((1e200, 0.0, 0.0, 1e200), 0.0),
        ((0.0, 0.0, 0.0, 1.0), np.nan),
        ((0.0, 0.0, 0.0, 1.0), 1e39),
    ],
)
def test_a_transform_that_means_nothing_is_skipped_with_its_frames_and_its_value(
    rotation, translation
):
    tree = [("base_link", "lidar", BASE_FROM_LIDAR), ("base_link", "camera", BASE_FROM_CAMERA)]
    msg = messages.transforms_msg(0, tree)
    transform = msg.transforms[0].transform
    for axis, value in zip("xyzw", rotation, strict=True):
        object.__setattr__(transform.rotation, axis, value)
    object.__setattr__(transform.translation, "x", translation)
    found = StaticFrames([msg])
    assert "the transform from lidar to base_link" in found.faults["lidar"]
    assert found.lookup("base_link", "camera")[2, 3] == 1.5
    with pytest.raises(FrameError, match="skipped: the transform from lidar to base_link: "):
        found.lookup("base_link", "lidar")
    found.add(messages.transforms_msg(0, tree))
    assert not found.faults
    found.lookup("base_link", "lidar")
    found.add(msg)
    assert found.lookup("base_link", "lidar")[0, 3] == 2.0  # the one before it stays


def test_a_message_that_says_the_same_again_changes_nothing_and_is_not_kept():
    tree = [("base_link", "lidar", BASE_FROM_LIDAR), ("base_link", "camera", BASE_FROM_CAMERA)]
    found = StaticFrames()
    assert found.add(messages.transforms_msg(0, tree))
    assert not any(found.add(messages.transforms_msg(stamp, tree)) for stamp in range(50))
    assert len(found._parents) == 2
    assert found.add(messages.transforms_msg(0, [("map", "lidar", BASE_FROM_LIDAR)]))


def test_only_so_many_frames_are_held():
    found = StaticFrames()
    for start in range(0, 2 * MAX_FRAMES, 100):
        tree = [("base_link", f"frame_{start + n}", np.eye(4)) for n in range(100)]
        found.add(messages.transforms_msg(0, tree))
    assert len(found.names) == MAX_FRAMES + 1
    assert len(found.faults) == MAX_FRAMES
    assert "there are 1000 frames already" in found.faults[f"frame_{MAX_FRAMES}"]


def test_a_transform_that_closes_a_loop_is_skipped_and_the_loop_named():
    loop = [("a", "b", np.eye(4)), ("b", "c", np.eye(4)), ("c", "a", np.eye(4))]
    apart = [("base_link", "lidar", BASE_FROM_LIDAR)]
    found = StaticFrames([messages.transforms_msg(0, loop + apart)])
    assert found.faults["a"].endswith("a loop of frames, child to parent: a -> c -> b -> a")
    found.lookup("a", "c")
    found.add(messages.transforms_msg(0, [("base_link", "base_link", np.eye(4))]))
    assert found.faults["base_link"].endswith("child to parent: base_link -> base_link")
    assert found.lookup("base_link", "lidar")[0, 3] == 2.0
