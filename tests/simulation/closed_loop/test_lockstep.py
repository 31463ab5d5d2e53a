"""Results that are pending before simulated time may advance."""

import pytest

from conegrad_simulation.closed_loop.lockstep import Lockstep

MS = 1_000_000  # [ns]


@pytest.fixture
def lockstep():
    return Lockstep(pairing_timeout=0.15)


def pass_scan(lockstep, ms):
    lockstep.add_sensor_message("lidar", ms * MS)
    lockstep.add_result("lidar", ms * MS)
    lockstep.add_odometry((ms + 10) * MS)


def pass_image(lockstep, ms):
    lockstep.add_sensor_message("camera", ms * MS)
    lockstep.add_result("camera", ms * MS)


def test_the_first_results_of_sensors_are_pending(lockstep):
    lockstep.add_sensor_message("camera", 7 * MS)
    lockstep.add_sensor_message("lidar", 25 * MS)
    assert sorted(lockstep.pending(25 * MS)) == ["detections", "segmentation"]
    lockstep.add_result("camera", 7 * MS)
    assert lockstep.pending(25 * MS) == ["segmentation"]


def test_cones_of_an_image_are_pending_once_a_scan_has_passed_and_odometry_covers_both(lockstep):
    pass_image(lockstep, 7)
    assert lockstep.pending(20 * MS) == []
    lockstep.add_sensor_message("lidar", 25 * MS)
    lockstep.add_result("lidar", 25 * MS)
    assert lockstep.pending(25 * MS) == []
    lockstep.add_odometry(30 * MS)
    assert lockstep.pending(30 * MS) == ["cones"]
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=False, now=5.0)
    assert lockstep.pending(30 * MS) == []


def test_a_command_is_pending_after_cones_where_a_driver_subscribes(lockstep):
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.pending(30 * MS) == ["command"]
    lockstep.add_command(5.1)
    assert lockstep.pending(30 * MS) == []


def test_a_command_that_overtakes_its_cones_counts_for_them(lockstep):
    lockstep.add_command(4.95)  # on a busy machine
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.pending(30 * MS) == []
    lockstep.add_cones(107 * MS, 125 * MS, is_driven=True, now=5.001)  # it counts for one, not both
    assert lockstep.pending(130 * MS) == ["command"]


def test_a_command_long_before_the_cones_does_not_count(lockstep):
    lockstep.add_command(4.8)
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.pending(30 * MS) == ["command"]


def test_without_scans_cones_are_pending_after_the_pairing_timeout(lockstep):
    pass_image(lockstep, 7)
    pass_scan(lockstep, 25)
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=False, now=5.0)
    pass_image(lockstep, 107)
    assert lockstep.pending(250 * MS) == []
    # 150 ms after the first image without a scan.
    assert lockstep.pending(257 * MS) == ["cones"]


def test_without_images_cones_of_a_scan_are_pending(lockstep):
    pass_image(lockstep, 7)
    for ms in (25, 50, 75, 100, 125, 150):
        pass_scan(lockstep, ms)
    lockstep.add_cones(7 * MS, 25 * MS, is_driven=False, now=5.0)
    assert lockstep.pending(160 * MS) == []
    # 150 ms after the first scan without an image, which came at 25 ms.
    pass_scan(lockstep, 175)
    assert lockstep.pending(185 * MS) == ["cones"]
    lockstep.add_cones(None, 175 * MS, is_driven=False, now=5.0)
    assert lockstep.pending(185 * MS) == []


def test_without_a_fusion_no_cones_are_pending(lockstep):
    lockstep.add_sensor_message("camera", 7 * MS, is_fused=False)
    lockstep.add_result("camera", 7 * MS)
    pass_scan(lockstep, 25)
    assert lockstep.pending(400 * MS) == []


def test_abandoned_results_are_counted(lockstep):
    lockstep.add_sensor_message("camera", 7 * MS)
    lockstep.add_cones(None, None, is_driven=True, now=5.0)
    assert lockstep.abandon(8 * MS) == ["detections", "command"]
    assert lockstep.pending(8 * MS) == []
    assert lockstep.missing_results == {"detections": 1, "command": 1}


def test_cones_are_answered_once_a_command_follows_them(lockstep):
    lockstep.add_command(now=0.0)  # a stop of the timer, long before the first cones
    lockstep.add_cones(7 * MS, None, is_driven=True, now=5.0)
    assert lockstep.pending(7 * MS) == ["command"]
    assert not lockstep.is_commanded
    assert lockstep.cones_at == 5.0
    lockstep.add_command(now=5.1)
    assert lockstep.is_commanded
