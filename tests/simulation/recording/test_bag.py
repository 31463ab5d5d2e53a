"""Simulated drives as bags."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.geometry.camera import project_points
from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.cone_map.cone_map_csv import read_cones
from conegrad_data.decode import points_from_msg, stamp_ns_from_msg, truth_from_msg
from conegrad_data.recording.recorded_calibration import recorded_frames
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track

BLUE, YELLOW = 1, 2  # constants of Cone.msg


@pytest.fixture(scope="module")
def vehicle():
    """The race car with a small camera, which renders fast."""
    full = load_vehicle("formula_student")
    return dataclasses.replace(full, camera=dataclasses.replace(full.camera, width=320, height=180))


def simulate(path, vehicle, **settings):
    track = make_track("acceleration", 1, vehicle)
    config = BagConfig(**{"seconds": 0.3, "seed": 3, "camera_rate": 20.0, **settings})
    return simulate_bag(path, track, vehicle, DriveConfig(), config)


@pytest.fixture(scope="module")
def made(tmp_path_factory, vehicle):
    return simulate(tmp_path_factory.mktemp("simulated") / "drive", vehicle)


@pytest.fixture(scope="module")
def recorded(made):
    """Messages of the bag by topic."""
    with BagReader(made.path) as bag:
        found = {}
        for topic, _, msg in bag.messages():
            found.setdefault(topic, []).append(msg)
    return found


def test_every_sensor_is_recorded_at_its_rate(made, recorded):
    counts = {topic: len(messages) for topic, messages in recorded.items()}
    # 0.3 s of LiDAR at 40 Hz and of camera at 20 Hz (7 ms later), and truth for each of them;
    # odometry at 100 Hz runs on to cover the last scan.
    assert counts == {
        "/scan": 12, "/image_raw/compressed": 5, "/camera_info": 5, "/truth": 17, "/odom": 31,
        "/tf_static": 1,
    }  # fmt: skip
    assert (made.images, made.scans) == (5, 12)


def test_truth_comes_at_the_stamp_of_every_image_and_scan(recorded):
    def stamps(topic):
        return [stamp_ns_from_msg(msg.header.stamp) for msg in recorded[topic]]

    assert sorted(stamps("/truth")) == sorted(stamps("/scan") + stamps("/image_raw/compressed"))


def test_images_are_pictures_of_the_size_in_camera_info(recorded):
    image = cv2.imdecode(recorded["/image_raw/compressed"][0].data, cv2.IMREAD_COLOR)
    info = recorded["/camera_info"][0]
    assert image.shape == (180, 320, 3)
    assert (info.width, info.height, info.distortion_model) == (320, 180, "plumb_bob")


def test_scans_hit_the_cones_at_their_true_positions(recorded):
    checked = 0
    truth_at = {stamp_ns_from_msg(m.header.stamp): m for m in recorded["/truth"]}
    for scan in recorded["/scan"]:
        angles = scan.angle_min + scan.angle_increment * np.arange(len(scan.ranges))
        points = np.stack([scan.ranges * np.cos(angles), scan.ranges * np.sin(angles)], axis=1)
        for cone in truth_at[stamp_ns_from_msg(scan.header.stamp)].cones:
            place = np.array([cone.position.x, cone.position.y])
            if cone.visible_lidar and np.linalg.norm(place) < 10.0:
                # A return lies on the surface, at most half a base plate from the axis.
                assert np.nanmin(np.linalg.norm(points - place, axis=1)) < 0.2
                checked += 1
    assert checked > 20


def test_a_spinning_lidar_is_recorded_when_its_scan_is_complete(tmp_path, vehicle):
    made = simulate(tmp_path / "drive", vehicle, scan_rate=10.0, scan_duration=0.09)
    with BagReader(made.path) as bag:
        scans = [(receive_ns, msg) for _, receive_ns, msg in bag.messages(["/scan"])]
        odometry = [stamp_ns_from_msg(m.header.stamp) for _, _, m in bag.messages(["/odom"])]
    assert made.scans == len(scans) == 3
    for receive_ns, scan in scans:
        assert receive_ns - stamp_ns_from_msg(scan.header.stamp) == 90_000_000
        assert scan.time_increment * (len(scan.ranges) - 1) == pytest.approx(0.09)
        assert scan.scan_time == pytest.approx(0.1)
    assert odometry[-1] >= scans[-1][0]


def test_a_scan_that_takes_longer_than_its_period_is_refused(tmp_path, vehicle):
    with pytest.raises(ValueError, match=r"scan_duration is 0\.09 s at 40\.0 scans per second"):
        simulate(tmp_path / "drive", vehicle, scan_duration=0.09)


def test_cones_appear_in_the_image_where_truth_and_calibration_put_them(made, recorded, vehicle):
    with BagReader(made.path) as bag:
        camera_from_lidar = recorded_frames(bag, "/tf_static").lookup("camera_optical", "lidar")
    image = recorded["/image_raw/compressed"][2]
    picture = cv2.imdecode(image.data, cv2.IMREAD_COLOR).astype(int)  # blue, green, red
    stamp = stamp_ns_from_msg(image.header.stamp)
    [truth] = [m for m in recorded["/truth"] if stamp_ns_from_msg(m.header.stamp) == stamp]
    seen = [c for c in truth.cones if c.visible_camera and np.hypot(c.position.x, c.position.y) < 8]
    places = [[c.position.x, c.position.y, c.position.z + 0.07] for c in seen]
    pixels, _ = project_points(
        torch.tensor(places, dtype=torch.float64),
        torch.from_numpy(camera_from_lidar),
        vehicle.camera.model().intrinsics.double(),
    )
    found = 0
    for (u, v), cone in zip(pixels.round().int().tolist(), seen, strict=True):
        if not (4 < u < 316 and 4 < v < 176) or cone.colour not in (BLUE, YELLOW):
            continue
        patch = picture[v - 3 : v + 4, u - 3 : u + 4].reshape(-1, 3)
        blueness = patch[:, 0] - patch[:, 2]
        assert blueness.max() > 30 if cone.colour == BLUE else blueness.min() < -30
        found += 1
    assert found >= 2


def test_odometry_starts_where_the_track_starts(recorded, vehicle):
    start = make_track("acceleration", 1, vehicle).start_pose()
    pose = recorded["/odom"][0].pose.pose.position
    assert (pose.x, pose.y) == pytest.approx((start.x, start.y), abs=0.01)


def test_the_map_beside_the_bag_holds_the_cones_of_the_truth(made, recorded):
    positions, _ = read_cones(made.track)
    [first, *_] = recorded["/truth"]
    # The LiDAR is 1.6 m ahead of base_link, which starts at x = -2 and looks along x.
    ahead = np.array([[c.position.x - 0.4, c.position.y] for c in first.cones])
    nearest = np.linalg.norm(ahead[:, None] - positions[None], axis=2).min(axis=1)
    assert nearest.max() < 0.01


def test_the_same_settings_give_the_same_bag(made, tmp_path, vehicle):
    again = simulate(tmp_path / "again", vehicle)
    with BagReader(made.path) as first, BagReader(again.path) as second:
        assert list(first.raw_messages()) == list(second.raw_messages())


def test_another_seed_gives_another_bag(recorded, tmp_path, vehicle):
    other = simulate(tmp_path / "other", vehicle, seed=4)
    with BagReader(other.path) as bag:
        _, _, scan = next(bag.messages(["/scan"]))
    assert not np.array_equal(scan.ranges, recorded["/scan"][0].ranges)


def test_raw_images_are_written_on_request(tmp_path, vehicle):
    made = simulate(tmp_path / "raw", vehicle, quality=0, seconds=0.1)
    with BagReader(made.path) as bag:
        [(_, _, image), *_] = bag.messages(["/image_raw"])
    assert (image.width, image.height, image.encoding, image.step) == (320, 180, "rgb8", 960)


def test_worker_processes_render_the_same_images(made, tmp_path, vehicle):
    track = make_track("acceleration", 1, vehicle)
    config = BagConfig(seconds=0.3, seed=3, camera_rate=20.0)
    path = tmp_path / "parallel"
    simulate_bag(path, track, vehicle, DriveConfig(), config, workers=2)
    with BagReader(made.path) as first, BagReader(path) as second:
        assert list(first.raw_messages()) == list(second.raw_messages())


def test_an_unknown_track_or_world_is_refused_with_the_choices(tmp_path, vehicle):
    with pytest.raises(ValueError, match="track is 'monza', expected random, acceleration"):
        make_track("monza", 1, vehicle)
    with pytest.raises(ValueError, match="world is 'mars', expected one of clear"):
        simulate(tmp_path / "bag", vehicle, world="mars")


def test_a_3d_lidar_records_clouds_with_rings_and_times_in_place_of_scans(tmp_path, vehicle):
    made = simulate(tmp_path / "clouds", vehicle, lidar="xt16", seconds=0.2)
    with BagReader(made.path) as bag:
        assert "/scan" not in bag.topics
        first, second = (points_from_msg(msg) for _, _, msg in bag.messages(["/points"]))
        truths = [truth_from_msg(msg) for _, _, msg in bag.messages(["/truth"])]
        frames = recorded_frames(bag, "/tf_static")
    mounting = vehicle.cloud_lidar.mounting
    assert frames.lookup("base_link", "lidar")[2, 3] == pytest.approx(mounting.z)
    assert made.scans == 2
    assert len(first.points) > 3000
    assert set(first.rings.tolist()) <= set(range(16))
    assert 0.05 < float(second.times.max()) < 0.1
    assert second.warning == ""
    assert any(truth.visible_lidar.any() for truth in truths)


def test_refuses_a_lidar_that_is_not_known(vehicle):
    with pytest.raises(ValueError, match="lidar is 'os9', expected one of os0-32"):
        BagConfig(lidar="os9")
