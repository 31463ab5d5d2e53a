"""The planar LiDAR of a simulated car."""

import dataclasses
import math
import time

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.lidar.planar_lidar import LidarCaster
from conegrad_simulation.planar import Pose
from conegrad_simulation.scene.scene import ObstacleKind, WallKind, standard_scene
from conegrad_simulation.scene.world import World

PRESET = load_vehicle("formula_student").lidar
FORWARD = PRESET.mounting.x  # [m], the LiDAR sits ahead of base_link
QUIET = dataclasses.replace(
    World(), range_noise=0.0, range_dropout=0.0, range_mixed=0.0, lidar_specks=0.0
)
ORIGIN = Pose(0, 0, 0)


def scene_of(*positions, classes=None):
    return standard_scene(np.array(positions), np.array(classes or [0] * len(positions)))


def scan(scene, pose=ORIGIN, world=QUIET, seed=1, preset=PRESET):
    return LidarCaster(preset).cast(scene, pose, world, seed)


def test_each_cone_is_hit_at_its_position_with_its_row():
    places = np.array([[FORWARD + 5.0, 2.0], [FORWARD + 6.0, -1.5]])
    seen = scan(scene_of(*places))
    angles = PRESET.angles().numpy()
    for index, place in enumerate(places):
        mine = seen.cones == index
        distance = np.hypot(place[0] - FORWARD, place[1])
        assert mine.sum() > 2
        assert np.all(seen.labels[mine])
        bearing = math.atan2(place[1], place[0] - FORWARD)
        assert abs(np.mean(angles[mine]) - bearing) < math.radians(0.2)
        # The body of a small cone is less than 0.1 m in radius.
        assert distance - 0.1 < np.nanmin(seen.ranges[mine]) < distance


def test_each_beam_of_a_spinning_lidar_is_cast_from_where_the_car_is_then():
    # 20 m/s, 0.1 s from the first beam at -135 degrees to the last at 135.
    preset = dataclasses.replace(PRESET, rate=10.0, scan_duration=0.1)
    caster, scene = LidarCaster(preset), scene_of([FORWARD + 8.0, 0.3], [FORWARD + 3.0, 4.0])
    seen = caster.cast(scene, ORIGIN, QUIET, 1, lambda after: Pose(20 * after, 0, 0))
    angles = preset.angles().numpy()
    times = 0.1 * np.arange(len(angles)) / (len(angles) - 1)
    x = seen.ranges * np.cos(angles) + 20 * times + FORWARD
    y = seen.ranges * np.sin(angles)
    for index, place in enumerate(scene.cone_positions):
        mine = seen.cones == index
        assert mine.sum() > 2
        assert np.hypot(x[mine] - place[0], y[mine] - place[1]).max() < 0.1
    still = caster.cast(scene, ORIGIN, QUIET, 1)
    np.testing.assert_array_equal(still.ranges, scan(scene).ranges)


def test_a_scan_is_a_function_of_its_seed():
    scene = scene_of([6, 1], [8, -1])
    first, again, other = (scan(scene, world=World(), seed=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(first.ranges, again.ranges)
    assert not np.array_equal(first.ranges, other.ranges, equal_nan=True)


def test_moving_the_car_and_the_world_alike_changes_nothing():
    turned = scene_of([2 - 1.0, 3 + FORWARD + 5])
    straight = scene_of([FORWARD + 5, 1.0])
    moved = scan(turned, Pose(2, 3, math.pi / 2))
    np.testing.assert_allclose(moved.ranges, scan(straight).ranges, atol=1e-5)


def test_the_plane_of_a_nose_down_car_meets_the_ground_ahead():
    world = dataclasses.replace(QUIET, vehicle_pitch=0.02)
    seen = scan(scene_of([80, 0]), world=world)
    height = PRESET.mounting.z - FORWARD * math.tan(0.02)
    ahead = seen.ranges[PRESET.beams // 2 - 20 : PRESET.beams // 2 + 20]
    np.testing.assert_allclose(np.nanmedian(ahead), height / math.tan(0.02), rtol=0.02)
    assert not seen.labels.any()


def test_the_plane_of_a_nose_up_car_passes_over_far_cones():
    scene = scene_of([FORWARD + 4, 0], [FORWARD + 12, 2])
    world = dataclasses.replace(QUIET, vehicle_pitch=-0.03)
    assert set(scan(scene).cones) == {-1, 0, 1}
    assert set(scan(scene, world=world).cones) == {-1, 0}


def test_the_plane_passes_over_a_fallen_cone():
    scene = scene_of([FORWARD + 4, 0])
    fallen = dataclasses.replace(scene, cone_leans=np.array([[0.0, math.pi / 2]]))
    low = dataclasses.replace(PRESET, mounting=dataclasses.replace(PRESET.mounting, z=0.08))
    high = dataclasses.replace(PRESET, mounting=dataclasses.replace(PRESET.mounting, z=0.25))
    assert scan(fallen, preset=low).labels.any()
    assert not scan(fallen, preset=high).labels.any()


def test_people_and_walls_are_not_cones():
    scene = dataclasses.replace(
        scene_of([FORWARD + 60, 0]),
        obstacles=np.array([[FORWARD + 5, 0, 0.3]]),
        obstacle_heights=np.array([1.8]),
        obstacle_kinds=np.array([ObstacleKind.PERSON]),
        walls=np.array([[FORWARD + 10, -5, FORWARD + 10, 5]]),
        wall_heights=np.array([1.0]),
        wall_kinds=np.array([WallKind.WALL]),
    )
    seen = scan(scene)
    assert not seen.labels.any()
    assert (seen.ranges < 5.5).sum() > 4
    assert (seen.ranges > 9.9).sum() > 100


def test_an_empty_scene_gives_no_returns():
    nothing = standard_scene(np.zeros((0, 2)), np.zeros(0))
    seen = scan(nothing)
    assert np.isnan(seen.ranges).all()
    assert set(seen.cones) == {-1}


def test_refuses_a_lidar_that_is_not_level():
    mounting = dataclasses.replace(PRESET.mounting, roll=math.pi)
    with pytest.raises(ValueError, match=r"roll 3\.14"):
        LidarCaster(dataclasses.replace(PRESET, mounting=mounting))


def test_a_scan_takes_about_a_millisecond():
    rng = np.random.default_rng(0)
    caster, scene = LidarCaster(PRESET), scene_of(*rng.uniform(-40, 40, (150, 2)))
    times = []
    for seed in range(30):
        start = time.perf_counter()
        caster.cast(scene, ORIGIN, World(), seed)
        times.append(time.perf_counter() - start)
    assert min(times) < 5e-3  # 0.6 ms on a free core; the bound tolerates a busy one
