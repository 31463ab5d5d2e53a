"""What the graph owes before the simulated time may go on."""

import pytest

from conegrad_simulation.closed_loop.lockstep import Lockstep

MS = 1_000_000  # [ns]


@pytest.fixture
def lockstep():
    return Lockstep(pairing_timeout=0.15)


def pass_scan(lockstep, ms):
    lockstep.sent("lidar", ms * MS)
    lockstep.answered("lidar", ms * MS)
    lockstep.moved((ms + 10) * MS)


def pass_image(lockstep, ms):
    lockstep.sent("camera", ms * MS)
    lockstep.answered("camera", ms * MS)


def test_sensors_owe_their_first_results(lockstep):
    lockstep.sent("camera", 7 * MS)
    lockstep.sent("lidar", 25 * MS)
    assert sorted(lockstep.owed(25 * MS)) == ["detections", "segmentation"]
    lockstep.answered("camera", 7 * MS)
    assert lockstep.owed(25 * MS) == ["segmentation"]


def test_an_image_owes_cones_once_a_scan_has_passed_and_odometry_covers_both(lockstep):
    pass_image(lockstep, 7)
    assert lockstep.owed(20 * MS) == []
    lockstep.sent("lidar", 25 * MS)
    lockstep.answered("lidar", 25 * MS)
    assert lockstep.owed(25 * MS) == []
    lockstep.moved(30 * MS)
    assert lockstep.owed(30 * MS) == ["cones"]
    lockstep.fused(7 * MS, 25 * MS, is_driven=False, now=5.0)
    assert lockstep.owed(30 * MS) == []


def test_cones_owe_a_command_where_a_driver_hears(lockstep):
    lockstep.fused(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.owed(30 * MS) == ["command"]
    lockstep.commanded(5.1)
    assert lockstep.owed(30 * MS) == []


def test_a_command_that_overtakes_its_cones_is_their_answer(lockstep):
    lockstep.commanded(4.995)
    lockstep.fused(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.owed(30 * MS) == []
    lockstep.fused(107 * MS, 125 * MS, is_driven=True, now=5.001)  # it answered one, not both
    assert lockstep.owed(130 * MS) == ["command"]


def test_a_command_long_before_the_cones_is_no_answer(lockstep):
    lockstep.commanded(4.9)
    lockstep.fused(7 * MS, 25 * MS, is_driven=True, now=5.0)
    assert lockstep.owed(30 * MS) == ["command"]


def test_without_scans_an_image_owes_cones_when_the_pairing_gives_up(lockstep):
    pass_image(lockstep, 7)
    pass_scan(lockstep, 25)
    lockstep.fused(7 * MS, 25 * MS, is_driven=False, now=5.0)
    pass_image(lockstep, 107)
    assert lockstep.owed(250 * MS) == []
    # 150 ms after the first image without a scan.
    assert lockstep.owed(257 * MS) == ["cones"]


def test_without_images_a_scan_owes_cones_of_its_own(lockstep):
    pass_image(lockstep, 7)
    for ms in (25, 50, 75, 100, 125, 150):
        pass_scan(lockstep, ms)
    lockstep.fused(7 * MS, 25 * MS, is_driven=False, now=5.0)
    assert lockstep.owed(160 * MS) == []
    # 150 ms after the first scan without an image, which came at 25 ms.
    pass_scan(lockstep, 175)
    assert lockstep.owed(185 * MS) == ["cones"]
    lockstep.fused(None, 175 * MS, is_driven=False, now=5.0)
    assert lockstep.owed(185 * MS) == []


def test_without_a_fusion_no_cones_are_owed(lockstep):
    lockstep.sent("camera", 7 * MS, is_fused=False)
    lockstep.answered("camera", 7 * MS)
    pass_scan(lockstep, 25)
    assert lockstep.owed(400 * MS) == []


def test_what_is_given_up_is_counted(lockstep):
    lockstep.sent("camera", 7 * MS)
    lockstep.fused(None, None, is_driven=True, now=5.0)
    assert lockstep.give_up(8 * MS) == ["detections", "command"]
    assert lockstep.owed(8 * MS) == []
    assert lockstep.given_up == {"detections": 1, "command": 1}
