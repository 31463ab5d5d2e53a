"""Import of the FSKITTI layout, from a small folder made here."""

import json

import cv2
import numpy as np
import pytest

from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.importing.fskitti_import import has_returns, import_fskitti, read_frames
from conegrad_data.recording.recorded_calibration import recorded_frames

CAMERA_FROM_LIDAR = [[0, -1, 0, 0.1], [0, 0, -1, 0], [1, 0, 0, 0]]
BOXED = "yellow_cone 0 0 0 10.0 20.0 14.0 30.0 0 0 0 5.0 -1.0 -0.97 0"
MAPPED = "blue_cone 0 0 0 0.0 0.0 0.0 0.0 0 0 0 8.0 2.0 -0.97 0"
BOX_ONLY = "blue_cone 0 0 0 10.0 20.0 14.0 30.0 0 0 0 0.0 0.0 0.0 0"


def cone_cloud(x, y):
    """A ring of ground 1.16 m below, and three returns up the side of a cone."""
    angle = np.linspace(0, 6, 40)
    ground = np.stack([x + np.cos(angle), y + np.sin(angle), np.full(40, -1.16)], axis=1)
    cone = np.array([[x, y, -1.05], [x, y, -0.95], [x, y, -0.9]])
    points = np.zeros((43, 5), dtype=np.float32)
    points[:, :3] = np.vstack([ground, cone])
    return points


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "sequence"
    for name in ("points", "labels", "images"):
        (root / name).mkdir(parents=True)
    # The world's origin is 2 m behind the car, which looks along the world's x; then 3 m behind.
    rows = [
        {"id": 7, "stamp": 50.5, "x": -2.0, "y": 0.0, "yaw": 0.0},
        {"id": 8, "stamp": 51.5, "x": -3.0, "y": 0.0, "yaw": 0.0},
    ]
    (root / "odometry.json").write_text(json.dumps(rows))
    calibration = {
        "image_size": [64, 48],
        "K": [[50, 0, 32], [0, 50, 24], [0, 0, 1]],
        "camera_optical_from_lidar": CAMERA_FROM_LIDAR,
    }
    (root / "calibration.json").write_text(json.dumps(calibration))
    for name in ("0000007", "0000008"):
        cone_cloud(5.0, -1.0).tofile(root / "points" / f"{name}.bin")
        (root / "labels" / f"{name}.txt").write_text("\n".join([BOXED, MAPPED, BOX_ONLY]) + "\n")
        cv2.imwrite(str(root / "images" / f"{name}.jpg"), np.zeros((48, 64, 3), dtype=np.uint8))
    return root


def read(path):
    with BagReader(path) as bag:
        messages = {}
        for topic, _, msg in bag.messages():
            messages.setdefault(topic, []).append(msg)
    return messages


def test_every_frame_becomes_a_set_of_stamped_messages(folder, tmp_path):
    import_fskitti(folder, tmp_path / "bag")
    read_back = read(tmp_path / "bag")
    assert {topic: len(messages) for topic, messages in read_back.items()} == {
        "/tf_static": 1, "/odom": 2, "/camera_info": 2, "/image_raw/compressed": 2,
        "/points": 2, "/truth": 2,
    }  # fmt: skip
    stamps = {
        (messages[0].header.stamp.sec, messages[0].header.stamp.nanosec)
        for topic, messages in read_back.items()
        if topic != "/tf_static"
    }
    assert stamps == {(50, 500_000_000)}


def test_images_keep_their_bytes(folder, tmp_path):
    import_fskitti(folder, tmp_path / "bag")
    image = read(tmp_path / "bag")["/image_raw/compressed"][0]
    assert bytes(image.data) == (folder / "images" / "0000007.jpg").read_bytes()
    assert image.format == "jpeg"


def test_truth_has_colours_by_name_and_visibility_by_evidence(folder, tmp_path):
    import_fskitti(folder, tmp_path / "bag")
    yellow, blue = read(tmp_path / "bag")["/truth"][0].cones  # the row without x, y, z is left out
    assert (yellow.colour, yellow.visible_camera, yellow.visible_lidar) == (2, True, True)
    assert (blue.colour, blue.visible_camera, blue.visible_lidar) == (1, False, False)
    position = (yellow.position.x, yellow.position.y, yellow.position.z)
    assert position == pytest.approx((5.0, -1.0, -1.16), abs=1e-3)


def test_odometry_is_the_pose_of_the_car_in_the_world(folder):
    first, second = read_frames(folder)
    assert first.pose == pytest.approx((2.0, 0.0, 0.0))
    assert second.pose == pytest.approx((3.0, 0.0, 0.0))


def test_a_turned_world_is_inverted(folder):
    # The car stands at (1, 2) of the world and looks along its y: world points (x, y) lie at
    # (y - 2, 1 - x) of the car, which is a turn by -90 degrees and a shift by (-2, 1).
    row = {"id": 7, "stamp": 50.5, "x": -2.0, "y": 1.0, "yaw": -np.pi / 2}
    (folder / "odometry.json").write_text(json.dumps([row]))
    assert read_frames(folder)[0].pose == pytest.approx((1.0, 2.0, np.pi / 2))


def test_extrinsics_come_back_from_the_frames(folder, tmp_path):
    import_fskitti(folder, tmp_path / "bag", lidar_height=1.2)
    with BagReader(tmp_path / "bag") as bag:
        frames = recorded_frames(bag, "/tf_static")
    np.testing.assert_allclose(
        frames.lookup("camera_optical", "lidar")[:3], CAMERA_FROM_LIDAR, atol=1e-12
    )
    assert frames.lookup("base_link", "lidar")[2, 3] == pytest.approx(1.2)


def test_height_and_tilt_of_the_lidar_are_measured_on_the_ground(folder, tmp_path):
    # The LiDAR looks down by 0.02 rad: far ground lies higher in its frame.
    x, y = np.meshgrid(np.linspace(-9, 9, 30), np.linspace(-9, 9, 30))
    for name in ("0000007", "0000008"):
        cloud = np.zeros((x.size, 5), dtype=np.float32)
        cloud[:, :3] = np.stack([x, y, -1.1 + np.tan(0.02) * x], axis=-1).reshape(-1, 3)
        cloud.tofile(folder / "points" / f"{name}.bin")
    import_fskitti(folder, tmp_path / "bag")
    with BagReader(tmp_path / "bag") as bag:
        base_from_lidar = recorded_frames(bag, "/tf_static").lookup("base_link", "lidar")
    assert base_from_lidar[2, 3] == pytest.approx(1.1 * np.cos(0.02), abs=1e-4)
    ground_ahead = base_from_lidar @ [5, 0, -1.1 + 5 * np.tan(0.02), 1]
    assert ground_ahead[2] == pytest.approx(0, abs=1e-4)
    assert base_from_lidar[:3, 0] == pytest.approx([np.cos(0.02), 0, -np.sin(0.02)], abs=1e-4)


def test_a_sequence_without_images_has_no_camera(folder, tmp_path):
    for image in (folder / "images").iterdir():
        image.unlink()
    (folder / "images").rmdir()
    import_fskitti(folder, tmp_path / "bag")
    assert set(read(tmp_path / "bag")) == {"/tf_static", "/odom", "/points", "/truth"}


def test_flat_ground_is_no_cone():
    cloud = cone_cloud(5.0, -1.0)[:, :3].astype(np.float64)
    assert has_returns(np.array([5.0, -1.0]), cloud)
    assert not has_returns(np.array([5.0, -1.0]), cloud[:40])


def test_a_row_of_another_class_is_refused(folder, tmp_path):
    label = folder / "labels" / "0000007.txt"
    label.write_text(BOXED.replace("yellow_cone", "traffic_light"))
    with pytest.raises(BagError, match=r"0000007\.txt: row 'traffic_light"):
        import_fskitti(folder, tmp_path / "bag")


def test_another_folder_is_refused_with_the_missing_file(tmp_path):
    with pytest.raises(BagError, match=r"odometry\.json is missing"):
        import_fskitti(tmp_path, tmp_path / "bag")


def test_part_of_a_sequence_can_be_imported(folder, tmp_path):
    import_fskitti(folder, tmp_path / "bag", rows=slice(1, None))
    (image,) = read(tmp_path / "bag")["/image_raw/compressed"]
    assert (image.header.stamp.sec, image.header.stamp.nanosec) == (51, 500_000_000)


def test_a_part_without_frames_is_refused(folder, tmp_path):
    with pytest.raises(BagError, match="has 2 frames, none of them from 2 to 5"):
        import_fskitti(folder, tmp_path / "bag", rows=slice(2, 5))


def publish(folder):
    """The same sequence as its authors publish it: PNG, metadata.json, no calibration."""
    rows = json.loads((folder / "odometry.json").read_text())
    data = []
    for row in rows:
        name = f"{row['id']:07d}"
        pose = {key: row[key] for key in ("x", "y", "yaw")}
        data.append(
            {
                "id": row["id"],
                "odom": {"timestamp": row["stamp"], **pose, "z": -0.95, "lap": None},
                "pointcloud": {"file": f"points/{name}.bin"},
                "labels": {"file": f"labels/{name}.txt"},
                "image": {"file": f"images/{name}.png"},
            }
        )
        picture = folder / "images" / f"{name}.jpg"
        cv2.imwrite(str(picture.with_suffix(".png")), cv2.imread(str(picture)))
        picture.unlink()
    del data[-1]["image"]
    content = {"info": {"tool": "some"}, "data": [data[0], *data]}  # frames come twice in some
    (folder / "metadata.json").write_text(json.dumps(content))
    for name in ("odometry.json", "calibration.json"):
        (folder / name).unlink()
    return folder


def test_the_published_layout_is_read_and_what_it_lacks_is_told(folder, tmp_path, caplog):
    poses = [frame.pose for frame in read_frames(folder)]
    import_fskitti(publish(folder), tmp_path / "bag")
    read_back = read(tmp_path / "bag")
    assert {topic: len(messages) for topic, messages in read_back.items()} == {
        "/tf_static": 1, "/odom": 2, "/image_raw/compressed": 1, "/points": 2, "/truth": 2,
    }  # fmt: skip
    assert read_back["/image_raw/compressed"][0].format == "png"
    assert [frame.pose for frame in read_frames(folder)] == poses
    assert "calibration.json is missing: 1 images are imported without camera_info" in caplog.text
    assert "--vehicle FILE" in caplog.text
    assert "1 frames come twice" in caplog.text


def test_the_published_layout_takes_a_calibration(folder, tmp_path, caplog):
    calibration = (folder / "calibration.json").read_text()
    (publish(folder) / "calibration.json").write_text(calibration)
    import_fskitti(folder, tmp_path / "bag")
    assert len(read(tmp_path / "bag")["/camera_info"]) == 1
    assert "calibration.json" not in caplog.text


def test_files_that_are_listed_and_missing_are_told(folder, tmp_path, caplog):
    publish(folder)
    (folder / "images" / "0000007.png").unlink()
    (folder / "points" / "0000008.bin").unlink()
    import_fskitti(folder, tmp_path / "bag")
    assert set(read(tmp_path / "bag")) == {"/tf_static", "/odom", "/points", "/truth"}
    assert "lists 1 files (image) that are missing, 0000007.png first" in caplog.text
    assert "lists 1 files (cloud) that are missing, 0000008.bin first" in caplog.text


def test_metadata_of_another_form_is_refused(folder, tmp_path):
    publish(folder)
    (folder / "metadata.json").write_text('{"data": [{"id": 1}]}')
    with pytest.raises(BagError, match=r"metadata\.json: expected data with id, odom"):
        import_fskitti(folder, tmp_path / "bag")


def test_a_picture_of_another_size_than_the_calibration_is_refused(folder, tmp_path):
    cv2.imwrite(str(folder / "images" / "0000008.jpg"), np.zeros((96, 128, 3), dtype=np.uint8))
    with pytest.raises(BagError, match=r"0000008\.jpg: images are 128x96 px, .* are for 64x48"):
        import_fskitti(folder, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()
