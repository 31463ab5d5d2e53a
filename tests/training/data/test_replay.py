import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from conegrad_core.geometry.transforms import turned
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter
from conegrad_data.cone_map.cone_map_csv import read_cones, save_cones
from conegrad_data.decode import image_from_msg, scan_from_msg, truth_from_msg
from conegrad_data.errors import AlignmentError, ReplayError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_simulation.recording.bag import BagConfig, SimulatedBag, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track
from conegrad_training.data.split import split_by_sequence
from conegrad_training.data.training_data import bag_data


def test_every_image_is_paired_with_its_nearest_scan(replay: BagReplay):
    # Images at 7, 107, ... ms, scans at 0, 50, ... ms: the nearest one is always 7 ms earlier.
    lags = {frame.image.stamp_ns - frame.scan.stamp_ns for frame in replay.drive.frames}
    assert lags == {7_000_000}
    assert len(replay) == 9


def test_samples_are_what_the_nodes_decode(replay: BagReplay, small_bag: SimulatedBag):
    sample = replay[4]
    frame = replay.drive.frames[4]
    with BagReader(small_bag.path) as bag:
        found = {(topic, time): msg for topic, time, msg in bag.messages()}
    image = found[frame.image.topic, frame.image.stamp_ns]
    scan = found["/scan", frame.scan.stamp_ns]
    truth = truth_from_msg(found["/truth", frame.scan.stamp_ns])
    np.testing.assert_array_equal(sample.inputs["image"], image_from_msg(image))
    torch.testing.assert_close(sample.inputs["scan"], scan_from_msg(scan), equal_nan=True)
    at_image = truth_from_msg(found["/truth", frame.image.stamp_ns])
    torch.testing.assert_close(sample.truth, truth._replace(visible_camera=at_image.visible_camera))
    assert sample.key == ("drive", 4, frame.scan.stamp_ns)


def test_motion_between_image_and_scan_is_that_of_the_car(replay: BagReplay):
    # At 8 m/s at most the car drives up to 56 mm in the 7 ms from the scan to the image.
    motion = replay[5].context.motion
    assert motion is not None
    assert 0.005 < float(motion[0, 3]) < 0.06
    assert abs(float(motion[1, 3])) < 0.01


def test_the_motion_within_a_scan_is_that_of_the_car(small_vehicle: Vehicle, tmp_path: Path):
    track = make_track("random", 3, small_vehicle)
    config = BagConfig(seconds=0.5, scan_rate=10.0, scan_duration=0.1)
    made = simulate_bag(tmp_path / "drive", track, small_vehicle, DriveConfig(), config)
    replay = BagReplay(made.path)
    worst = {"moved": 0.0, "skewed": 0.0}
    for sample in (replay[place] for place in range(len(replay))):
        scan, motions = sample.inputs["scan"], sample.inputs["scan"].motions
        assert motions is not None
        points = torch.stack([scan.ranges * scan.angles.cos(), scan.ranges * scan.angles.sin()], -1)
        moved = turned(points, motions[:, 2]) + motions[:, :2]
        hit, places = scan.ranges.isfinite(), sample.truth.positions
        near = places[sample.truth.visible_lidar & (places.norm(dim=-1) < 8) & (places[:, 0] > 2)]
        for name, found in (("moved", moved), ("skewed", points)):
            distance = (near[:, None] - found[hit]).norm(dim=-1).amin(1)
            worst[name] = max(worst[name], float(distance.max()))
    # 8 m/s and half of 0.1 s; a return lies on the surface of its cone.
    assert worst["skewed"] > 0.3
    assert worst["moved"] < 0.2


def test_calibration_of_the_bag_is_that_of_the_car(replay: BagReplay, small_vehicle: Vehicle):
    calibration = replay.drive.calibration
    expected = small_vehicle.camera_from_lidar()
    torch.testing.assert_close(calibration.camera_from_lidar, expected, atol=1e-5, rtol=0)
    assert calibration.lidar_height == pytest.approx(small_vehicle.lidar_height)
    assert (calibration.camera.width, calibration.camera.height) == (160, 96)


def test_another_process_reads_the_same_sample(replay: BagReplay):
    before = replay[7]
    copy = pickle.loads(pickle.dumps(replay))
    np.testing.assert_array_equal(copy[7].inputs["image"], before.inputs["image"])
    assert copy[7].key == before.key
    copy.close()


def test_a_map_and_odometry_give_the_truth_of_the_truth_topic(
    replay: BagReplay, small_bag: SimulatedBag
):
    mapped = BagReplay(small_bag.path, track=small_bag.track)
    for place in (0, 6):
        recorded, found = replay[place].truth, mapped[place].truth
        near = recorded.positions.norm(dim=-1) < 12
        distance = torch.cdist(recorded.positions[near].float(), found.positions.float())
        assert float(distance.amin(1).max()) < 0.01
        nearest = distance.argmin(1)
        assert torch.equal(found.classes[nearest], recorded.classes[near])
        # What a ray or a pixel really hit is a subset of what geometry allows, nearly always.
        allowed = found.visible_camera[nearest] | found.visible_lidar[nearest]
        seen = recorded.visible_camera[near] | recorded.visible_lidar[near]
        assert float((allowed | ~seen).float().mean()) > 0.9
    mapped.close()


def test_a_map_of_which_no_cone_comes_into_view_is_refused(small_bag: SimulatedBag, tmp_path: Path):
    positions, classes = read_cones(small_bag.track)
    save_cones(positions + 5000.0, classes, tmp_path / "far.csv")
    with pytest.raises(AlignmentError, match=r"far\.csv does not fit .*conegrad align"):
        BagReplay(small_bag.path, track=tmp_path / "far.csv")


def test_sqlite_bags_give_the_same_samples(
    replay: BagReplay, small_bag: SimulatedBag, tmp_path: Path
):
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "db", sqlite=True) as writer:
        for raw in bag.raw_messages():
            writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
    copy = BagReplay(tmp_path / "db")
    assert len(copy) == len(replay)
    np.testing.assert_array_equal(copy[3].inputs["image"], replay[3].inputs["image"])
    torch.testing.assert_close(copy[3].inputs["scan"], replay[3].inputs["scan"], equal_nan=True)
    copy.close()


@pytest.mark.parametrize(
    ("dropped", "message"),
    [
        ("/scan", "holds no scans or point clouds"),
        ("/image_raw/compressed", "holds no images"),
        ("/camera_info", "holds no camera_info; record it, or give a vehicle"),
        ("/tf_static", "or give a vehicle"),
        ("/truth", "holds no truth; give a map"),
    ],
)
def test_says_what_a_bag_lacks(small_bag: SimulatedBag, tmp_path: Path, dropped: str, message: str):
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "cut") as writer:
        for raw in bag.raw_messages([name for name in bag.topics if name != dropped]):
            writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
    with pytest.raises(ReplayError, match=message):
        BagReplay(tmp_path / "cut")


@pytest.mark.parametrize(
    ("topic", "field", "value", "message"),
    [
        ("/camera_info", "width", 20, "but the intrinsics are for 20x"),
        ("/camera_info", "k", np.zeros(9), "k is all 0, expected a calibrated camera"),
        ("/image_raw/compressed", "header.frame_id", "camera", "belong to an optical frame"),
        ("/scan", "ranges", np.ones(1, np.float32), "looked at on /scan can be used"),
    ],
)
def test_refuses_what_perceive_refuses(
    small_bag: SimulatedBag, tmp_path: Path, topic: str, field: str, value: object, message: str
):
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "odd") as writer:
        for name, receive_ns, msg in bag.messages():
            if name == topic:
                *parts, last = field.split(".")
                setattr(getattr(msg, parts[0]) if parts else msg, last, value)
            writer.write(name, bag.topics[name].msgtype, receive_ns, msg)
    with pytest.raises(ReplayError, match=message):
        BagReplay(tmp_path / "odd")


def test_rectified_images_have_no_distortion(small_bag: SimulatedBag, tmp_path: Path):
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "rectified") as writer:
        for name, receive_ns, msg in bag.messages():
            if name == "/camera_info":
                msg.p = np.array([30.0, 0, 20, 0, 0, 30, 15, 0, 0, 0, 1, 0])
            topic = "/image_rect/compressed" if name == "/image_raw/compressed" else name
            writer.write(topic, bag.topics[name].msgtype, receive_ns, msg)
    camera = BagReplay(tmp_path / "rectified").drive.calibration.camera
    assert camera.distortion_model == "none"
    assert camera.intrinsics[:2, 2].tolist() == [20.0, 15.0]


def test_a_vehicle_replaces_missing_calibration(
    small_bag: SimulatedBag, small_vehicle: Vehicle, tmp_path: Path
):
    kept = ["/scan", "/image_raw/compressed", "/truth"]
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "cut") as writer:
        for raw in bag.raw_messages(kept):
            writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
    copy = BagReplay(tmp_path / "cut", vehicle=small_vehicle)
    assert copy[2].context.calibration.lidar_height == pytest.approx(small_vehicle.lidar_height)
    assert copy[2].context.motion is None  # there is no odometry
    copy.close()


def test_splits_recordings_never_frames():
    bags = [Path(name) for name in "abcdefghij"]
    training, tests = split_by_sequence(bags, 0.3, seed=4)
    assert len(training) == 7
    assert len(tests) == 3
    assert sorted(training + tests) == bags
    assert split_by_sequence(bags, 0.3, seed=4) == (training, tests)
    assert split_by_sequence(bags, 0.3, seed=5)[1] != tests


def test_refuses_to_part_the_frames_of_one_recording():
    with pytest.raises(ReplayError, match="1 bags cannot be split"):
        split_by_sequence([Path("a")], 0.2, seed=1)


def test_clouds_become_scans_as_the_settings_say(small_bag: SimulatedBag, tmp_path: Path):
    with BagReader(small_bag.path) as bag, BagWriter(tmp_path / "clouds") as writer:
        for raw in bag.raw_messages([name for name in bag.topics if name != "/scan"]):
            writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
        for _, stamp_ns, msg in bag.messages(["/scan"]):
            # A return 2 m ahead on the own nose, one 5 m ahead, 0.05 m above the LiDAR's height.
            points = np.array([[2.0, 0.0, 0.05], [5.0, 0.0, 0.05]])
            cloud = messages.points_msg(stamp_ns, msg.header.frame_id, points)
            writer.write("/points", "sensor_msgs/msg/PointCloud2", stamp_ns, cloud)
    nearest = []
    for ahead in (0.0, 2.4):
        reduction = ReductionConfig(sensor_height=0.15, car_ahead=ahead, car_beside=0.5)
        data = bag_data([tmp_path / "clouds"], reduction=reduction)
        nearest.append(float(data.training[0].inputs["scan"].ranges.nan_to_num(99.0).min()))
    assert nearest == pytest.approx([2.0, 5.0])


def test_odometry_of_an_unknown_body_is_not_taken_for_that_of_the_car(
    small_bag: SimulatedBag, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    other = tmp_path / "other"
    with BagReader(small_bag.path) as bag, BagWriter(other) as writer:
        for topic, receive_ns, msg in bag.messages():
            if topic == "/odom":
                object.__setattr__(msg, "child_frame_id", "imu")
            writer.write(topic, bag.topics[topic].msgtype, receive_ns, msg)
    drive = BagReplay(other).drive
    assert "child_frame_id is 'imu'" in caplog.text
    assert all(frame.motion is None for frame in drive.frames)
    with pytest.raises(ReplayError, match=r"needs odometry, and that on /odom .*'imu'"):
        BagReplay(other, track=small_bag.track)
