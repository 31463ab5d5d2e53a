"""Beams meet round and straight obstacles where geometry says."""

import math

import numpy as np
import pytest

from conegrad_simulation.lidar.ray_casting import GROUND, NOTHING, Fan, Targets, cast, targets_from
from conegrad_simulation.planar import Pose

FLAT = 0.0
DEGREE = math.radians(1)
AHEAD = Fan(-DEGREE, DEGREE, 3)  # beams at -1, 0 and 1 degree


def targets(frusta=(), walls=(), is_cone=False, solidity=1.0) -> Targets:
    count = len(frusta) + len(walls)
    return Targets(
        np.array(frusta, dtype=float).reshape(-1, 7),
        np.array(walls, dtype=float).reshape(-1, 5),
        np.full(count, is_cone),
        np.zeros(count),
        np.full(count, solidity),
    )


def post(x, y, radius, top=1.0):
    return (x, y, radius, radius, top, 0.0, 0.0)


def shoot(things, fan=AHEAD, height=0.15, slope=FLAT, **options):
    slopes = np.full(fan.beams, slope)
    return cast(things, fan, height, slopes, np.random.default_rng(0), **options)


def test_a_post_returns_its_near_side():
    hits = shoot(targets([post(5, 0, 0.05)]))
    np.testing.assert_allclose(hits.ranges, [np.inf, 4.95, np.inf])
    assert hits.target_rows.tolist() == [NOTHING, 0, NOTHING]


def test_a_beam_beside_the_axis_of_a_post_goes_deeper():
    offset = 0.03  # [m], half chord sqrt(0.05^2 - 0.03^2) = 0.04
    hits = shoot(targets([post(5, offset, 0.05)]))
    np.testing.assert_allclose(hits.ranges[1], 4.96)


def test_the_nearer_of_two_obstacles_hides_the_other():
    hits = shoot(targets([post(5, 0, 0.5)], [(3, -1, 3, 1, 1.0)]))
    np.testing.assert_allclose(hits.ranges, [3 / math.cos(DEGREE), 3.0, 3 / math.cos(DEGREE)])
    assert hits.target_rows.tolist() == [1, 1, 1]


@pytest.mark.parametrize("reverse", [False, True], ids=["left to right", "right to left"])
def test_a_wall_is_hit_from_both_drawing_directions(reverse):
    wall = (2, 1, 2, -1, 1.0) if reverse else (2, -1, 2, 1, 1.0)
    assert shoot(targets(walls=[wall])).ranges[1] == pytest.approx(2.0)


def test_the_plane_passes_over_lower_targets():
    low = targets([post(5, 0, 0.2, top=0.1)], [(7, -1, 7, 1, 0.1)])
    assert np.isinf(shoot(low, height=0.15).ranges).all()
    assert shoot(low, height=0.05).ranges[1] == pytest.approx(4.8)


def test_a_cone_is_cut_at_the_height_of_the_beam():
    cone = (5, 0, 0.10, 0.02, 0.325, 0, 0)
    # Half way up the radius is 0.06 m.
    assert shoot(targets([cone]), height=0.1625).ranges[1] == pytest.approx(4.94)
    # A beam that falls 0.02 m per metre is 0.0625 m high there: radius 0.10 - 0.08 * 0.1923.
    falling = shoot(targets([cone]), height=0.1625, slope=-0.02)
    assert falling.ranges[1] == pytest.approx(5 - (0.10 - 0.08 * 0.0625 / 0.325))


def test_a_falling_beam_meets_the_ground():
    hits = shoot(targets([post(9, 0, 0.2)]), height=0.15, slope=-0.02)
    np.testing.assert_allclose(hits.ranges, 7.5)
    assert set(hits.target_rows) == {GROUND}


@pytest.mark.parametrize("angle", [math.pi, -math.pi, 3.1, -3.1, 0.0])
def test_a_full_turn_has_no_seam(angle):
    fan = Fan(-math.pi, 2 * math.pi / 360, 360)
    thing = post(4 * math.cos(angle), 4 * math.sin(angle), 0.2)
    hit = np.isfinite(shoot(targets([thing]), fan).ranges)
    # asin(0.2 / 4) = 2.87 degrees to either side: 5 beams from a centre on a beam, 5-6 else.
    assert hit.sum() in (5, 6)
    assert hit[np.abs(np.angle(np.exp(1j * (fan.angles() - angle)))) < math.radians(2.8)].all()


def test_beams_behind_the_view_hit_nothing():
    assert np.isinf(shoot(targets([post(-5, 0, 1.0)])).ranges).all()


def test_a_wide_beam_widens_a_post_with_range():
    thing = targets([post(10, 0.2, 0.05)])  # 0.15 m beside the middle beam
    assert np.isinf(shoot(thing).ranges[1])
    assert np.isfinite(shoot(thing, beam_width=0.031).ranges[1])  # 0.155 m wider at 10 m


def test_half_solid_targets_let_half_of_the_beams_through():
    fan = Fan(-0.5, 0.001, 1001)
    hits = shoot(targets(walls=[(5, -9, 5, 9, 1.0)], solidity=0.5), fan)
    assert 0.45 < np.isfinite(hits.ranges).mean() < 0.55


def test_targets_move_against_the_pose():
    moved = targets_from(Pose(1, 2, math.pi / 2), targets([post(1, 5, 0.1)], [(1, 4, 0, 4, 1.0)]))
    np.testing.assert_allclose(moved.frusta[0, :2], [3, 0], atol=1e-12)
    np.testing.assert_allclose(moved.walls[0, :4], [2, 0, 2, 1], atol=1e-12)
