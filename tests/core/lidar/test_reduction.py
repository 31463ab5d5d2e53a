"""Point clouds become planar scans."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.lidar.height_profile import PROFILE_CHANNELS, SLICES
from conegrad_core.lidar.reduction import ReductionConfig, reduce_cloud

HEIGHT = 1.2  # [m], the LiDAR above the ground


def ground(tilt: float = 0.0, noise: float = 0.01) -> np.ndarray:
    """An even grid of ground returns, rising ``tilt`` metres per metre ahead."""
    x, y = np.meshgrid(np.arange(-12, 12, 0.25), np.arange(-12, 12, 0.25))
    z = -HEIGHT + tilt * x + noise * np.sin(37 * x + 91 * y)
    cloud = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return cloud[np.hypot(cloud[:, 0], cloud[:, 1]) > 1.5]


def pole(x: float, y: float, low: float, high: float, tilt: float = 0.0) -> np.ndarray:
    """Returns every centimetre between two heights above the ground."""
    z = np.arange(low, high, 0.01) - HEIGHT + tilt * x
    return np.stack([np.full_like(z, x), np.full_like(z, y), z], axis=-1)


def cloud(*parts: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([ground(), *parts])).float()


def returns(scan) -> dict[int, float]:
    """Ranges [cm] by direction in whole degrees, where there are any."""
    there = torch.isfinite(scan.ranges)
    degrees = torch.rad2deg(scan.angles[there]).round().int().tolist()
    return dict(zip(degrees, scan.ranges[there].mul(100).round().int().tolist(), strict=True))


def test_keeps_what_stands_on_the_ground_and_measures_the_height():
    reduced = reduce_cloud(cloud(pole(5, 0, 0, 0.325), pole(0, 8, 0, 2.0)))
    assert returns(reduced.scan) == {0: 500, 90: 800}
    assert reduced.lidar_height == pytest.approx(HEIGHT, abs=0.01)


TURNED_OVER = torch.tensor([1.0, -1.0, -1.0])  # y and z of a LiDAR with a roll of pi


@pytest.mark.parametrize("sensor_height", [0.0, HEIGHT])
def test_the_cloud_of_a_lidar_that_hangs_upside_down_is_measured_from_the_ground(sensor_height):
    upright = cloud(pole(5, 0, 0, 0.325), pole(0, 8, 0, 2.0), pole(3, -3, 0.5, 2.0))
    reduced = reduce_cloud(upright * TURNED_OVER, ReductionConfig(sensor_height=sensor_height))
    assert returns(reduced.scan) == {0: 500, -90: 800}
    assert reduced.lidar_height == pytest.approx(HEIGHT, abs=0.01)


@pytest.mark.parametrize("turn", [torch.ones(3), TURNED_OVER])
def test_a_ceiling_is_no_ground(turn):
    ceiling = ground() + np.array([0.0, 0.0, HEIGHT + 3.0])
    inside = cloud(pole(5, 0, 0, 0.325), ceiling) * turn
    reduced = reduce_cloud(inside)
    assert returns(reduced.scan) == {0: 500}
    assert reduced.lidar_height == pytest.approx(HEIGHT, abs=0.01)


def test_leaves_out_what_is_above_the_slice():
    assert returns(reduce_cloud(cloud(pole(5, 0, 0.5, 2.0))).scan) == {}


def test_takes_the_nearest_of_several_returns_of_a_beam():
    walls = [pole(x, y, 0, 2.0) for x in (7, 5) for y in np.arange(-1, 1, 0.05)]
    known = ReductionConfig(beams=360, sensor_height=HEIGHT)
    assert returns(reduce_cloud(cloud(*walls), known).scan)[0] == 500


def test_slim_things_behind_one_another_are_in_turns_of_their_own():
    nose = [pole(2, y, 0, 0.4) for y in np.arange(-0.5, 0.5, 0.05)]
    points = cloud(*nose, pole(5, 0, 0, 0.3), pole(7, 0, 0, 0.3), pole(9, 0, 0, 0.3))
    config = ReductionConfig(beams=360, sensor_height=HEIGHT)
    reduced = reduce_cloud(points, config)
    assert len(reduced.scan.ranges) == 3 * 360
    ahead = reduced.scan.ranges.view(3, 360)[:, 180]
    assert ahead.mul(100).round().tolist() == [500, 700, 900]  # and the nose beside the cones
    assert reduced.scan.ranges[170] == pytest.approx(2.03, abs=0.05)
    points_of_beams = points[reduced.points[[180, 540, 900]], 0]
    torch.testing.assert_close(points_of_beams, ahead)
    one = reduce_cloud(points, ReductionConfig(beams=360, turns=1, sensor_height=HEIGHT)).scan
    assert returns(one)[0] == 500


def test_the_profile_tells_a_cone_from_a_post():
    wall = [pole(12, y, 0, 3.0) for y in np.arange(-13, 13, 0.05)]
    points = cloud(pole(5, 0, 0, 0.32), pole(5, 5, 0, 1.5), *wall)
    scan = reduce_cloud(points, ReductionConfig(beams=720, turns=1, sensor_height=HEIGHT)).scan
    assert scan.profile.shape == (PROFILE_CHANNELS, 720)
    assert not scan.profile[:, scan.ranges.isnan()].any()
    assert scan.ranges[[360, 450]].tolist() == pytest.approx([5.0, 7.07], abs=0.01)
    slices, above = len(SLICES) - 1, SLICES.index(0.42)
    (cone_ends, cone_passes), (post_ends, _) = (
        scan.profile[1 : 1 + 2 * slices, beam].view(2, slices)[:, above:] for beam in (360, 450)
    )
    assert not cone_ends.any()
    assert cone_passes.any()
    assert post_ends.any()
    assert scan.profile[1 + 2 * slices, [360, 450]].tolist() == [1.0, 0.0]  # slim


def test_heights_follow_ground_that_bends():
    x, y = np.meshgrid(np.arange(-14, 14, 0.25), np.arange(-14, 14, 0.25))
    rise = 0.002 * x * x
    bowl = np.stack([x, y, rise - HEIGHT], axis=-1).reshape(-1, 3)
    cone = pole(12, 0, 0, 0.3) + np.array([0, 0, 0.002 * 144])
    scan = reduce_cloud(torch.from_numpy(np.concatenate([bowl, cone])).float()).scan
    assert list(returns(scan).values()) == [1200]


def test_measures_heights_from_a_tilted_ground():
    tilt = 0.05  # 0.4 m lower at 8 m behind, higher ahead
    points = np.concatenate([ground(tilt), pole(8, 0, 0, 0.3, tilt), pole(-8, 0, 0, 0.3, tilt)])
    assert set(returns(reduce_cloud(torch.from_numpy(points)).scan)) <= {0, 180, -180}
    assert len(returns(reduce_cloud(torch.from_numpy(points)).scan)) == 2


def test_the_same_cloud_gives_the_same_scan():
    points = cloud(pole(5, 0.3, 0, 0.3))
    first, again = reduce_cloud(points), reduce_cloud(points)
    torch.testing.assert_close(first.scan.ranges, again.scan.ranges, equal_nan=True, rtol=0, atol=0)
    assert first.lidar_height == again.lidar_height


def test_beams_and_view_are_as_set():
    config = ReductionConfig(beams=181, angle_min=-math.pi / 2, angle_max=math.pi / 2)
    scan = reduce_cloud(cloud(pole(5, 5, 0, 0.3), pole(-5, 0, 0, 0.3)), config).scan
    assert scan.ranges.shape == (181,)
    assert scan.angles[0] == pytest.approx(-math.pi / 2)
    assert scan.angles[-1] == pytest.approx(math.pi / 2)
    assert returns(scan) == {45: 707}  # and nothing from behind


def test_a_full_turn_closes_behind_the_sensor():
    config = ReductionConfig(beams=360)
    scan = reduce_cloud(cloud(pole(-5, -0.001, 0, 0.3)), config).scan
    assert scan.angles[1] - scan.angles[0] == pytest.approx(math.radians(1), rel=1e-4)
    assert torch.isfinite(scan.ranges).nonzero().flatten().tolist() == [0]


def test_leaves_out_the_car_itself():
    wheel, cone = pole(1.8, 0.6, 0, 0.3), pole(1.8, -2, 0, 0.3)
    config = ReductionConfig(car_ahead=2.0, car_beside=0.8)
    assert len(returns(reduce_cloud(cloud(wheel, cone)).scan)) == 2
    assert list(returns(reduce_cloud(cloud(wheel, cone), config).scan)) == [-48]


def test_takes_one_ring_whatever_its_height():
    points = cloud(pole(5, 0, 0, 0.3), pole(0, 6, 0.8, 0.81))
    rings = torch.zeros(len(points), dtype=torch.int64)
    rings[-1] = 7
    assert returns(reduce_cloud(points, ReductionConfig(ring=7), rings).scan) == {90: 600}


def test_needs_the_ring_field_to_choose_a_ring():
    with pytest.raises(ValueError, match="no ring field"):
        reduce_cloud(cloud(), ReductionConfig(ring=7))
    with pytest.raises(ValueError, match="no return of ring 7"):
        reduce_cloud(cloud(), ReductionConfig(ring=7), torch.zeros(len(cloud())))


def test_skips_invalid_points():
    broken = np.array([[np.nan, 0, 0], [np.inf, 1, -1]])
    assert returns(reduce_cloud(cloud(pole(5, 0, 0, 0.3), broken)).scan) == {0: 500}


def test_a_known_height_needs_no_ground():
    config = ReductionConfig(sensor_height=HEIGHT)
    reduced = reduce_cloud(torch.from_numpy(pole(5, 0, 0, 0.3)), config)
    assert returns(reduced.scan) == {0: 500}
    assert reduced.lidar_height == HEIGHT


def test_refuses_a_cloud_without_ground():
    with pytest.raises(ValueError, match="0 points below the LiDAR"):
        reduce_cloud(torch.zeros(0, 3))
    y, z = np.meshgrid(np.arange(-2, 2, 0.05), np.arange(-2, 2, 0.05))
    wall = np.stack([np.full_like(y, 4.0), y, z], axis=-1).reshape(-1, 3)
    with pytest.raises(ValueError, match=r"tilted by 1\.57 rad"):
        reduce_cloud(torch.from_numpy(wall))


def test_refuses_another_shape():
    with pytest.raises(ValueError, match=r"points has shape \(5, 2\)"):
        reduce_cloud(torch.zeros(5, 2))


def test_refuses_an_empty_slice():
    with pytest.raises(ValueError, match="less than max_height"):
        ReductionConfig(min_height=0.4, max_height=0.3)


def test_returns_inside_the_outline_of_the_car_are_cut():
    wheel, cone = pole(1.5, 0.6, 0, 0.3), pole(4, 0, 0, 0.3)
    config = ReductionConfig(car_outline="1 -1; 2 -1; 2 1; 1 1")
    reduced = reduce_cloud(cloud(wheel, cone), config, car=config.own_car())
    assert list(returns(reduced.scan)) == [0]


@pytest.mark.parametrize(
    ("settings", "looks"),
    [
        ({}, True),
        ({"find_car": False}, False),
        ({"car_ahead": 2.0, "car_beside": 0.8}, False),
        ({"car_outline": "0 0; 1 0; 0 1"}, False),
    ],
)
def test_the_car_is_looked_for_unless_it_is_given(settings, looks):
    car = ReductionConfig(**settings).own_car()
    assert (car is not None and not car.is_done) == looks


def test_refuses_an_outline_that_is_none_by_the_name_of_the_setting():
    with pytest.raises(ValueError, match="car_outline is '1 2', expected x and y of three"):
        ReductionConfig(car_outline="1 2")
