"""Faults change the messages of their sensor, by known amounts, and no others."""

import numpy as np
import pytest

from conegrad_core.geometry.calibration import Calibration
from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags.messages import compressed_image_msg, image_msg, make, scan_msg
from conegrad_data.bags.types import default_typestore
from conegrad_data.decode import image_from_msg, read_header, scan_from_msg
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.disturbances.message_fault import LiveMessage, MessageFault

VEHICLE = load_vehicle("formula_student")
CALIBRATION = Calibration(VEHICLE.camera.model(), VEHICLE.camera_from_lidar(), VEHICLE.lidar_height)
SECOND = 1_000_000_000
STORE = default_typestore()
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


def picture(value=100):
    size = (CALIBRATION.camera.height, CALIBRATION.camera.width, 3)
    return np.full(size, value, dtype=np.uint8)


def image(stamp=5.0, pixels=None):
    msg = image_msg(round(stamp * SECOND), "camera", picture() if pixels is None else pixels)
    return LiveMessage("image", IMAGE, bytes(STORE.serialize_cdr(msg, IMAGE)))


def scan(stamp=5.0):
    msg = scan_msg(
        round(stamp * SECOND), "lidar", np.full(181, 4.0), angle_min=-1.57, angle_increment=0.01745,
        range_min=0.05, range_max=30.0, scan_time=0.025,
    )  # fmt: skip
    msgtype = "sensor_msgs/msg/LaserScan"
    return LiveMessage("scan", msgtype, bytes(STORE.serialize_cdr(msg, msgtype)))


def odometry(x, stamp=5.0):
    zero = {"x": 0.0, "y": 0.0, "z": 0.0}
    point = make("geometry_msgs/msg/Point", **{**zero, "x": x})
    turn = make("geometry_msgs/msg/Quaternion", **zero, w=1.0)
    pose = make("geometry_msgs/msg/Pose", position=point, orientation=turn)
    vector = make("geometry_msgs/msg/Vector3", **zero)
    twist = make("geometry_msgs/msg/Twist", linear=vector, angular=vector)
    time = make("builtin_interfaces/msg/Time", sec=round(stamp), nanosec=0)
    msg = make(
        "nav_msgs/msg/Odometry",
        header=make("std_msgs/msg/Header", stamp=time, frame_id="odom"),
        child_frame_id="base",
        pose=make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=np.zeros(36)),
        twist=make("geometry_msgs/msg/TwistWithCovariance", twist=twist, covariance=np.zeros(36)),
    )
    msgtype = "nav_msgs/msg/Odometry"
    return LiveMessage("odom", msgtype, bytes(STORE.serialize_cdr(msg, msgtype)))


def fault(text, calibration=CALIBRATION):
    return MessageFault(read_fault(text, seed=3), 2.0, calibration)


def stamps(acting, messages):
    """Delay and stamp of what is sent, of messages each 0.1 s."""
    sent = [acting.sent(message, 0.1 * k) for k, message in enumerate(messages)]
    return [[(delay, read_header(data).stamp_ns / SECOND) for delay, data in one] for one in sent]


IMAGES = [image(5.0 + 0.1 * k) for k in range(8)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("camera_slow:1", [[(0, 5)], [], [(0, 5.2)], []], id="every second one"),
        pytest.param(
            "camera_doubled:3", [[(0, 5 + k / 10), (0.001, 5 + k / 10)] for k in range(4)],
            id="each twice",
        ),
        pytest.param(
            "camera_delayed:2", [[(0.6, 5 + k / 10)] for k in range(4)], id="stamps stay"
        ),
        pytest.param("camera_time_jump:2", [[(0, 7 + k / 10)] for k in range(4)], id="2 s ahead"),
        pytest.param("camera_late:3", [[(0, 5.1 + k / 10)] for k in range(4)], id="0.1 s late"),
        pytest.param("no_image:1", [[], [], [], []], id="no image"),
    ],
)  # fmt: skip
def test_what_is_sent_in_place_of_images_follows_from_the_fault(text, expected):
    found = stamps(fault(text), IMAGES[:4])
    for one, two in zip(found, expected, strict=True):
        assert np.ravel(one) == pytest.approx(np.ravel(two))


def test_a_share_of_messages_is_overtaken_by_those_behind_them():
    found = stamps(fault("camera_out_of_order:share=0.5"), [image()] * 40)
    delays = [delay for ((delay, _),) in found]
    assert set(delays) == {0.0, 0.25}
    assert 10 < delays.count(0.25) < 30


def test_a_frozen_camera_repeats_the_first_picture_under_new_stamps():
    acting = fault("camera_frozen:3")
    acting.sent(image(5.0, picture(40)), 0.0)
    ((_, data),) = acting.sent(image(5.1, picture(90)), 0.1)
    assert read_header(data).stamp_ns == 5_100_000_000
    assert image_from_msg(STORE.deserialize_cdr(data, IMAGE)).max() == 40


def test_a_frozen_scan_is_renewed_after_the_time_of_the_fault():
    acting = fault("lidar_frozen:seconds=0.2")
    first = [acting.sent(scan(5 + k / 10), 0.1 * k)[0][1] for k in range(4)]
    contents = [data[12:] for data in first]  # without the stamp
    assert contents[0] == contents[1]
    assert [read_header(data).stamp_ns for data in first] == [
        round(5e9 + k * 1e8) for k in range(4)
    ]


def test_the_damage_of_images_and_scans_is_that_of_samples():
    ((_, data),) = fault("image_darkness:light=0.5,noise=0").sent(image(), 0.0)
    assert image_from_msg(STORE.deserialize_cdr(data, IMAGE)).mean() == pytest.approx(50)
    message = scan()
    ((_, data),) = fault("scan_blocked_sector:width=60").sent(message, 0.0)
    found = scan_from_msg(STORE.deserialize_cdr(data, message.msgtype))
    assert 59 <= int(found.ranges.isnan().sum()) <= 61
    assert float(found.ranges.nan_to_num(4.0).min()) == 4.0


def test_a_compressed_image_stays_compressed():
    import cv2

    _, png = cv2.imencode(".png", picture())
    msg = compressed_image_msg(5 * SECOND, "camera", png.tobytes(), "png")
    message = LiveMessage("image", COMPRESSED, bytes(STORE.serialize_cdr(msg, COMPRESSED)))
    ((_, data),) = fault("image_darkness:light=0.5,noise=0").sent(message, 0.0)
    found = STORE.deserialize_cdr(data, COMPRESSED)
    assert found.format == "jpeg"
    assert image_from_msg(found).mean() == pytest.approx(50, abs=1)


def test_a_camera_turned_to_the_left_sees_the_world_further_to_the_right():
    pixels = picture(0)
    column = CALIBRATION.camera.width // 2
    pixels[:, column - 2 : column + 3] = 255
    ((_, data),) = fault("camera_yaw:degrees=2").sent(image(pixels=pixels), 0.0)
    seen = image_from_msg(STORE.deserialize_cdr(data, IMAGE))[..., 0].mean(axis=0)
    shift = float((seen * np.arange(len(seen))).sum() / seen.sum()) - column
    focal = float(CALIBRATION.camera.intrinsics[0, 0])
    assert shift == pytest.approx(focal * np.tan(np.radians(2)), abs=1.5)


def test_a_mounting_that_gives_way_turns_the_camera_more_and_more():
    pixels = picture(0)
    pixels[300:, :500] = 255
    acting, intact = fault("camera_drifting:3"), image(pixels=pixels)
    changes = []
    for since in (0.0, 1.0, 2.0):
        ((_, data),) = acting.sent(intact, since)
        seen = image_from_msg(STORE.deserialize_cdr(data, IMAGE)).astype(int)
        changes.append(np.abs(seen - pixels).mean())
    assert changes[0] == pytest.approx(0.0, abs=0.01)
    assert changes[0] < changes[1] < changes[2]


def test_wheels_that_slip_stretch_the_way_since_the_begin_of_the_fault():
    acting = fault("odometry_slip:3")
    xs = []
    for x in (10.0, 11.0, 12.5):
        message = odometry(x)
        ((_, data),) = acting.sent(message, 0.0)
        xs.append(STORE.deserialize_cdr(data, message.msgtype).pose.pose.position.x)
    assert xs == [10.0, 12.0, 15.0]


@pytest.mark.parametrize("text", ["camera_slow", "image_fog", "camera_yaw", "camera_late"])
def test_messages_of_other_sensors_pass_as_they_are(text):
    for message in (scan(), odometry(1.0)):
        assert fault(text).sent(message, 0.5) == [(0.0, message.data)]


def test_what_messages_cannot_show_is_refused():
    with pytest.raises(ValueError, match="moves the camera, which no change of its picture shows"):
        fault("camera_moved")
    with pytest.raises(ValueError, match="needs the calibration"):
        fault("camera_yaw", None)
    with pytest.raises(ValueError, match="acts on planar scans, and points are clouds"):
        fault("scan_fog").sent(LiveMessage("points", "sensor_msgs/msg/PointCloud2", b""), 0.0)
