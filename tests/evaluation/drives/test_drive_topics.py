"""Which topics of a bag are evaluated, and what is said of those that are not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conegrad_bringup.command_line import main
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_evaluation.drives.recorded_drive import read_drive

Change = Callable[[str, Any], list[tuple[str, Any]]]


@pytest.fixture
def changed(make_drive, plan, tmp_path) -> Callable[[Change], Path]:
    """Function that writes a short drive with its messages changed."""

    def write(change: Change) -> Path:
        path = tmp_path / "changed"
        with BagReader(make_drive(plan(frames=4))) as source, BagWriter(path) as writer:
            for topic, receive_ns, msg in source.messages():
                for name, made in change(topic, msg):
                    writer.write(name, source.topics[topic].msgtype, receive_ns, made)
        return path

    return write


def twice(topic: str, *others: str) -> Change:
    return lambda name, msg: [(it, msg) for it in (others if name == topic else (name,))]


def test_cones_of_two_graphs_are_refused_until_one_is_named(changed, capsys):
    path = changed(twice("/cones", "/a/cones", "/b/cones"))
    assert main(["evaluate", str(path)]) == 1
    assert "choose one: --topic cones=/a/cones" in capsys.readouterr().err
    assert len(read_drive(path, topics={"cones": "/b/cones"}).frames) == 4


def test_cones_of_perceive_stand_before_those_of_the_car_and_that_is_told(changed):
    drive = read_drive(changed(twice("/cones", "/cones", "/car/cones")))
    assert any("/cones is used as cones and not /car/cones" in note for note in drive.notes)


def test_true_odometry_beside_the_other_is_passed_over_and_that_is_told(changed):
    drive = read_drive(changed(twice("/odom", "/odom", "/truth/odom")))
    assert "/truth/odom is truth and is not used as odom" in drive.notes
    assert drive.odometry.base_at(drive.frames[0].stamp_ns) is not None


def test_two_odometries_are_refused(changed):
    with pytest.raises(BagError, match="choose one: --topic odom=/odom"):
        read_drive(changed(twice("/odom", "/odom", "/vio/odom")))


def test_pictures_of_two_cameras_are_left_out_and_that_is_told(changed):
    both = ("/l/image_raw", "/r/image_raw")
    path = changed(twice("/image_raw", *both))
    assert any("could each be the image topic" in note for note in read_drive(path).notes)
    drive = read_drive(path, topics={"image": both[0]})
    assert drive.info.roles["image"] == both[0]


@pytest.mark.parametrize(
    ("topic", "change", "note"),
    [
        ("/camera_info", {"width": 640}, "but the intrinsics are for 640x720"),
        ("/camera_info", {"distortion_model": "mei", "d": np.ones(1)}, "distortion_model is 'mei'"),
        ("/image_raw", {"frame_id": "lidar"}, "images belong to an optical frame"),
    ],
)
def test_a_camera_that_the_perception_refuses_is_not_drawn_with_and_that_is_told(
    changed, topic, change, note
):
    def bent(name, msg):
        if name == topic:
            for field, value in change.items():
                setattr(msg.header if field == "frame_id" else msg, field, value)
        return [(name, msg)]

    drive = read_drive(changed(bent))
    assert drive.calibration is None
    assert any(note in text for text in drive.notes), drive.notes
