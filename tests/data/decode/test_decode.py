"""Messages to containers: live ones, ones of a bag, and ones that cannot be used."""

import struct
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.cones import ConeClass
from conegrad_data.bags.types import default_typestore
from conegrad_data.decode import (
    DecodeError,
    camera_model_from_msg,
    cones_from_msg,
    detections_from_msg,
    from_content,
    image_from_msg,
    points_from_msg,
    pose_from_msg,
    scan_from_msg,
    scan_warnings,
    segmentation_from_msg,
    stamp_ns_from_msg,
    truth_from_msg,
)

RED, GREY = (200, 30, 10), 90
ROOM = 5  # bytes of padding at the end of each row


def raw(encoding, rows, big=False):
    """An image message of ``(height, bytes)`` rows, padded."""
    padded = np.pad(np.asarray(rows, dtype=np.uint8), ((0, 0), (0, ROOM)), constant_values=77)
    return SimpleNamespace(
        encoding=encoding, height=0, width=0, is_bigendian=big, step=padded.shape[1],
        data=padded.tobytes(),
    )  # fmt: skip


def picture(encoding, pixel, big=False, size=(4, 6)):
    """An image of one colour, ``pixel`` being the bytes of one pixel."""
    msg = raw(encoding, np.tile(np.array(pixel, dtype=np.uint8), (size[0], size[1])), big)
    msg.height, msg.width = size
    return msg


@pytest.mark.parametrize(
    ("encoding", "pixel", "big", "colour"),
    [
        ("rgb8", RED, False, RED),
        ("bgr8", RED[::-1], False, RED),
        ("rgba8", (*RED, 255), False, RED),
        ("bgra8", (*RED[::-1], 255), False, RED),
        ("mono8", (GREY,), False, (GREY,) * 3),
        ("mono16", (1, GREY), False, (GREY,) * 3),
        ("mono16", (GREY, 1), True, (GREY,) * 3),
        ("rgb16", (1, 200, 1, 30, 1, 10), False, RED),
        ("bgr16", (10, 1, 30, 1, 200, 1), True, RED),
        ("rgba16", (0, 200, 0, 30, 0, 10, 0, 0), False, RED),
        ("bgra16", (0, 10, 0, 30, 0, 200, 0, 0), False, RED),
        ("bayer_rggb8", (GREY,), False, (GREY,) * 3),
        ("uyvy", (128, 128), False, (130, 130, 130)),
        ("yuyv", (128, 128), False, (130, 130, 130)),
    ],
)
def test_every_encoding_gives_the_colour_without_the_padding(encoding, pixel, big, colour):
    image = image_from_msg(picture(encoding, pixel, big))
    assert image.shape == (4, 6, 3)
    np.testing.assert_array_equal(image, np.broadcast_to(np.array(colour), (4, 6, 3)))


@pytest.mark.parametrize(
    ("pattern", "first_rows"),
    [("rggb", "rg"), ("bggr", "bg"), ("gbrg", "gb"), ("grbg", "gr")],
)
def test_bayer_patterns_are_named_by_their_first_two_pixels(pattern, first_rows):
    assert pattern.startswith(first_rows)
    of = dict(zip("rgb", RED, strict=True))
    cell = np.array([of[letter] for letter in pattern], dtype=np.uint8).reshape(2, 2)
    msg = raw(f"bayer_{pattern}8", np.tile(cell, (4, 4)))
    msg.height, msg.width = 8, 8
    np.testing.assert_array_equal(image_from_msg(msg)[3:5, 3:5], np.full((2, 2, 3), RED))


@pytest.mark.parametrize(("encoding", "chroma"), [("nv12", (90, 240)), ("nv21", (240, 90))])
def test_planar_encodings_have_their_colour_after_the_luminance(encoding, chroma):
    luminance = np.full((4, 6), 81)
    msg = raw(encoding, np.vstack([luminance, np.tile(chroma, (2, 3))]))
    msg.height, msg.width = 4, 6
    red, green, blue = image_from_msg(msg)[1, 1].tolist()
    assert red > 240  # (81, 90, 240) is pure red in BT.601
    assert max(green, blue) < 15


@pytest.mark.parametrize("suffix", ["jpeg", "png"])
def test_compressed_images_come_out_as_rgb(suffix):
    pixels = np.full((16, 32, 3), RED, dtype=np.uint8)
    data = cv2.imencode("." + suffix, pixels[..., ::-1])[1].tobytes()
    image = image_from_msg(SimpleNamespace(format=f"bgr8; {suffix} compressed bgr8", data=data))
    assert image.shape == (16, 32, 3)
    assert np.abs(image.astype(int) - RED).max() <= 3


@pytest.mark.parametrize(
    ("msg", "reason"),
    [
        (picture("8UC3", RED), "encoding is '8UC3', expected one of rgb8"),
        (SimpleNamespace(width=0, height=4, encoding="rgb8"), "the image is 0x4 px"),
        (SimpleNamespace(**{**vars(picture("rgb8", RED)), "step": 10}), "step is 10"),
        (SimpleNamespace(**{**vars(picture("rgb8", RED)), "data": b"123"}), "data has 3 bytes"),
        (SimpleNamespace(format="jpeg", data=b"no jpeg"), "is not an image"),
        (SimpleNamespace(format="jpeg", data=b""), "data has 0 bytes"),
        (SimpleNamespace(format="16UC1; compressedDepth", data=b"x"), "of a colour image"),
    ],
)
def test_images_that_cannot_be_used_are_refused_with_the_reason(msg, reason):
    with pytest.raises(DecodeError, match=reason):
        image_from_msg(msg)


def test_a_compressed_image_that_claims_to_be_huge_is_refused():
    data = bytearray(cv2.imencode(".png", np.zeros((4, 4, 3), dtype=np.uint8))[1].tobytes())
    data[16:24] = struct.pack(">II", 200_000, 200_000)  # width and height in the header
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(DecodeError, match="the image is 200000x200000 px"):
        image_from_msg(SimpleNamespace(format="png", data=bytes(data)))


def laser(**fields):
    values = {
        "angle_min": -0.1, "angle_increment": 0.1, "range_min": 0.5, "range_max": 30.0,
        "ranges": [1.0, 2.0, 3.0], "time_increment": 0.0, "scan_time": 0.0,
    }  # fmt: skip
    msg = SimpleNamespace(**{**values, **fields})
    if "angle_max" not in fields:
        msg.angle_max = msg.angle_min + msg.angle_increment * (len(msg.ranges) - 1)
    return msg


def test_readings_without_meaning_become_nan():
    ranges = [np.nan, np.inf, -np.inf, 0.0, -1.0, 0.4, 0.5, 29.9, 30.5]
    scan = scan_from_msg(laser(ranges=ranges))
    assert torch.isfinite(scan.ranges).tolist() == [False] * 6 + [True, True, False]
    torch.testing.assert_close(scan.angles[:3], torch.tensor([-0.1, 0.0, 0.1]))


def test_beams_have_the_times_at_which_they_were_measured():
    assert scan_from_msg(laser()).times is None
    times = scan_from_msg(laser(time_increment=0.01)).times
    torch.testing.assert_close(times, torch.tensor([0.0, 0.01, 0.02]))
    clockwise = scan_from_msg(laser(angle_min=0.1, angle_increment=-0.1, time_increment=0.01))
    torch.testing.assert_close(clockwise.times, torch.tensor([0.02, 0.01, 0.0]))
    contradictory = laser(time_increment=0.01, scan_time=0.001)
    assert scan_from_msg(contradictory).times is None
    assert "scan_time is 0.001 s" in scan_warnings(contradictory)[0]


def test_a_scan_that_runs_clockwise_is_turned_round():
    scan = scan_from_msg(laser(angle_min=0.1, angle_increment=-0.1))
    torch.testing.assert_close(scan.ranges, torch.tensor([3.0, 2.0, 1.0]))
    torch.testing.assert_close(scan.angles, torch.tensor([-0.1, 0.0, 0.1]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ranges": [1.0]}, "ranges has 1 values"),
        ({"angle_increment": 0.0}, "angle_increment is 0.0"),
        ({"angle_min": np.nan}, "angle_min is nan"),
        ({"range_max": 0.5}, "range_max is 0.5"),
        ({"angle_increment": 90.0, "ranges": [1.0] * 5}, "a view of 360.0 rad.*degrees"),
        ({"angle_min": -135.0}, "angle_min is -135, expected"),
    ],
)
def test_scans_that_cannot_be_used_are_refused_with_the_reason(fields, reason):
    with pytest.raises(DecodeError, match=reason):
        scan_from_msg(laser(**fields))


FULL_VIEW = {"angle_min": -2.35, "angle_max": 2.35, "angle_increment": 0.01}  # 471 beams


@pytest.mark.parametrize(
    ("fields", "beams", "reason"),
    [
        pytest.param({}, 236, "ranges has 236 beams, but .* make 471", id="every second beam"),
        pytest.param({}, 371, "ranges has 371 beams", id="cropped, angles forgotten"),
        pytest.param({}, 473, "ranges has 473 beams", id="two beams more"),
        pytest.param({"angle_increment": -0.01}, 471, "leads away from angle_max", id="sign"),
        pytest.param({"angle_increment": 0.02}, 236, None, id="thinned with its increment"),
        pytest.param({}, 470, None, id="the last beam is not counted"),
        pytest.param({}, 472, None, id="one beam more"),
        pytest.param({"angle_max": np.nan}, 300, None, id="angle_max is not set: NaN"),
        pytest.param({"angle_max": 0.0}, 300, None, id="angle_max is not set: 0"),
        pytest.param({"angle_min": 2.0, "angle_max": -2.0}, 229, None, id="a view across the rear"),
    ],
)
def test_the_number_of_beams_must_fit_the_angles(fields, beams, reason):
    msg = laser(**{**FULL_VIEW, **fields, "ranges": np.ones(beams)})
    if reason is None:
        assert len(scan_from_msg(msg).ranges) == beams
        return
    with pytest.raises(DecodeError, match=reason):
        scan_from_msg(msg)


@pytest.mark.parametrize("mark", [12.0, np.float32(11.999999), 12.01, 65.533, 0.0, np.inf])
def test_what_drivers_write_where_nothing_came_back_is_no_return(mark):
    ranges = np.full(471, mark, dtype=np.float32)
    ranges[100] = 11.9
    msg = laser(**FULL_VIEW, range_max=12.0, ranges=ranges)
    assert torch.isfinite(scan_from_msg(msg).ranges).nonzero().tolist() == [[100]]
    assert scan_warnings(msg) == []


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"angle_max": np.nan}, "angle_max is nan and counts as not set"),
        ({"angle_max": 0.0}, "angle_max is 0.0 and counts as not set"),
        ({"range_min": 20.0}, "all readings are below range_min, 20 m, at most 9.7"),
        ({"range_max": 1.5}, "all readings are above range_max, 1.5 m, up to 9.7"),
        ({"ranges": np.minimum(np.linspace(5, 9.7, 471), 9.0)}, "71 of 471 beams read 9 m"),
    ],
)
def test_a_scan_that_is_probably_wrong_is_told(fields, warning):
    msg = laser(**{**FULL_VIEW, "ranges": np.linspace(5, 9.7, 471), **fields})
    assert [warning in found for found in scan_warnings(msg)] == [True]


def test_a_plain_scan_gives_no_doubts():
    nothing = np.full(471, np.inf)
    for ranges in (np.linspace(5, 9.7, 471), nothing, np.full(471, 30.0), np.full(471, 30.1)):
        assert scan_warnings(laser(**FULL_VIEW, ranges=ranges)) == []


def test_a_scan_of_one_turn_and_a_repeated_beam_is_taken():
    scan = scan_from_msg(laser(angle_increment=2 * np.pi / 360, ranges=[1.0] * 362))
    assert len(scan.ranges) == 362


@pytest.mark.parametrize("order", ["<", ">"])
def test_points_of_any_layout_and_byte_order(order):
    layout = np.dtype({
        "names": ["z", "x", "ring", "y"], "formats": [f"{order}f4", f"{order}f4", f"{order}u2",
        f"{order}f8"], "offsets": [0, 4, 8, 16], "itemsize": 24,
    })  # fmt: skip
    points = np.zeros((2, 2), dtype=layout)
    points["x"], points["y"], points["ring"] = [[1, 2], [3, np.nan]], 5, [[0, 1], [2, 3]]
    rows = np.pad(points.view(np.uint8).reshape(2, 48), ((0, 0), (0, ROOM)))
    numbers = {"f4": 7, "u2": 4, "f8": 8}
    fields = [
        SimpleNamespace(name=n, offset=layout.fields[n][1], count=1,
                        datatype=numbers[layout.fields[n][0].str[1:]])
        for n in layout.names
    ]  # fmt: skip
    cloud = points_from_msg(
        SimpleNamespace(height=2, width=2, point_step=24, row_step=48 + ROOM, fields=fields,
                        is_bigendian=order == ">", data=rows.tobytes())
    )  # fmt: skip
    torch.testing.assert_close(
        cloud.points, torch.tensor([[1.0, 5.0, 0.0], [2.0, 5.0, 0.0], [3.0, 5.0, 0.0]])
    )
    assert cloud.rings.tolist() == [0, 1, 2]


def field(name, offset, datatype=7):
    return SimpleNamespace(name=name, offset=offset, count=1, datatype=datatype)


def cloud(**fields):
    """One point at the origin."""
    values = {
        "height": 1, "width": 1, "point_step": 12, "row_step": 12, "is_bigendian": False,
        "fields": [field("x", 0), field("y", 4), field("z", 8)], "data": bytes(12),
    }  # fmt: skip
    return SimpleNamespace(**{**values, **fields})


def test_a_cloud_without_points_is_empty():
    assert points_from_msg(cloud()).points.shape == (1, 3)
    assert points_from_msg(cloud(width=0, row_step=0, data=b"")).points.shape == (0, 3)


@pytest.mark.parametrize(
    ("row_step", "padding"),
    [
        pytest.param(0, (0, 0), id="not set"),
        pytest.param(96, (0, 0), id="of the whole cloud"),
        pytest.param(16, (0, 0), id="of one point"),
        pytest.param(52, (4, 4), id="padded rows"),
        pytest.param(52, (4, 0), id="padded rows but the last"),
        pytest.param(48, (0, 8), id="bytes behind the last row"),
    ],
)
def test_points_are_found_whatever_the_row_step_of_their_driver(row_step, padding):
    points = np.arange(24, dtype="<f4").reshape(2, 3, 4)  # x, y, z and four bytes of padding
    data = b"".join(r.tobytes() + bytes(n) for r, n in zip(points, padding, strict=True))
    msg = cloud(height=2, width=3, point_step=16, row_step=row_step, data=data)
    np.testing.assert_array_equal(points_from_msg(msg).points, points[..., :3].reshape(6, 3))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"width": 2, "row_step": 0}, "data has 12 bytes and row_step is 0, expected 1 rows of 24"),
        ({"height": 0}, "data has 12 bytes, expected none for 0 rows of 1 points"),
        ({"fields": [field("x", 0), field("y", 4)]}, "expected x, y and z"),
        ({"fields": [field("x", 0), field("y", 4), field("z", 10)]}, "do not fit a point_step"),
        ({"fields": [field("x", 0), field("x", 4)]}, "already used"),
        ({"point_step": 0}, "do not fit a point_step of 0"),
        ({"data": bytes(11)}, "data has 11 bytes"),
        ({"fields": [SimpleNamespace(name="x", offset=0, count=1, datatype=99)]}, "datatype 99"),
    ],
)
def test_clouds_that_cannot_be_used_are_refused_with_the_reason(fields, reason):
    with pytest.raises(DecodeError, match=reason):
        points_from_msg(cloud(**fields))


def region(x, y, width, height):
    msgtype = "sensor_msgs/msg/RegionOfInterest"
    return default_typestore().types[msgtype](x, y, height, width, False)


def camera_info(**fields):
    values = {
        "width": 640, "height": 480, "distortion_model": "plumb_bob", "binning_x": 0,
        "binning_y": 0, "roi": region(0, 0, 0, 0), "d": np.zeros(5),
        "k": np.array([500.0, 0, 320, 0, 501, 240, 0, 0, 1]),
        "p": np.array([400.0, 0, 300, 0, 0, 401, 250, 0, 0, 0, 1, 0]),
    }  # fmt: skip
    return SimpleNamespace(**{**values, **fields})


def test_camera_info_of_a_bag_and_live_alike():
    model = camera_model_from_msg(camera_info())
    assert (model.width, model.height, model.distortion_model) == (640, 480, "plumb_bob")
    torch.testing.assert_close(model.intrinsics.diagonal(), torch.tensor([500.0, 501.0, 1.0]))


def test_camera_info_without_coefficients_is_a_camera_without_distortion():
    model = camera_model_from_msg(camera_info(d=np.zeros(0)))
    assert model.distortion_model == "none"


def test_rectified_images_have_the_matrix_p_and_no_distortion():
    bent = camera_info(d=np.array([-0.3, 0.1, 0.0, 0.0, 0.0]))
    raw, rectified = (camera_model_from_msg(bent, rectified=it) for it in (False, True))
    assert (raw.distortion_model, raw.intrinsics[0, 2]) == ("plumb_bob", 320.0)
    assert (rectified.distortion_model, len(rectified.distortion)) == ("none", 0)
    assert rectified.intrinsics.tolist() == [[400.0, 0, 300], [0, 401, 250], [0, 0, 1]]


def test_rectified_images_without_p_are_refused():
    with pytest.raises(DecodeError, match="p is all 0, which belongs to rectified images"):
        camera_model_from_msg(camera_info(p=np.zeros(12)), rectified=True)


def test_a_binned_part_of_the_image_has_the_intrinsics_of_its_own_pixels():
    info = camera_info(roi=region(100, 40, 400, 300), binning_x=2, binning_y=2)
    model = camera_model_from_msg(info)
    assert (model.width, model.height) == (200, 150)
    full = camera_model_from_msg(camera_info())
    ray = torch.tensor([0.1, -0.2, 1.0])
    pixel, part = (m.intrinsics @ ray for m in (full, model))
    torch.testing.assert_close(part[:2], (pixel[:2] - torch.tensor([100.0, 40.0])) / 2)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"k": np.zeros(9)}, "expected a calibrated camera"),
        ({"k": np.array([-500.0, 0, 320, 0, 501, 240, 0, 0, 1])}, "focal lengths -500 and 501"),
        ({"k": np.array([500.0, 0, 320, 9, 501, 240, 0, 0, 1])}, r"expected rows \(fx, skew, cx"),
        ({"roi": region(600, 0, 100, 100)}, r"roi is 100x100 px at \(600, 0\), expected it with"),
        ({"d": np.ones(5), "distortion_model": "fish"}, "fish"),
        ({"d": np.ones(4), "distortion_model": ""}, "which both plumb_bob and equidistant have"),
        ({"k": np.array([500.0, 0, np.nan, 0, 501, 240, 0, 0, 1])}, "intrinsics are .*nan"),
        ({"d": np.full(5, np.nan)}, "distortion is .*nan"),
        ({"width": 0}, "image size is 0x480"),
    ],
)
def test_camera_info_that_cannot_be_used_is_refused(fields, reason):
    with pytest.raises(DecodeError, match=reason):
        camera_model_from_msg(camera_info(**fields))


def test_odometry_gives_the_planar_pose():
    point = SimpleNamespace(x=1.0, y=2.0, z=3.0)
    half = np.sqrt(0.5)
    left = SimpleNamespace(x=0.0, y=0.0, z=half, w=half)  # 90 degrees to the left
    inner = SimpleNamespace(position=point, orientation=left)
    pose = pose_from_msg(SimpleNamespace(pose=SimpleNamespace(pose=inner)))
    assert pose == pytest.approx((1.0, 2.0, np.pi / 2))


@pytest.mark.parametrize(
    ("x", "w", "reason"),
    [(np.nan, 1.0, r"is \(nan, 2.0"), (1.0, 0.0, r"orientation is \(0, 0, 0, 0\)")],
)
def test_odometry_that_cannot_be_used_is_refused(x, w, reason):
    inner = SimpleNamespace(
        position=SimpleNamespace(x=x, y=2.0, z=0.0),
        orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=w),
    )
    with pytest.raises(DecodeError, match=reason):
        pose_from_msg(SimpleNamespace(pose=SimpleNamespace(pose=inner)))


def test_stamps_are_exact_to_the_nanosecond():
    stamp = SimpleNamespace(sec=1_700_000_000, nanosec=123_456_789)
    assert stamp_ns_from_msg(stamp) == 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"logits": [0.0, np.nan]}, "a logit is not finite"),
        ({"logits": [0.0]}, "ranges has 2 and logits 1"),
        ({"angle_increment": 0.0}, "angle_increment is 0.0"),
    ],
)
def test_segmentations_that_cannot_be_used_are_refused(fields, reason):
    values = {"angle_min": 0.0, "angle_increment": 0.1, "ranges": [1.0, np.inf], "logits": [0, 1]}
    segmented = segmentation_from_msg(SimpleNamespace(**values))
    assert torch.isnan(segmented.ranges).tolist() == [False, True]
    with pytest.raises(DecodeError, match=reason):
        segmentation_from_msg(SimpleNamespace(**{**values, **fields}))


def test_truth_takes_colours_by_their_number_in_the_message():
    cone = SimpleNamespace(
        position=SimpleNamespace(x=3.0, y=-1.0, z=0.0), colour=1,
        visible_camera=True, visible_lidar=False,
    )  # fmt: skip
    truth = truth_from_msg(SimpleNamespace(cones=[cone]))
    assert truth.classes.tolist() == [ConeClass.BLUE]
    assert (truth.visible_camera.item(), truth.visible_lidar.item()) == (True, False)


@pytest.mark.parametrize("nanosec", [1_000_000_000, 4_294_967_295])
def test_a_stamp_with_a_second_of_nanoseconds_is_refused(nanosec):
    with pytest.raises(DecodeError, match=rf"stamp\.nanosec is {nanosec}"):
        stamp_ns_from_msg(SimpleNamespace(sec=7, nanosec=nanosec))


@pytest.mark.parametrize("norm", [1e-200, 1e200])
def test_an_orientation_of_absurd_length_is_refused(norm):
    inner = SimpleNamespace(
        position=SimpleNamespace(x=1.0, y=2.0, z=0.0),
        orientation=SimpleNamespace(x=0.0, y=0.0, z=norm, w=norm),
    )
    with pytest.raises(DecodeError, match=r"orientation is .* expected a unit quaternion"):
        pose_from_msg(SimpleNamespace(pose=SimpleNamespace(pose=inner)))


def test_odometry_beyond_any_map_is_refused():
    inner = SimpleNamespace(
        position=SimpleNamespace(x=1.0, y=1e39, z=0.0),
        orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0),
    )
    with pytest.raises(DecodeError, match=r"position\.y is 1e[+]39, expected at most 1e[+]08 m"):
        pose_from_msg(SimpleNamespace(pose=SimpleNamespace(pose=inner)))


def test_points_beyond_single_precision_are_left_out():
    names = [field(name, 8 * place, 8) for place, name in enumerate("xyz")]
    data = np.array([[1.0, 2.0, 3.0], [1e300, 2.0, 3.0]]).tobytes()
    msg = cloud(fields=names, point_step=24, width=2, row_step=48, data=data)
    assert points_from_msg(msg).points.tolist() == [[1.0, 2.0, 3.0]]


def test_a_field_that_is_not_read_may_be_anything():
    spectrum = SimpleNamespace(name="spectrum", offset=10_000, count=9, datatype=99)
    msg = cloud(fields=[field("x", 0), field("y", 4), spectrum, field("z", 8), spectrum])
    assert points_from_msg(msg).points.shape == (1, 3)


@pytest.mark.parametrize(
    ("size", "data"), [((4_294_967_295, 4_294_967_295), b""), ((60_000, 1), bytes(180_000))]
)
def test_an_image_that_claims_a_huge_size_is_refused_before_it_is_unpacked(size, data):
    msg = SimpleNamespace(
        width=size[0], height=size[1], encoding="rgb8", is_bigendian=False, step=3 * size[0],
        data=data,
    )  # fmt: skip
    with pytest.raises(DecodeError, match=f"the image is {size[0]}x{size[1]} px"):
        image_from_msg(msg)


def test_a_small_file_of_a_large_image_is_refused_before_it_is_unpacked():
    data = cv2.imencode(".png", np.zeros((8000, 8000), dtype=np.uint8))[1].tobytes()
    assert len(data) < 100_000
    with pytest.raises(DecodeError, match="the image is 8000x8000 px"):
        image_from_msg(SimpleNamespace(format="png", data=data))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"angle_increment": 1e-9}, "angle_increment is 1e-09"),
        ({"angle_min": 1e30}, "angle_min is 1e[+]30"),
    ],
)
def test_scans_whose_angles_mean_nothing_are_refused(fields, reason):
    with pytest.raises(DecodeError, match=reason):
        scan_from_msg(laser(**fields))


def detection(**fields):
    values = {"center_u": 5.0, "center_v": 5.0, "width": 2.0, "height": 4.0}
    return SimpleNamespace(**{**values, "class_logits": [0.0] * 4, **fields})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"center_u": 1e39}, "a box is not finite"),
        ({"center_u": 1e9}, "a box is 1e[+]09 px from 0"),
        ({"height": -1.0}, "width or height of -1 px"),
        ({"class_logits": [0.0, 1e30, 0.0, 0.0]}, "a logit is 1e[+]30 from 0"),
        ({"class_logits": []}, "class_logits has .0. values"),
    ],
)
def test_detections_that_no_detector_makes_are_refused(row, reason):
    names = ["blue", "yellow", "small_orange", "big_orange"]
    msg = SimpleNamespace(class_names=names, detections=[detection(**row)])
    with pytest.raises(DecodeError, match=reason):
        detections_from_msg(msg)


def test_too_many_detections_are_refused_before_they_are_read():
    names = ["blue", "yellow", "small_orange", "big_orange"]
    with pytest.raises(DecodeError, match="there are 5000 detections"):
        detections_from_msg(SimpleNamespace(class_names=names, detections=[None] * 5000))


def cone(**fields):
    values = {
        "position": SimpleNamespace(x=4.0, y=1.0), "covariance": [0.1, 0.0, 0.0, 0.1],
        "probability_blue": 1.0, "probability_yellow": 0.0, "probability_small_orange": 0.0,
        "probability_big_orange": 0.0, "probability_unknown": 0.0, "existence": 0.9, "source": 3,
        "lidar_evidence": 1.2, "lidar_share": 0.9,
    }  # fmt: skip
    return SimpleNamespace(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"covariance": [1.0, 1.0, 1.0, 1.0]}, "covariance is .* positive definite"),
        ({"covariance": [-1.0, 0.0, 0.0, -1.0]}, "covariance is .* positive definite"),
        ({"covariance": [1.0, 0.5, -0.5, 1.0]}, "covariance is .* symmetric"),
        ({"covariance": [np.nan, 0.0, 0.0, 1.0]}, "covariance is nan"),
        ({"covariance": [1e300, 0.0, 0.0, 1.0]}, "covariance is 1e[+]300"),
        ({"position": SimpleNamespace(x=1e39, y=0.0)}, "position is 1e[+]39"),
        ({"probability_blue": np.nan}, "probability is nan"),
        ({"existence": 2.0}, "existence is 2"),
        ({"lidar_share": 1.5}, "lidar_share is 1.5, expected"),
        ({"lidar_evidence": np.inf}, "lidar_evidence is inf"),
    ],
)
def test_cones_that_no_fusion_makes_are_refused(fields, reason):
    assert len(cones_from_msg(SimpleNamespace(cones=[cone()])).positions) == 1
    with pytest.raises(DecodeError, match=reason):
        cones_from_msg(SimpleNamespace(cones=[cone(), cone(**fields)]))


def test_cones_recorded_before_they_had_provenance_are_read():
    new, old = cone(id=7), cone()
    del old.lidar_evidence, old.lidar_share
    assert cones_from_msg(SimpleNamespace(cones=[new])).ids.tolist() == [7]
    cones = cones_from_msg(SimpleNamespace(cones=[old]))
    assert (cones.lidar_evidence, cones.lidar_share, cones.camera_evidence, cones.ids) == (
        None,
    ) * 4


def test_what_no_check_foresaw_in_a_message_is_refused_but_faults_of_the_code_are_raised():
    @from_content
    def read(msg):
        return 1 / msg if msg != "code" else msg.missing

    with pytest.raises(DecodeError, match="content cannot be used: division by zero"):
        read(0)
    with pytest.raises(AttributeError):
        read("code")


@pytest.mark.parametrize("deviation", [-0.1, float("nan"), float("inf")])
def test_true_cones_keep_their_deviation_and_refuse_a_bad_one(deviation):
    def message(value):
        place = SimpleNamespace(x=1.0, y=2.0)
        cone = SimpleNamespace(
            position=place, colour=1, visible_camera=True, visible_lidar=True, deviation=value
        )
        return SimpleNamespace(cones=[cone])

    assert truth_from_msg(message(0.25)).deviations.tolist() == [0.25]
    assert truth_from_msg(message(0.0)).deviations is None
    with pytest.raises(DecodeError, match="deviation of true cones is"):
        truth_from_msg(message(deviation))
