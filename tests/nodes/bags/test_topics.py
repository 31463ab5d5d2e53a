"""Topics by what they are for."""

import numpy as np
import pytest

from conegrad_nodes.bags import messages
from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.topics import find_topic, find_topics
from conegrad_nodes.bags.types import BagError
from conegrad_nodes.bags.writer import BagWriter

IMAGE = "sensor_msgs/msg/Image"


@pytest.fixture
def bag_with(tmp_path):
    """Function that opens a bag with images on these topics."""
    opened = []

    def make(*topics):
        with BagWriter(tmp_path / "bag") as writer:
            for topic in topics:
                image = messages.image_msg(1, "eye", np.zeros((2, 3, 3), dtype=np.uint8))
                writer.write(topic, IMAGE, 1, image)
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
