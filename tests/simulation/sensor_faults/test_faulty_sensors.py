"""What faults make of images, scans, stamps, mountings and odometry."""

import math

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive import CarState
from conegrad_simulation.sensor_faults.car_history import CarHistory
from conegrad_simulation.sensor_faults.faulty_sensors import FaultySensors
from conegrad_simulation.sensor_faults.timed_fault import read_timed_fault

VEHICLE = load_vehicle("formula_student")


def sensors(*words):
    return FaultySensors([read_timed_fault(text) for text in words], VEHICLE)


def test_without_faults_everything_is_as_it_was():
    intact = sensors()
    image, ranges = np.full((4, 6, 3), 9, dtype=np.uint8), np.ones(VEHICLE.lidar.beams, np.float32)
    assert intact.image(image, 1.0, 0) is image
    assert intact.scan(ranges, 1.0, 0) is ranges
    assert intact.camera(1.0) is VEHICLE.camera
    assert intact.exposure(1.0, 0) == (1.0, 1.0)
    assert intact.odometry(Pose(1.0, 2.0, 0.5), 3.0, 1.0, 0) == ((1.0, 2.0, 0.5), 3.0)


def test_images_change_only_while_the_fault_acts():
    swapped = sensors("image_channels_swapped:3@1-2")
    red = np.zeros((2, 2, 3), dtype=np.uint8)
    red[..., 0] = 200
    assert swapped.image(red, 0.9, 0)[0, 0].tolist() == [200, 0, 0]
    assert swapped.image(red, 1.5, 1)[0, 0].tolist() == [0, 0, 200]


def test_a_lost_sensor_sends_nothing():
    lost = sensors("no_image", "no_scan")
    assert lost.image(np.zeros((2, 2, 3), dtype=np.uint8), 1.0, 0) is None
    assert lost.scan(np.ones(VEHICLE.lidar.beams, np.float32), 1.0, 0) is None


def test_a_blocked_sector_has_no_returns():
    ranges = np.full(VEHICLE.lidar.beams, 5.0, dtype=np.float32)
    found = sensors("scan_blocked_sector:width=90,centre=0").scan(ranges, 1.0, 0)
    # 90 of the 270 degrees of the LiDAR.
    assert np.isnan(found).mean() == pytest.approx(1 / 3, abs=0.01)
    assert np.isfinite(ranges).all()


def test_a_late_camera_sends_what_it_saw_earlier_under_the_stamp_of_now():
    assert sensors("camera_late:milliseconds=60").exposure(2.0, 0) == (pytest.approx(1.94), 2.0)


def test_an_early_stamp_is_before_the_image():
    assert sensors("camera_late:milliseconds=-60").exposure(2.0, 0) == (2.0, pytest.approx(1.94))


def test_stamps_that_jitter_still_rise():
    jitters = sensors("camera_jitter:milliseconds=0,jitter=200")
    stamps = [jitters.exposure(0.1 * k, k).stamp for k in range(100)]
    assert min(np.diff(stamps)) > 0


def test_a_frozen_camera_repeats_an_image_and_then_takes_a_new_one():
    frozen = sensors("camera_frozen:milliseconds=400@1-")
    taken = [frozen.exposure(time, 0).taken for time in (0.9, 1.0, 1.2, 1.39, 1.45, 1.79, 1.81)]
    assert taken == pytest.approx([0.9, 1.0, 1.0, 1.0, 1.4, 1.4, 1.8])


def test_a_camera_that_is_knocked_looks_lower_than_its_calibration_says():
    before = VEHICLE.camera.mounting
    mounting = sensors("camera_pitch:degrees=2@1-").camera(1.5).mounting
    assert mounting.pitch - before.pitch == pytest.approx(math.radians(2.0), abs=1e-6)
    assert (mounting.x, mounting.y, mounting.z) == pytest.approx((before.x, before.y, before.z))
    assert mounting.yaw == pytest.approx(before.yaw, abs=1e-6)


def test_a_camera_that_is_moved_hangs_further_left():
    mounting = sensors("camera_moved:y=10").camera(0.0).mounting
    assert mounting.y - VEHICLE.camera.mounting.y == pytest.approx(0.1, abs=1e-6)


def test_slip_adds_up_from_the_start_of_the_fault_on():
    slips = sensors("odometry_slip:share=0.5@1-")
    for number, x in enumerate((0.0, 1.0, 2.0, 3.0)):
        pose, speed = slips.odometry(Pose(x, 0.0, 0.0), 2.0, 0.5 * number, number)
    # 1 m before the fault, 1.5 m for each of the two after it.
    assert pose == pytest.approx((4.0, 0.0, 0.0))
    assert speed == pytest.approx(3.0)


def test_lost_odometry_goes_on_where_the_car_is():
    lost = sensors("odometry_lost@1-2")
    assert lost.odometry(Pose(0.0, 0.0, 0.0), 2.0, 0.0, 0) is not None
    assert lost.odometry(Pose(2.0, 1.0, 0.3), 2.0, 1.0, 1) is None
    assert lost.odometry(Pose(4.0, 1.0, 0.3), 2.0, 2.0, 2)[0] == pytest.approx((4.0, 1.0, 0.3))


def test_the_history_knows_where_the_car_was_between_two_states():
    history = CarHistory()
    for time, x in ((0.0, 0.0), (1.0, 4.0), (2.0, 6.0)):
        history.add(time, CarState(Pose(x, 1.0, 0.1), x, 0.0, 0.0, 0.0))
    assert history.state(0.5).pose == pytest.approx((2.0, 1.0, 0.1))
    assert history.state(1.25).speed == pytest.approx(4.5)
    assert history.state(2.0).pose.x == 6.0
    assert history.state(-1.0).pose.x == 0.0
