"""Pairing by stamps: who belongs to whom, who is alone, and why."""

import itertools
import math

import pytest

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.timing.pairing import Pairing, PairingConfig, PairingStatus

MS = 1_000_000


def pairs_of(pairing, detections=(), scans=(), poses=()):
    """Feed stamps [ms] in the order of time and collect what comes out."""
    events = [(t, 1, pairing.add_detections) for t in detections]
    events += [(t, 0, pairing.add_segmentation) for t in scans]
    events += [(t, 2, lambda ns, _: pairing.add_odometry(ns, Pose2(ns / 1e9, 0, 0))) for t in poses]
    out = []
    for t, _, add in sorted(events, key=lambda event: event[:2]):
        add(t * MS, t)
        out += pairing.take()
    return out


def matched(pairs):
    return [(pair.detections, pair.segmentation) for pair in pairs]


def test_each_image_gets_the_nearest_scan():
    pairs = pairs_of(Pairing(), detections=[30, 97], scans=[0, 25, 50, 75, 100, 125])
    assert matched(pairs) == [(30, 25), (97, 100)]


def test_an_image_waits_until_no_nearer_scan_can_come():
    pairing = Pairing()
    pairing.add_segmentation(0, "early")
    pairing.add_detections(20 * MS, "image")
    assert pairing.take() == []
    pairing.add_segmentation(25 * MS, "near")
    assert matched(pairing.take()) == [("image", "near")]


def test_the_order_of_arrival_does_not_matter():
    late = Pairing()
    for stamp in (0, 25, 50, 75, 100):
        late.add_segmentation(stamp * MS, stamp)
    late.add_detections(30 * MS, 30)  # its detector took 70 ms
    assert matched(late.take()) == [(30, 25)]


def test_cones_get_the_stamp_of_the_scan():
    (pair,) = pairs_of(Pairing(), detections=[30], scans=[25, 50])
    assert pair.stamp_ns == 25 * MS
    assert pair.lag == pytest.approx(0.005)


def test_each_scan_triggers_when_told_to():
    config = PairingConfig(trigger="lidar", tolerance=0.03)
    pairs = pairs_of(Pairing(config), detections=[0, 60, 120], scans=[10, 35, 55, 80])
    assert matched(pairs) == [(0, 10), (60, 35), (60, 55), (60, 80)]


def test_odometry_between_the_stamps_becomes_motion():
    (pair,) = pairs_of(Pairing(), detections=[30], scans=[20, 60], poses=[0, 40, 80])
    # The pose is x = t: seen from the scan at 20 ms, the image was taken 0.01 m further on.
    assert pair.motion.x == pytest.approx(0.01)
    assert pair.motion.yaw == 0


def test_a_pair_knows_where_the_car_is_at_the_stamp_of_its_cones():
    (both,) = pairs_of(Pairing(), detections=[30], scans=[0, 20, 40], poses=[0, 50])
    assert both.segmentation == 20
    assert both.pose == pytest.approx(Pose2(0.02, 0, 0))
    assert pairs_of(Pairing(), detections=[30], scans=[0, 20, 40])[0].pose is None


def test_poses_in_another_frame_have_another_origin():
    pairing = Pairing()
    (first,) = pairs_of(pairing, detections=[30], scans=[0, 20, 40], poses=[0, 50])
    pairing.forget_odometry()
    (second,) = pairs_of(pairing, detections=[130], scans=[100, 120, 140], poses=[110, 150])
    assert second.pose is not None
    assert first.origin != second.origin


def test_motion_is_in_the_axes_of_the_car_at_the_scan():
    pairing = Pairing()
    pairing.add_odometry(0, Pose2(0, 0, math.pi / 2))
    pairing.add_odometry(100 * MS, Pose2(0, 1, math.pi / 2))
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(40 * MS, "image")
    pairing.add_segmentation(90 * MS, "later scan")
    (pair,) = pairing.take()
    assert tuple(pair.motion) == pytest.approx((0.4, 0, 0))  # the car drove along its own x


def test_a_turn_across_half_a_turn_is_interpolated_the_short_way():
    pairing = Pairing()
    pairing.add_odometry(0, Pose2(0, 0, math.pi - 0.1))
    pairing.add_odometry(100 * MS, Pose2(0, 0, -math.pi + 0.1))
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(40 * MS, "image")
    pairing.add_segmentation(100 * MS, "later scan")
    (pair,) = pairing.take()
    assert pair.motion.yaw == pytest.approx(0.08)


def test_a_camera_one_period_late_is_used_with_odometry():
    poses = range(0, 400, 20)
    scans = [100, 300]
    (pair, *_) = pairs_of(Pairing(), detections=[190], scans=scans, poses=poses)
    assert matched([pair]) == [(190, 100)]
    assert pair.motion.x == pytest.approx(0.09)


def test_without_odometry_the_same_camera_is_alone_and_says_why():
    (pair,) = pairs_of(Pairing(), detections=[190], scans=[100, 300])
    assert matched([pair]) == [(190, None)]
    assert pair.reason == (
        "nearest scan is 0.09 s away, tolerance 0.05 s: check clocks or offset, or give odometry"
    )


def test_an_offset_moves_the_stamps_of_one_sensor_but_not_the_output():
    config = PairingConfig(camera_offset=-0.1)
    (pair,) = pairs_of(Pairing(config), detections=[130], scans=[25, 50, 75])
    assert matched([pair]) == [(130, 25)]
    assert pair.stamp_ns == 25 * MS


def test_images_are_put_out_alone_while_the_lidar_is_silent():
    pairs = pairs_of(Pairing(), detections=range(0, 1000, 100), scans=[0, 100])
    assert matched(pairs)[:2] == [(0, 0), (100, 100)]
    assert matched(pairs)[2:] == [(t, None) for t in range(200, 1000, 100)]


def test_scans_are_put_out_alone_while_the_camera_is_silent():
    pairing = Pairing()
    pairs = pairs_of(pairing, detections=[0], scans=range(0, 500, 100))
    # The scan at 100 ms is the first without a camera: 300 ms later the camera is given up.
    assert matched(pairs) == [(0, 0), (None, 400)]
    assert pairs[-1].reason == "no detections for more than 0.3 s"
    assert pairing.status().lidar_alone == 1


def test_sensors_slower_than_the_timeout_are_paired():
    pairing = Pairing()
    pairs = pairs_of(pairing, detections=[0, 1000, 2000], scans=[0, 1000, 2000])
    assert matched(pairs) == [(0, 0), (1000, 1000), (2000, 2000)]


def test_an_image_before_its_scan_waits_even_when_the_last_scan_is_old():
    pairing = Pairing()
    pairing.add_segmentation(0, "old")
    pairing.add_detections(1000 * MS, "image")
    assert pairing.take(1000 * MS) == []
    pairing.add_segmentation(1001 * MS, "its scan")
    assert matched(pairing.take(1001 * MS)) == [("image", "its scan")]


def test_a_sensor_that_never_came_does_not_block():
    assert matched(pairs_of(Pairing(), scans=[0, 200, 400])) == [(None, 400)]
    images = matched(pairs_of(Pairing(), detections=[0, 200, 400]))
    assert images == [(0, None), (200, None), (400, None)]


def test_the_clock_ends_a_wait_when_every_sensor_stopped():
    pairing = Pairing()
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(10 * MS, "image")
    assert pairing.take(now_ns=200 * MS) == []
    assert matched(pairing.take(now_ns=310 * MS)) == [("image", "scan")]


def test_a_clock_of_another_time_is_not_believed():
    pairing = Pairing()
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(10 * MS, "image")
    assert pairing.take(now_ns=10**18) == []


def test_flushing_puts_out_what_waits():
    pairing = Pairing()
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(10 * MS, "image")
    assert matched(pairing.flush()) == [("image", "scan")]
    assert pairing.flush() == []


def test_stamps_jumping_back_start_anew_and_are_reported():
    pairing = Pairing()
    pairs_of(pairing, detections=[5000], scans=[5000])
    pairs = pairs_of(pairing, detections=[12], scans=[0, 20])
    assert matched(pairs) == [(12, 20)]
    assert pairing.status().resets == 1


def test_a_reset_names_the_jump():
    pairing = Pairing()
    pairing.add_segmentation(5000 * MS, "scan")
    pairing.add_detections(5000 * MS, "image")
    pairing.add_segmentation(0, "scan")
    pairing.add_detections(0, "image")
    assert pairing.why_starved() == "stamps jumped back by 5.0 s: started anew"


def test_a_message_slightly_out_of_order_is_dropped_and_counted():
    pairing = Pairing()
    pairing.add_segmentation(50 * MS, "scan")
    pairing.add_segmentation(25 * MS, "overtaken")
    pairing.add_segmentation(50 * MS, "again")
    assert pairing.status().dropped == 2


def test_an_image_later_than_what_is_out_is_dropped():
    pairing = Pairing()
    pairs_of(pairing, detections=[0], scans=range(0, 800, 100))
    pairing.add_detections(100 * MS, "late")
    assert pairing.take() == []
    assert pairing.status().dropped == 1


def test_buffers_are_bounded():
    pairing = Pairing(PairingConfig(buffer=4, timeout=100.0))
    for stamp in range(10):
        pairing.add_detections(stamp * MS, stamp)
    assert pairing.status().dropped == 6
    assert matched(pairing.flush()) == [(t, None) for t in (6, 7, 8, 9)]


@pytest.mark.parametrize(
    ("detections", "scans", "reason"),
    [
        pytest.param([], [0], "no detections received yet", id="never"),
        pytest.param([0], range(0, 900, 20), "no detections for 0.9 s", id="silent"),
        pytest.param([0, 20], [0, 20, 40], "", id="well"),
    ],
)
def test_says_why_nothing_is_paired(detections, scans, reason):
    pairing = Pairing()
    pairs_of(pairing, detections, scans)
    assert pairing.why_starved() == reason


def test_says_when_two_clocks_differ():
    pairing = Pairing()
    for step in range(5):
        pairing.add_detections((7000 + 20 * step) * MS, "image")
        pairing.add_segmentation(20 * step * MS, "scan")
        pairing.take()
    assert pairing.why_starved() == (
        "stamps of segmentation are 7.00 s behind: check clocks or offset"
    )


def test_waits_for_odometry_that_is_on_its_way():
    pairing = Pairing()
    pairing.add_odometry(0, Pose2(0, 0, 0))
    pairing.add_segmentation(0, "scan")
    pairing.add_segmentation(25 * MS, "next scan")
    pairing.add_detections(5 * MS, "image")
    assert pairing.take() == []
    pairing.add_odometry(10 * MS, Pose2(0.1, 0, 0))
    (pair,) = pairing.take()
    assert pair.motion.x == pytest.approx(0.05)


def test_refuses_an_unknown_trigger():
    with pytest.raises(ValueError, match=r"trigger is 'timer', expected 'camera' or 'lidar'"):
        PairingConfig(trigger="timer")


def test_odometry_is_waited_for_until_the_last_beam_but_only_for_a_moment():
    pairing = Pairing()
    for stamp in range(0, 141, 10):
        pairing.add_odometry(stamp * MS, Pose2(stamp / 100, 0, 0))  # 10 m/s
    pairing.add_segmentation(50 * MS, "scan", (0.0, 0.1))
    pairing.add_detections(50 * MS, "image")
    assert pairing.take(145 * MS) == []
    (pair,) = pairing.take(171 * MS)  # 20 ms after the last beam
    assert pair.path.poses[-1].tolist() == pytest.approx([1.0, 0.0, 0.0])


def test_a_scan_is_fused_as_soon_as_odometry_covers_it():
    pairing = Pairing()
    pairing.add_segmentation(50 * MS, "scan", (0.0, 0.1))
    pairing.add_detections(50 * MS, "image")
    pairing.add_odometry(0, Pose2(0, 0, 0))
    pairing.add_odometry(140 * MS, Pose2(1.4, 0, 0))
    assert pairing.take() == []
    pairing.add_odometry(150 * MS, Pose2(1.5, 0, 0))
    (pair,) = pairing.take()
    assert pair.path.poses[-1].tolist() == pytest.approx([1.0, 0.0, 0.0])


def test_a_scan_alone_has_its_path_too():
    pairing = Pairing(PairingConfig(timeout=0.2))
    for stamp in range(0, 700, 10):
        pairing.add_odometry(stamp * MS, Pose2(stamp / 100, 0, 0))
    alone = []
    for stamp in (0, 100, 200, 300, 400):
        pairing.add_segmentation(stamp * MS, stamp, (-0.1, 0.0))
        alone += pairing.take()
    assert [pair.segmentation for pair in alone] == [200, 300, 400]
    assert alone[0].path.poses[0].tolist() == pytest.approx([-1.0, 0.0, 0.0])


def test_a_scan_without_odometry_or_without_times_has_no_path():
    without_times = pairs_of(Pairing(), detections=[30], scans=[25, 50], poses=[0, 60])
    assert without_times[0].path is None
    pairing = Pairing()
    pairing.add_segmentation(50 * MS, "scan", (0.0, 0.1))
    pairing.add_detections(50 * MS, "image")
    assert pairing.take()[0].path is None


def test_a_sensor_that_is_alone_by_intent_waits_for_none_and_nothing_is_starved():
    pairing = Pairing(PairingConfig(trigger="lidar"), ["camera"])
    assert pairing.trigger == "camera"
    assert pairing.why_starved() == "no detections received yet"
    for stamp in (0, 100_000_000):
        pairing.add_detections(stamp, f"image {stamp}")
        (alone,) = pairing.take()
        assert (alone.stamp_ns, alone.detections) == (stamp, f"image {stamp}")
        assert (alone.segmentation, alone.reason) == (None, "")
    assert pairing.status() == PairingStatus(0, 2, 0, 0, 0, "")
    assert pairing.why_starved(900_000_000) == "no detections for 0.8 s"


def arrived(pairing, until, stops, periods=None):
    """Times of the outputs [ms] of even sensors, of which some stop at a time [ms]."""
    periods = periods or {"detections": 100, "segmentation": 25, "odometry": 10}
    times = []
    for now in range(0, until, 5):
        for sensor, period in periods.items():
            if now % period == 0 and now <= stops.get(sensor, until):
                value = Pose2(now / 1e3, 0, 0) if sensor == "odometry" else now
                getattr(pairing, f"add_{sensor}")(now * MS, value)
        times += [now] * len(pairing.take(now * MS))
    return times


@pytest.mark.parametrize("sensor", ["detections", "segmentation", "odometry"])
def test_a_sensor_that_came_evenly_leaves_no_gap_when_it_stops(sensor):
    times = arrived(Pairing(), 4000, {sensor: 2000})
    after = [time for time in times if time >= 1900]
    assert max(b - a for a, b in itertools.pairwise(after)) <= 150
    assert after[-1] >= 3800


def test_a_sensor_that_comes_unevenly_is_waited_for_as_long_as_it_took():
    pairing = Pairing()
    stamps = [0, 100, 350, 450, 700, 800, 1050, 1150, 1400, 1500, 1750]
    for now in range(0, 1900, 5):
        if now in stamps:
            pairing.add_detections(now * MS, now)
        if now % 25 == 0:
            pairing.add_segmentation(now * MS, now)
        assert all(pair.detections is not None for pair in pairing.take(now * MS))
    assert pairing.status().paired == len(stamps)


def test_messages_at_an_even_rate_are_never_given_up():
    pairing = Pairing()
    arrived(pairing, 4000, {})
    status = pairing.status(4000 * MS)
    assert (status.camera_alone, status.lidar_alone, status.dropped) == (0, 0, 0)
    assert status.paired == 40
