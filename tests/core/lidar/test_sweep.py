"""When beams were measured, and where the LiDAR was then."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.geometry.odometry import Path2
from conegrad_core.geometry.transforms import mounting_matrix
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.sweep import SweepConfig, corrected_times, sweep_span, with_motions

TIMES = torch.tensor([0.0, 0.02, 0.04, 0.1])
STRAIGHT = Path2(np.array([0.0, 0.1]), np.array([[0.0, 0, 0], [1.0, 0, 0]]))  # 10 m/s


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, [0.0, 0.02, 0.04, 0.1], id="as the message says"),
        pytest.param({"stamp": "last"}, [-0.1, -0.08, -0.06, 0.0], id="stamp of the last beam"),
        pytest.param({"stamp": "middle"}, [-0.05, -0.03, -0.01, 0.05], id="of the middle"),
        pytest.param({"is_reversed": True}, [0.1, 0.08, 0.06, 0.0], id="measured backwards"),
        pytest.param(
            {"is_reversed": True, "stamp": "last"}, [0.0, -0.02, -0.04, -0.1], id="an RPLIDAR"
        ),
    ],
)
def test_what_a_driver_says_wrongly_about_times_is_set_right(settings, expected):
    found = corrected_times(TIMES, SweepConfig(**settings))
    torch.testing.assert_close(found, torch.tensor(expected))


def test_times_of_another_origin_are_counted_from_the_beam_that_is_named():
    found = corrected_times(TIMES + 37.0, SweepConfig(stamp="first"))
    torch.testing.assert_close(found, TIMES, atol=1e-5, rtol=0)


def test_refuses_a_stamp_of_no_beam():
    with pytest.raises(ValueError, match="stamp is 'end'"):
        SweepConfig(stamp="end")


def test_a_scan_without_times_or_path_stays_as_it_is():
    still = Scan(torch.ones(4), torch.arange(4) * 0.1)
    assert with_motions(still, STRAIGHT, torch.eye(4)) is still
    assert sweep_span(still) == (0.0, 0.0)
    timed = still._replace(times=TIMES)
    assert with_motions(timed, None, torch.eye(4)) is timed
    assert sweep_span(timed) == pytest.approx((0.0, 0.1))


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        pytest.param((0.0, 0.0, 0.0), [0.4, 0.0, 0.0], id="looking ahead"),
        pytest.param((0.0, 0.0, math.pi / 2), [0.0, -0.4, 0.0], id="looking left"),
        pytest.param((0.0, 0.0, math.pi), [-0.4, 0.0, 0.0], id="looking back"),
    ],
)
def test_the_lidar_moves_with_the_car_in_its_own_axes(angles, expected):
    mounting = mounting_matrix(torch.tensor([1.6, 0.0, 0.2]), *angles)
    scan = Scan(torch.ones(4), torch.arange(4) * 0.1, times=TIMES)
    motions = with_motions(scan, STRAIGHT, mounting).motions
    torch.testing.assert_close(motions[2], torch.tensor(expected), atol=1e-6, rtol=0)


def test_a_turning_car_swings_its_nose():
    # 1 rad/s about the rear axle, the LiDAR 2 m ahead of it: after 0.1 s 0.2 m to the left.
    path = Path2(np.array([0.0, 0.1]), np.array([[0.0, 0, 0], [0.0, 0, 0.1]]))
    mounting = mounting_matrix(torch.tensor([2.0, 0.0, 0.2]), 0.0, 0.0, 0.0)
    scan = Scan(torch.ones(4), torch.arange(4) * 0.1, times=TIMES)
    x, y, yaw = with_motions(scan, path, mounting).motions[3].tolist()
    assert (x, y, yaw) == pytest.approx((2 * math.cos(0.1) - 2, 2 * math.sin(0.1), 0.1), abs=1e-6)


def test_a_lidar_upside_down_turns_the_other_way():
    path = Path2(np.array([0.0, 0.1]), np.array([[0.0, 0, 0], [1.0, 0.2, 0.1]]))
    mounting = mounting_matrix(torch.zeros(3), math.pi, 0.0, 0.0)
    scan = Scan(torch.ones(4), torch.arange(4) * 0.1, times=TIMES)
    motion = with_motions(scan, path, mounting).motions[3]
    torch.testing.assert_close(motion, torch.tensor([1.0, -0.2, -0.1]), atol=1e-6, rtol=0)
