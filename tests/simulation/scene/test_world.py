"""Worlds: presets, random sampling by level, and variations."""

import dataclasses

import numpy as np
import pytest

from conegrad_simulation.scene.world import (
    EGO_VEHICLES,
    GROUNDS,
    LEVELS,
    PRESETS,
    SURROUNDINGS,
    World,
)

SHARES = ("shadow", "tree_shadow", "ambient_shade", "glare", "fog", "vignette", "cone_wear",
          "clutter", "litter", "marks", "range_dropout", "range_mixed", "shade",
          "cone_variety", "decoys", "fallen")  # fmt: skip
POSITIVE = ("ground_grey", "exposure", "contrast", "gamma", "saturation", "range_noise")


def worlds(level, count=60):
    rng = np.random.default_rng(7)
    return [World.sample(rng, level) for _ in range(count)]


@pytest.mark.parametrize(
    "world", [*PRESETS.values(), *worlds("clear"), *worlds("wide"), *worlds("hard")]
)
def test_every_world_keeps_the_ranges_of_its_parameters(world):
    assert world.ground in GROUNDS
    assert world.surroundings in SURROUNDINGS
    assert world.ego_vehicle in EGO_VEHICLES
    assert all(0 <= getattr(world, name) <= 1 for name in SHARES)
    assert all(getattr(world, name) > 0 for name in POSITIVE)
    assert 0 < world.sun_elevation < np.pi / 2


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_samples_the_same_worlds(level):
    assert worlds(level, 5) == worlds(level, 5)
    assert len(set(worlds(level, 5))) == 5


def test_hard_worlds_hold_every_hard_condition_and_the_other_levels_none():
    hard, varied = worlds("hard", 200), worlds("varied", 200)
    for name in ("shade", "cone_variety", "decoys"):
        assert any(getattr(world, name) > 0 for world in hard)
        assert not any(getattr(world, name) for world in varied)
    assert any(world.ego_vehicle == "dashboard" for world in hard)
    assert any(min(world.resolution) < 0.6 for world in hard)
    assert min(world.exposure for world in hard) < 0.3 < min(world.exposure for world in varied)


def test_a_clear_world_is_dry_outdoors_without_fog():
    for world in worlds("clear"):
        assert world.ground in ("asphalt", "concrete", "speckled")
        assert world.surroundings in ("open", "paddock", "trees")
        assert world.fog == world.glare == world.motion_blur == 0.0


def test_varied_worlds_reach_every_ground_and_surroundings():
    varied = worlds("varied", 200)
    assert {world.ground for world in varied} == set(GROUNDS)
    assert {world.surroundings for world in varied} == set(SURROUNDINGS)


def test_a_variation_keeps_the_ground_and_the_weather():
    rain = World.preset("dusk_rain")
    varied = rain.jittered(np.random.default_rng(1))
    assert (varied.ground, varied.fog, varied.noise) == (rain.ground, rain.fog, rain.noise)
    assert varied.backdrop != rain.backdrop
    assert 0.8 <= varied.exposure / rain.exposure <= 1.25


def test_a_still_world_has_no_attitude_and_is_otherwise_the_same():
    world = World.preset("clear").jittered(np.random.default_rng(2))
    still = world.still()
    assert (still.vehicle_pitch, still.vehicle_roll) == (0.0, 0.0)
    assert still.camera_jitter == (0.0, 0.0, 0.0)
    attitude = {name: getattr(world, name)
                for name in ("vehicle_pitch", "vehicle_roll", "camera_jitter")}  # fmt: skip
    assert dataclasses.replace(still, **attitude) == world
