"""One check of a bag: info and perceive, live and direct, say the same about it."""

import copy
import re

import numpy as np
import pytest

from conegrad_bringup.command_line import main
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag

ECHOES = "sensor_msgs/msg/MultiEchoLaserScan"

pytestmark = pytest.mark.ros


@pytest.fixture
def rewritten(drive, tmp_path):
    """Function that writes the drive again with every message changed, or left out if None."""

    def write(change):
        path = tmp_path / "bag"
        with BagReader(drive) as source, BagWriter(path) as writer:
            for topic, receive_ns, msg in source.messages():
                for name, changed in change(topic, msg):
                    writer.write(name, source.topics[topic].msgtype, receive_ns, changed)
        return path

    return write


def only(topic, change):
    """Change of the messages of one topic, in place."""

    def changed(name, msg):
        if name == topic:
            change(msg)
        return [(name, msg)]

    return changed


def renamed(**names):
    return lambda name, msg: [(names.get(name.strip("/"), name), msg)]


def dropped(*topics):
    return lambda name, msg: [] if name in topics else [(name, msg)]


def twice(topic, other):
    return lambda name, msg: [(name, msg), (other, msg)] if name == topic else [(name, msg)]


def put(**values):
    """Set fields of a message; a double underscore leads into a part of it."""

    def change(msg):
        for name, value in values.items():
            *parts, last = name.split("__")
            target = msg
            for part in parts:
                target = getattr(target, part)
            setattr(target, last, value)

    return change


ONE_BEAM = only("/scan", put(ranges=np.ones(1, np.float32), intensities=np.ones(1, np.float32)))


def tilt(msg, child):
    """Lay a sensor on its side."""
    for transform in msg.transforms:
        if transform.child_frame_id == child:
            put(x=np.sqrt(0.5), y=0.0, z=0.0, w=np.sqrt(0.5))(transform.transform.rotation)


BROKEN = {
    "no calibration of the camera": (
        dropped("/camera_info"),
        "has no camera_info that can be used",
    ),
    "no frames": (dropped("/tf_static"), "has no tf_static"),
    "no sensors": (dropped("/image_raw", "/scan"), "has neither images nor scans nor clouds"),
    "uncalibrated": (only("/camera_info", put(k=np.zeros(9))), "k is all 0, expected a calibrated"),
    "a lens without a name": (
        only("/camera_info", put(d=np.full(4, 0.1), distortion_model="")),
        "which both plumb_bob and equidistant have",
    ),
    "a fisheye of another kind": (
        only("/camera_info", put(d=np.ones(2), distortion_model="mei")),
        "distortion_model is 'mei'",
    ),
    "scaled images": (
        only("/camera_info", put(width=320, height=192)),
        "/image_raw: images are 160x96 px, but the intrinsics are for 320x192: the images are "
        "scaled by 0.5",
    ),
    "a frame that nothing joins": (
        only("/image_raw", put(header__frame_id="eye")),
        "no extrinsics from 'lidar' to 'eye'",
    ),
    "images of no frame": (
        only("/image_raw", put(header__frame_id="")),
        "header.frame_id is empty on /image_raw, expected the frame of the sensor; name it with "
        "--set calibration.camera_frame=FRAME",
    ),
    "scans of no frame": (
        only("/scan", put(header__frame_id="")),
        "header.frame_id is empty on /scan",
    ),
    "a loop of frames": (
        only("/tf_static", lambda msg: put(header__frame_id="camera_optical")(msg.transforms[0])),
        "no extrinsics from 'lidar' to 'base_link' (base) in tf_static",
    ),
    "a body frame": (
        only("/image_raw", put(header__frame_id="lidar")),
        "images are in the frame 'lidar': the camera looks up by 90 degrees",
    ),
    "two cameras": (
        twice("/image_raw", "/left/image_raw"),
        "could each be the image topic; choose one: --topic image=/image_raw",
    ),
    "two odometries": (twice("/odom", "/vio/odom"), "choose one: --topic odom=/odom"),
    "images of no encoding": (
        only("/image_raw", put(encoding="16UC1")),
        "none of 3 looked at on /image_raw can be used: encoding is '16UC1'",
    ),
    "scans of one beam alone": (
        lambda name, msg: [] if name == "/image_raw" else ONE_BEAM(name, msg),
        "looked at on /scan can be used: ",
    ),
    "a LiDAR that is tilted too far": (
        only("/tf_static", lambda msg: tilt(msg, "lidar")),
        "the LiDAR is tilted by 90.0 degrees against the ground, expected at most 10",
    ),
}


@pytest.mark.usefixtures("no_graph")
@pytest.mark.parametrize("name", BROKEN)
def test_what_perceive_refuses_a_bag_for_info_says_in_the_same_words(
    name, rewritten, tmp_path, capsys
):
    change, fault = BROKEN[name]
    path = rewritten(change)
    refusals = set()
    for play in (perceive_bag, perceive_directly):
        with pytest.raises(BagError) as refused:
            play(path, tmp_path / "out", PerceiveOptions())
        refusals.add(str(refused.value))
    assert len(refusals) == 1
    assert fault in refusals.pop()
    assert not (tmp_path / "out").exists()
    assert main(["info", str(path)]) == 0
    text = capsys.readouterr().out
    assert f"perceive refuses this bag: {path}" in text or "perceive refuses this bag: /" in text
    assert fault in text
    assert "ready" not in text


def cut(topic, every):
    """Change that keeps the first four bytes of some messages of a topic."""
    count = iter(range(10**6))

    def changed(name, msg):
        is_cut = name == topic and next(count) % every == 0
        return [(name, b"\0\1\0\0" if is_cut else msg)]

    return changed


def test_some_broken_messages_are_told_and_the_others_are_perceived(
    rewritten, parameters, tmp_path, capsys, caplog
):
    path = rewritten(cut("/scan", 3))
    assert main(["info", str(path)]) == 0
    text = capsys.readouterr().out
    assert "looked at on /scan cannot be used" in text
    assert "ready: conegrad perceive" in text
    options = PerceiveOptions(parameters=parameters)
    assert perceive_directly(path, tmp_path / "out", options) > 0
    assert "skipped a message" in caplog.text
    assert "messages on /scan do not fit their type and were skipped" in caplog.text


def test_a_camera_of_nothing_but_broken_messages_is_refused(rewritten, tmp_path):
    path = rewritten(cut("/image_raw", 1))
    with pytest.raises(BagError, match=r"looked at on /image_raw can be used: .*image=none"):
        perceive_directly(path, tmp_path / "out", PerceiveOptions())


def test_beside_a_lidar_of_nothing_but_broken_messages_the_camera_gives_cones(
    rewritten, parameters, tmp_path, caplog
):
    path = rewritten(cut("/scan", 1))
    options = PerceiveOptions(parameters=parameters)
    assert perceive_directly(path, tmp_path / "out", options) > 0
    assert "looked at on /scan can be used: " in caplog.text
    assert "cones come from the camera alone" in caplog.text


def test_a_transform_that_cannot_be_used_is_told_and_the_others_count(rewritten, capsys):
    def with_a_wheel(name, msg):
        if name == "/tf_static":
            wheel = copy.deepcopy(msg.transforms[0])
            wheel.child_frame_id, wheel.transform.translation.x = "wheel", float("nan")
            msg.transforms = [*msg.transforms, wheel]
        return [(name, msg)]

    assert main(["info", str(rewritten(with_a_wheel))]) == 0
    text = capsys.readouterr().out
    assert "/tf_static: skipped the transform from wheel to base_link" in text
    assert "ready: conegrad perceive" in text


def test_a_transform_that_closes_a_loop_is_told_beside_the_refusal(rewritten, tmp_path, caplog):
    change, fault = BROKEN["a loop of frames"]
    with pytest.raises(BagError, match=re.escape(fault)):
        perceive_directly(rewritten(change), tmp_path / "out", PerceiveOptions())
    assert "it closes a loop of frames, child to parent: camera_optical -> lidar" in caplog.text


def test_a_sensor_that_only_its_driver_can_read_is_named(drive, tmp_path, capsys):
    path = tmp_path / "bag"
    with BagReader(drive) as source, BagWriter(path) as writer:
        for raw in source.raw_messages([name for name in source.topics if name != "/scan"]):
            writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
        echoes = source.typestore.types["sensor_msgs/msg/LaserEcho"](np.ones(1, np.float32))
        fields = {"range_min": 0.1, "range_max": 9.0, "ranges": [echoes], "intensities": [echoes]}
        angles = {"angle_min": 0.0, "angle_max": 0.0, "angle_increment": 0.1}
        msg = messages.make(
            ECHOES,
            header=messages.header_msg(1, "lidar"),
            **angles,
            time_increment=0.0,
            scan_time=0.1,
            **fields,
        )
        writer.write("/echoes", ECHOES, source.end_ns, msg)
    assert main(["info", str(path)]) == 0
    assert f"/echoes is {ECHOES}" in capsys.readouterr().out


USABLE = {
    "as it is": (lambda name, msg: [(name, msg)], [], ""),
    "another namespace": (renamed(image_raw="/a/image_raw", camera_info="/a/camera_info"), [], ""),
    "rectified": (
        renamed(image_raw="/image_rect"),
        [],
        "",
    ),
    "true odometry beside it": (
        twice("/odom", "/truth/odom"),
        [],
        "/truth/odom is truth and is not used as odom",
    ),
    "one of two cameras": (
        twice("/image_raw", "/left/image_raw"),
        ["--topic", "image=/image_raw"],
        "",
    ),
    "a preset for what is missing": (
        dropped("/tf_static"),
        ["--vehicle", "formula_student"],
        "",
    ),
    "scans of which none can be used, beside images": (
        ONE_BEAM,
        [],
        "none of 4 looked at on /scan",
    ),
    "no LiDAR": (dropped("/scan"), [], "no LiDAR"),
    "odometry of another body": (
        only("/odom", put(child_frame_id="lidar")),
        [],
        "child_frame_id is 'lidar', its poses are moved to base_link",
    ),
    "odometry of a body that is not known": (
        only("/odom", put(child_frame_id="imu")),
        [],
        "child_frame_id is 'imu', whose place on the car is not known",
    ),
    "odometry of no body": (
        only("/odom", put(child_frame_id="")),
        [],
        "child_frame_id is empty, taken as base_link",
    ),
    "odometry of which some cannot be used": (
        only("/odom", put(pose__pose__position__x=float("nan"))),
        [],
        "WARNING",
    ),
}


@pytest.mark.parametrize("name", USABLE)
def test_what_info_calls_ready_perceive_takes(name, rewritten, parameters, tmp_path, capsys):
    change, options, told = USABLE[name]
    path = rewritten(change)
    assert main(["info", str(path), *options]) == 0
    text = capsys.readouterr().out
    assert "ready: conegrad perceive" in text
    assert told in text
    words = [f"--set={key}={value}" for key, value in parameters.items()]
    command = ["perceive", str(path), "-o", str(tmp_path / "out"), "--direct", *options, *words]
    assert main(command) == 0, capsys.readouterr().err


def first(topic, count, change):
    """Change the first messages of a topic; None leaves them out."""
    left = iter(range(count))

    def changed(name, msg):
        if name != topic or next(left, None) is None:
            return [(name, msg)]
        if change is None:
            return []
        change(msg)
        return [(name, msg)]

    return changed


@pytest.mark.parametrize(
    "change", [None, put(k=np.zeros(9))], ids=["comes late", "not calibrated at first"]
)
def test_a_camera_info_that_comes_later_serves_for_the_images_before_it(
    change, rewritten, parameters, tmp_path, capsys, caplog
):
    path = rewritten(first("/camera_info", 3, change))
    told = "on /camera_info that can be used comes 0.3 s after the first image"
    assert main(["info", str(path)]) == 0
    text = capsys.readouterr().out
    assert told in text
    assert "ready: conegrad perceive" in text
    options = PerceiveOptions(parameters=parameters)
    assert perceive_directly(path, tmp_path / "out", options) == 6
    assert told in caplog.text
