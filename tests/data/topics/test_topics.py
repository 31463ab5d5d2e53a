"""Topics by what they are for."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_data.topics.topic_rules import is_rectified
from conegrad_data.topics.topics import choose_topics, find_topic, find_topics, one_lidar

IMAGE = "sensor_msgs/msg/Image"


def message(role, encoding="rgb8"):
    """Type and a small message of what may play a role."""
    if role == "image":
        image = messages.image_msg(1, "eye", np.zeros((2, 3, 3), dtype=np.uint8))
        image.encoding = encoding
        return IMAGE, image
    if role == "compressed":
        msg = messages.compressed_image_msg(1, "eye", b"..", "jpeg")
        return "sensor_msgs/msg/CompressedImage", msg
    if role == "info":
        info = messages.camera_info_msg(1, "eye", (3, 2), np.eye(3), (), "none")
        return "sensor_msgs/msg/CameraInfo", info
    if role == "odom":
        return "nav_msgs/msg/Odometry", messages.odometry_msg(1, (0.0, 0.0, 0.0))
    if role == "points":
        return "sensor_msgs/msg/PointCloud2", messages.points_msg(1, "laser", np.zeros((4, 3)))
    if role == "tf":
        return "tf2_msgs/msg/TFMessage", messages.transforms_msg(1, [("a", "b", np.eye(4))])
    if role == "cones":
        fields = {"header": messages.header_msg(1, "laser"), "cones": []}
        stamps = {name: messages.time_msg(1) for name in ("camera_stamp", "lidar_stamp")}
        used = {name: True for name in ("camera_used", "lidar_used")}
        state = {"degraded": False, "reasons": []}
        msgtype = "conegrad_msgs/msg/ConeArray"
        return msgtype, messages.make(msgtype, **fields, **stamps, **used, **state)
    fields = {"angle_min": 0.0, "angle_increment": 0.1, "range_min": 0.1, "range_max": 30.0}
    scan = messages.scan_msg(1, "laser", np.ones(5), **fields, scan_time=0.1)
    return "sensor_msgs/msg/LaserScan", scan


@pytest.fixture
def bag_with(tmp_path):
    """Function that opens a bag with images on these topics, and with other types on others."""
    opened = []

    def make(*topics, **others):
        named = [("image", topic) for topic in topics]
        named += [(role, name) for role, names in others.items() for name in names]
        with BagWriter(tmp_path / "bag") as writer:
            for role, topic in named:
                kind, _, encoding = role.partition("_")
                msgtype, msg = message(kind, encoding or "rgb8")
                writer.write(topic, msgtype, 1, msg)
        opened.append(BagReader(tmp_path / "bag"))
        return opened[-1]

    yield make
    for bag in opened:
        bag.close()


def test_a_topic_is_found_in_any_namespace(bag_with):
    bag = bag_with("/car/front/image_raw", "/car/front/debug_image")
    assert find_topic(bag, "image") == "/car/front/image_raw"


def test_the_only_topic_of_its_type_needs_no_usual_name(bag_with):
    assert find_topics(bag_with("/zed/left")) == {"image": "/zed/left"}


def test_two_that_fit_are_refused_until_one_is_named(bag_with):
    bag = bag_with("/left/image_raw", "/right/image_raw")
    with pytest.raises(BagError, match="/left/image_raw, /right/image_raw could each be the image"):
        find_topic(bag, "image")
    assert find_topic(bag, "image", "right/image_raw") == "/right/image_raw"


def test_a_named_topic_of_another_type_is_refused(bag_with):
    with pytest.raises(BagError, match="/eye is sensor_msgs/msg/Image, expected sensor_msgs/msg/L"):
        find_topic(bag_with("/eye"), "scan", "/eye")


def test_a_named_topic_that_is_missing_is_refused(bag_with):
    with pytest.raises(BagError, match=r"has no topic /ear; it holds /eye"):
        find_topic(bag_with("/eye"), "image", "/ear")


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(bag_with):
    with pytest.raises(BagError, match="imgae=/eye: no such role, expected one of image, camera_"):
        find_topics(bag_with("/eye"), {"imgae": "/eye"})


def test_a_role_that_the_bag_lacks_is_none(bag_with):
    assert find_topic(bag_with("/eye"), "scan") is None


@pytest.mark.parametrize(
    ("image", "infos", "expected"),
    [
        ("/left/image_raw", ["/left/camera_info", "/right/camera_info"], "/left/camera_info"),
        (
            "/left/image_raw/compressed",
            ["/left/camera_info", "/right/camera_info"],
            "/left/camera_info",
        ),
        ("/left/image_rect_color", ["/camera_info", "/left/camera_info"], "/left/camera_info"),
        ("/rig/left/image_raw", ["/rig/camera_info"], "/rig/camera_info"),
        ("/left/image_raw", ["/calibration/camera_info"], "/calibration/camera_info"),
    ],
)
def test_the_camera_info_beside_the_image_is_taken(bag_with, image, infos, expected):
    role = "compressed" if image.endswith("compressed") else "image"
    bag = bag_with(**{role: [image], "info": infos})
    assert find_topics(bag, needed=()) == {"image": image, "camera_info": expected}


def test_the_camera_info_of_another_camera_is_not_taken_and_that_is_told(bag_with):
    bag = bag_with("/left/image_raw", "/right/image_raw", info=["/left/camera_info"])
    choice = choose_topics(bag, {"image": "/right/image_raw"})
    assert choice.roles == {"image": "/right/image_raw"}
    assert "would be /right/camera_info" in choice.notes["camera_info"]
    assert find_topics(bag, {"image": "/left/image_raw"})["camera_info"] == "/left/camera_info"


def test_two_cameras_in_different_transports_are_two_cameras(bag_with):
    bag = bag_with("/left/image_raw", compressed=["/right/image_raw/compressed"])
    with pytest.raises(BagError, match="--topic image=/left/image_raw"):
        find_topic(bag, "image")
    # The picture may be named without its transport.
    assert find_topic(bag, "image", "/right/image_raw") == "/right/image_raw/compressed"


def test_one_camera_in_two_transports_is_one_camera(bag_with):
    bag = bag_with("/eye/image_raw", compressed=["/eye/image_raw/compressed"])
    assert find_topic(bag, "image") == "/eye/image_raw"


def test_two_unusual_names_in_one_namespace_are_two_cameras(bag_with):
    assert "image" in choose_topics(bag_with("/zed/left", "/zed/right")).ambiguities


def test_depth_images_are_passed_over(bag_with):
    bag = bag_with(
        image=["/camera/color/image_raw"], image_16UC1=["/camera/aligned_depth/image_raw"]
    )
    choice = choose_topics(bag)
    assert choice.roles == {"image": "/camera/color/image_raw"}
    assert "/camera/aligned_depth/image_raw" in choice.notes["image"]


def test_true_odometry_is_used_where_there_is_no_other_and_both_are_told(bag_with, tmp_path):
    choice = choose_topics(bag_with(odom=["/odom", "/truth/odom"]))
    assert choice.roles == {"odom": "/odom"}
    assert choice.notes["odom"] == "/truth/odom is truth and is not used as odom"


def test_the_only_odometry_is_used_even_if_it_is_the_truth(bag_with):
    choice = choose_topics(bag_with(odom=["/car/ground_truth/odom"]))
    assert choice.roles == {"odom": "/car/ground_truth/odom"}
    assert "the bag has no other" in choice.notes["odom"]


def test_two_odometries_are_refused_until_one_is_named_or_left_out(bag_with):
    bag = bag_with(odom=["/wheels/odom", "/vio/odom"])
    with pytest.raises(BagError, match="choose one: --topic odom=/vio/odom"):
        find_topics(bag)
    assert find_topics(bag, {"odom": "none"}) == {}
    assert find_topics(bag, needed=["image"]) == {}


@pytest.mark.parametrize(("role", "name"), [("tf", "tf_static"), ("cones", "cones")])
def test_what_has_no_namespace_stands_before_what_has_one_and_that_is_told(bag_with, role, name):
    choice = choose_topics(bag_with(**{role: [f"/{name}", f"/car/{name}"]}))
    assert choice.roles == {name: f"/{name}"}
    assert f"/car/{name}" in choice.notes[name]


def test_scans_stand_before_clouds_unless_the_clouds_are_named(bag_with):
    bag = bag_with(scan=["/scan"], points=["/points"])
    choice = one_lidar(choose_topics(bag))
    assert choice.roles == {"scan": "/scan"}
    assert "/scan is used and not the clouds" in choice.notes["scan"]
    given = {"points": "/points"}
    assert one_lidar(choose_topics(bag, given), given).roles == given


def test_a_topic_of_another_type_than_its_name_says_is_told(bag_with):
    choice = choose_topics(bag_with(odom=["/camera/image_raw"]))
    assert "/camera/image_raw is nav_msgs/msg/Odometry" in choice.notes["image"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/camera/image_rect_color/compressed", True),
        ("/camera/image_rect", True),
        ("/camera/image_raw", False),
        ("/image_rect/image_raw", False),
        ("/rgb/rect/image/compressed", True),
        ("/camera/rectified/image_raw", True),
        ("image", False),
    ],
)
def test_the_name_of_a_topic_says_whether_its_images_are_rectified(name, expected):
    assert is_rectified(name) is expected
