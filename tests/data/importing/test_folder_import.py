"""Import of a general folder."""

import cv2
import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.importing.folder_formats import (
    parse_stamp,
    read_cloud,
    read_scan,
    stamped_files,
)
from conegrad_data.importing.folder_import import import_folder
from conegrad_data.recording.recorded_calibration import recorded_frames

PICTURE = np.full((720, 1280, 3), 90, dtype=np.uint8)


@pytest.fixture(scope="module")
def vehicle():
    return load_vehicle("formula_student")


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "drive"
    (root / "images").mkdir(parents=True)
    (root / "scans").mkdir()
    cv2.imwrite(str(root / "images" / "12.500000.jpg"), PICTURE)
    cv2.imwrite(str(root / "images" / "12.600000.png"), PICTURE)
    ranges = np.array([1.0, np.nan, 3.0])
    for name in ("12.510000", "12.610000"):
        np.savez(root / "scans" / f"{name}.npz", ranges=ranges, angle_min=-0.5, angle_increment=0.5)
    (root / "odometry.csv").write_text("stamp,x,y,yaw\n12.5,1.0,2.0,0.0\n12.6,1.5,2.0,0.0\n")
    (root / "labels.csv").write_text(
        "stamp,x,y,colour,visible_camera\n12.51,5.0,1.5,blue,1\n12.51,5.0,-1.5,yellow,0\n"
    )
    return root


def read(path):
    with BagReader(path) as bag:
        return [(topic, receive_ns, msg) for topic, receive_ns, msg in bag.messages()]


def test_messages_come_in_the_order_of_stamps(folder, tmp_path, vehicle):
    import_folder(folder, tmp_path / "bag", vehicle)
    order = [(topic, receive_ns // 10_000_000) for topic, receive_ns, _ in read(tmp_path / "bag")]
    assert order == [
        ("/tf_static", 1250),
        ("/odom", 1250),
        ("/camera_info", 1250),
        ("/image_raw/compressed", 1250),
        ("/scan", 1251),
        ("/truth", 1251),
        ("/odom", 1260),
        ("/camera_info", 1260),
        ("/image_raw/compressed", 1260),
        ("/scan", 1261),
    ]


def test_pictures_keep_their_bytes_and_format(folder, tmp_path, vehicle):
    import_folder(folder, tmp_path / "bag", vehicle)
    images = [m for topic, _, m in read(tmp_path / "bag") if topic == "/image_raw/compressed"]
    assert [image.format for image in images] == ["jpeg", "png"]
    assert bytes(images[1].data) == (folder / "images" / "12.600000.png").read_bytes()


def test_a_scan_keeps_its_angles_and_loses_no_gap(folder, tmp_path, vehicle):
    import_folder(folder, tmp_path / "bag", vehicle)
    scan = next(m for topic, _, m in read(tmp_path / "bag") if topic == "/scan")
    assert (scan.angle_min, scan.angle_increment) == (-0.5, 0.5)
    np.testing.assert_array_equal(scan.ranges, np.array([1.0, np.inf, 3.0], dtype=np.float32))


def test_labels_become_truth(folder, tmp_path, vehicle):
    import_folder(folder, tmp_path / "bag", vehicle)
    truth = next(m for topic, _, m in read(tmp_path / "bag") if topic == "/truth")
    found = [(c.position.x, c.position.y, c.colour, c.visible_camera) for c in truth.cones]
    assert found == [(5.0, 1.5, 1, True), (5.0, -1.5, 2, False)]


def test_the_vehicle_gives_the_frames(folder, tmp_path, vehicle):
    import_folder(folder, tmp_path / "bag", vehicle)
    with BagReader(tmp_path / "bag") as bag:
        camera_from_lidar = recorded_frames(bag, "/tf_static").lookup("camera_optical", "lidar")
    np.testing.assert_allclose(camera_from_lidar, vehicle.camera_from_lidar().numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "stamp_ns"),
    [
        ("12.05", 12_050_000_000),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("1700000000123456789", 1_700_000_000_123_456_789),
    ],
)
def test_stamps_keep_every_nanosecond(text, stamp_ns):
    assert parse_stamp(text) == stamp_ns


def test_a_name_that_is_no_stamp_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "frame_0001.png").touch()
    with pytest.raises(BagError, match=r"frame_0001\.png: the name is not a stamp.*stamps\.csv"):
        stamped_files(tmp_path, (".png",))


def test_stamps_may_come_from_a_table(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    (tmp_path / "stamps.csv").write_text("file,stamp\na.png,2.5\nb.png,1.5\n")
    files = stamped_files(tmp_path, (".png",))
    assert [(f.stamp_ns, f.path.name) for f in files] == [
        (1_500_000_000, "b.png"),
        (2_500_000_000, "a.png"),
    ]


def test_two_files_of_one_stamp_are_refused(tmp_path):
    (tmp_path / "1.50.png").touch()
    (tmp_path / "1.5.png").touch()
    with pytest.raises(BagError, match="the same stamp"):
        stamped_files(tmp_path, (".png",))


def test_a_scan_may_be_a_table(tmp_path):
    path = tmp_path / "1.0.csv"
    path.write_text("angle,range\n-0.2,4.0\n0.0,inf\n0.2,5.0\n")
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.ranges, [4.0, np.inf, 5.0])
    assert (scan.angle_min, scan.angle_increment) == pytest.approx((-0.2, 0.2))


def write_scan(path, angles, ranges):
    rows = [f"{angle!r},{distance!r}" for angle, distance in zip(angles, ranges, strict=True)]
    path.write_text("\n".join(["angle,range", *rows]) + "\n")
    return path


@pytest.mark.parametrize("turn", [1, -1], ids=["counter-clockwise", "clockwise"])
def test_uneven_beams_are_put_at_even_angles_and_told(tmp_path, turn):
    # Beams 0.1 rad apart: the one at 0.2 is missing, those at 0.3 and 0.4 are 0.02 off.
    angles = [turn * angle for angle in (-0.1, 0.0, 0.1, 0.32, 0.38, 0.5)]
    scan = read_scan(write_scan(tmp_path / "1.0.csv", angles, [1.0, 2.0, 3.0, 5.0, 6.0, 7.0]))
    np.testing.assert_array_equal(scan.ranges, [1.0, 2.0, 3.0, np.nan, 5.0, 6.0, 7.0])
    assert (scan.angle_min, scan.angle_increment) == pytest.approx((-0.1 * turn, 0.1 * turn))
    assert "1.0.csv: its 6 beams are 0.06000 to 0.22000 rad apart" in scan.note
    assert (
        "resampled to 7 angles 0.10000 rad apart, 1 of them without a beam, and 0 beams"
        in scan.note
    )


def test_what_was_done_to_uneven_scans_is_told_once(folder, tmp_path, vehicle, caplog):
    for name in ("12.7", "12.8", "12.9"):
        write_scan(folder / "scans" / f"{name}.csv", [0.0, 0.1, 0.25], [1.0, 2.0, 3.0])
    import_folder(folder, tmp_path / "bag", vehicle)
    [told] = [record.getMessage() for record in caplog.records]
    assert "12.7.csv" in told
    assert told.endswith("so are those of 2 other scans")


@pytest.mark.parametrize(
    ("angles", "message"),
    [
        (np.arange(-90.0, 91.0), r"181 beams span 180 .* in radians; as degrees .* 3\.142 rad"),
        ([0.0, 0.1, 0.3, 0.2], "turn back"),
        ([0.0, 0.1, 0.1, 0.4], "come twice"),
        ([0.0, float("nan"), 0.2], "span nan"),
    ],
)
def test_angles_that_make_no_scan_are_refused_by_name(tmp_path, angles, message):
    path = write_scan(tmp_path / "1.0.csv", [float(a) for a in angles], [1.0] * len(angles))
    with pytest.raises(BagError, match=rf"1\.0\.csv: .*{message}"):
        read_scan(path)


def test_arrays_in_degrees_are_refused_by_name(tmp_path):
    path = tmp_path / "1.0.npz"
    np.savez(path, ranges=np.ones(181), angle_min=-90.0, angle_increment=1.0)
    with pytest.raises(BagError, match=r"1\.0\.npz: 181 beams span 180 from -90 on"):
        read_scan(path)


def test_a_picture_of_another_size_than_the_intrinsics_is_refused(folder, tmp_path, vehicle):
    cv2.imwrite(str(folder / "images" / "12.700000.png"), PICTURE[:480, :640])
    with pytest.raises(
        BagError, match=r"12\.700000\.png: images are 640x480 px, .* are for 1280x720"
    ):
        import_folder(folder, tmp_path / "bag", vehicle)
    assert not (tmp_path / "bag").exists()


def test_a_file_that_is_no_picture_is_refused(folder, tmp_path, vehicle):
    (folder / "images" / "12.700000.png").write_bytes(b"GIF89a")
    with pytest.raises(BagError, match=r"12\.700000\.png cannot be read as a picture"):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_ctrl_c_during_an_import_leaves_no_bag(folder, tmp_path, vehicle):
    def interrupted(entries, total):
        yield entries[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(folder, tmp_path / "bag", vehicle, progress=interrupted)
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize("place", ["x" * 200_000, "1,2,0\n12.7," + "x" * 200_000])
def test_a_field_that_is_too_long_is_one_short_line(folder, tmp_path, vehicle, place):
    (folder / "odometry.csv").write_text(f"stamp,x,y,yaw\n12.5,{place},2,0\n")
    with pytest.raises(BagError, match=r"odometry\.csv, line [23]: not a table \(field larger"):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_a_long_value_is_not_repeated_whole(folder, tmp_path, vehicle):
    (folder / "odometry.csv").write_text(f"stamp,x,y,yaw\n12.5,{'x' * 100_000},2,0\n")
    with pytest.raises(BagError, match="expected a number") as refused:
        import_folder(folder, tmp_path / "bag", vehicle)
    assert len(str(refused.value)) < 300


def test_bare_ranges_take_the_angles_of_the_vehicle(folder, tmp_path, vehicle):
    for scan in (folder / "scans").iterdir():
        scan.unlink()
    np.save(folder / "scans" / "12.5.npy", np.full(vehicle.lidar.beams, 4.0))
    import_folder(folder, tmp_path / "bag", vehicle)
    scan = next(m for topic, _, m in read(tmp_path / "bag") if topic == "/scan")
    assert scan.angle_min == pytest.approx(vehicle.lidar.angle_min)


def test_bare_ranges_of_another_length_are_refused(folder, tmp_path, vehicle):
    np.save(folder / "scans" / "13.0.npy", np.full(7, 4.0))
    with pytest.raises(BagError, match=r"13\.0\.npy has 7 beams and no angle_min"):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_pickled_arrays_are_never_executed(tmp_path):
    path = tmp_path / "1.0.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BagError, match="not a numpy file without pickled objects"):
        read_scan(path)


def test_clouds_are_read_from_bin_and_npy(tmp_path):
    points = np.array([[1, 2, 3, 9, 7], [4, 5, 6, 8, 7]], dtype=np.float32)
    points.tofile(tmp_path / "1.0.bin")
    np.save(tmp_path / "1.0.npy", points[:, :3])
    np.testing.assert_array_equal(read_cloud(tmp_path / "1.0.bin", columns=5), points[:, :4])
    np.testing.assert_array_equal(read_cloud(tmp_path / "1.0.npy"), points[:, :3])
    with pytest.raises(BagError, match="10 float32 values, expected rows of 4"):
        read_cloud(tmp_path / "1.0.bin")


def test_a_cloud_becomes_a_message_with_fields(folder, tmp_path, vehicle):
    (folder / "points").mkdir()
    np.save(folder / "points" / "12.5.npy", np.array([[1.0, 2.0, 3.0]]))
    import_folder(folder, tmp_path / "bag", vehicle)
    cloud = next(m for topic, _, m in read(tmp_path / "bag") if topic == "/points")
    assert ([f.name for f in cloud.fields], cloud.point_step) == (["x", "y", "z"], 12)
    np.testing.assert_array_equal(cloud.data.view(np.float32), [1.0, 2.0, 3.0])


def test_a_colour_that_does_not_exist_is_refused(folder, tmp_path, vehicle):
    (folder / "labels.csv").write_text("stamp,x,y,colour\n12.5,1,2,purple\n")
    with pytest.raises(BagError, match=r"labels\.csv, line 2: colour is 'purple', expected"):
        import_folder(folder, tmp_path / "bag", vehicle)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("12.6,1,two,0", r"odometry\.csv, line 3: y is 'two', expected a number"),
        ("noon,1,2,0", r"odometry\.csv, line 3: 'noon' is not a stamp"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line(folder, tmp_path, vehicle, row, message):
    (folder / "odometry.csv").write_text(f"stamp,x,y,yaw\n12.5,1,2,0\n{row}\n")
    with pytest.raises(BagError, match=message):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_a_table_with_a_byte_order_mark_is_read(folder, tmp_path, vehicle):
    text = (folder / "odometry.csv").read_text()
    (folder / "odometry.csv").write_text(text, encoding="utf-8-sig")
    import_folder(folder, tmp_path / "bag", vehicle)
    assert sum(topic == "/odom" for topic, _, _ in read(tmp_path / "bag")) == 2


def test_a_table_with_semicolons_is_refused(folder, tmp_path, vehicle):
    (folder / "odometry.csv").write_text("stamp;x;y;yaw\n12.5;1;2;0\n")
    with pytest.raises(BagError, match=r"'stamp;x;y;yaw' has semicolons, expected commas"):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_a_table_without_a_column_is_refused(folder, tmp_path, vehicle):
    (folder / "odometry.csv").write_text("stamp,x,y\n12.5,1,2\n")
    with pytest.raises(BagError, match=r"odometry\.csv has no column yaw"):
        import_folder(folder, tmp_path / "bag", vehicle)


def test_an_empty_folder_is_refused(tmp_path, vehicle):
    with pytest.raises(BagError, match="holds no images"):
        import_folder(tmp_path, tmp_path / "bag", vehicle)
