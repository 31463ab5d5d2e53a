"""Domain parameters of a simulated recording: appearance, camera effects and scan noise."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from conegrad_core.settings.names import choice_fault
from conegrad_simulation.scene.draws import log_uniform, with_probability
from conegrad_simulation.scene.hard_world import FULL_RESOLUTION, hard_conditions

LEVELS = ("clear", "varied", "wide", "hard")
GROUNDS = ("asphalt", "concrete", "speckled", "slabs", "wet", "floor")
SURROUNDINGS = ("open", "paddock", "trees", "yard", "hall")
PLAIN_VEHICLES = ("none", "nose", "cockpit", "bonnet")
EGO_VEHICLES = (*PLAIN_VEHICLES, "dashboard")


@dataclass(frozen=True)
class World:
    """Domain parameters of the camera image and of the scan; grey values are in [0, 255].

    Attributes:
        ground: one of :data:`GROUNDS`; ``ground_grey`` its mean grey, ``ground_tint`` its
            tint, positive is warm, ``grain`` the contrast of its texture in [0, 2].
        surroundings: one of :data:`SURROUNDINGS`; ``backdrop`` seeds the painted panorama, which
            stands on a circle of radius ``backdrop_distance`` around the camera [m].
        ground_style: seed of lines, patches, tyre marks and leaves; ``litter`` and ``marks``
            are their densities in [0, 1].
        sun_azimuth, sun_elevation: direction of the sun in the map [rad].
        shadow: darkness of cast shadows in [0, 1]; ``tree_shadow`` that of tree shadows.
        ambient_shade: darkness of the side of a cone that is turned away from the sun, [0, 1].
        exposure: gain of the image beyond the automatic one; ``contrast``, ``gamma``,
            ``saturation``: 1 is neutral.
        white_balance: gains of red and blue.
        glare: strength of the low sun's bloom and of its reflection on the ground, [0, 1].
        fog: share of fog at 20 m; ``vignette`` darkening of the corners, both in [0, 1].
        blur: standard deviation of the lens blur [px at 640 px width].
        motion_blur: length [px at 640 px width]; ``rolling`` its angle [rad].
        noise: standard deviation; ``jpeg``: quality, 0 is uncompressed; ``sharpen`` in [0, 1].
        chromatic: shift of red against blue at the image border [px at 640 px width].
        cone_wear: dirt and fading of the cones in [0, 1]; ``cone_style`` seeds the manufacturers.
        fallen: share of the cones that have fallen over.
        ego_vehicle: one of :data:`EGO_VEHICLES`; ``ego_vehicle_style`` its seed.
        vehicle_pitch, vehicle_roll: attitude of the car in this frame [rad]; positive pitch is
            nose down.
        camera_jitter: roll, pitch, yaw of the camera against its calibration [rad].
        range_noise: standard deviation of a range [m].
        range_dropout: probability that a beam has no return.
        range_mixed: probability that a beam at an edge falls between both surfaces.
        lidar_specks: expected number of spurious near returns per scan.
        clutter: density of obstacles in [0, 1].
        shade: share of the map in the shade of buildings and trees, as dark as ``shadow``.
        resolution: share of the columns and of the rows at which the picture was stored before
            it was enlarged to its size, in (0, 1].
        cone_variety: how far shapes, paints and stripes of the cones stray from the usual ones,
            in [0, 1].
        decoys: density of red, yellow and blue things that are no cones, in [0, 1].
    """

    ground: str = "asphalt"
    ground_grey: float = 105.0
    ground_tint: float = 0.0
    grain: float = 0.6
    surroundings: str = "open"
    backdrop: int = 0
    backdrop_distance: float = 200.0
    ground_style: int = 0
    litter: float = 0.1
    marks: float = 0.3
    sun_azimuth: float = 0.8
    sun_elevation: float = 0.8
    shadow: float = 0.45
    tree_shadow: float = 0.0
    ambient_shade: float = 0.45
    exposure: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    white_balance: tuple[float, float] = (1.0, 1.0)
    glare: float = 0.0
    fog: float = 0.0
    vignette: float = 0.1
    blur: float = 0.4
    motion_blur: float = 0.0
    rolling: float = 0.0
    noise: float = 2.0
    jpeg: int = 0
    sharpen: float = 0.0
    chromatic: float = 0.0
    cone_wear: float = 0.2
    cone_style: int = 0
    fallen: float = 0.012
    ego_vehicle: str = "nose"
    ego_vehicle_style: int = 0
    vehicle_pitch: float = 0.0
    vehicle_roll: float = 0.0
    camera_jitter: tuple[float, float, float] = (0.0, 0.0, 0.0)
    range_noise: float = 0.01
    range_dropout: float = 0.01
    range_mixed: float = 0.2
    lidar_specks: float = 0.2
    clutter: float = 0.3
    shade: float = 0.0
    resolution: tuple[float, float] = FULL_RESOLUTION
    cone_variety: float = 0.0
    decoys: float = 0.0

    @staticmethod
    def preset(name: str) -> "World":
        """World of :data:`PRESETS` by name.

        Raises:
            ValueError: if there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"world preset {choice_fault(name, PRESETS)}")
        return PRESETS[name]

    @staticmethod
    def sample(rng: np.random.Generator, level: str) -> "World":
        """Random world of a level.

        ``clear`` stays near fair weather; ``varied`` and ``wide`` take any; ``hard`` adds
        darkness, haze, blur, odd cones and things that look like cones.

        Raises:
            ValueError: if the level is not one of :data:`LEVELS`.
        """
        if level not in LEVELS:
            raise ValueError(f"level {choice_fault(level, LEVELS)}")
        if level == "clear":
            return _sample_clear(rng)
        if level == "hard":
            return dataclasses.replace(_sample_varied(rng), **hard_conditions(rng))
        if rng.random() < 0.15:
            return _jittered(PRESETS[str(rng.choice(list(PRESETS)))], rng)
        return _sample_varied(rng)

    def jittered(self, rng: np.random.Generator) -> "World":
        """A variation of the world: other styles, slightly different light, ground and clutter."""
        return _jittered(self, rng)

    def still(self) -> "World":
        """The same world without the attitude and jitter of one frame."""
        return dataclasses.replace(
            self, vehicle_pitch=0.0, vehicle_roll=0.0, camera_jitter=(0.0, 0.0, 0.0)
        )


PRESETS = {
    "clear": World(),
    "overcast": World(shadow=0.1, ambient_shade=0.2, saturation=0.85, ground_grey=125.0),
    "harsh_sun": World(
        exposure=1.6, contrast=1.25, shadow=0.7, ambient_shade=0.65, glare=0.3, grain=1.2,
        ground="speckled", ground_grey=130.0, saturation=1.3, sharpen=0.5,
    ),
    "low_sun": World(
        exposure=0.65, contrast=1.15, shadow=0.5, sun_elevation=0.2, glare=0.8, ambient_shade=0.7,
        ground="wet", ground_grey=60.0, white_balance=(1.1, 0.9), noise=4.0, vignette=0.4,
    ),
    "dusk_rain": World(
        ground="wet", ground_grey=75.0, exposure=0.5, contrast=0.85, saturation=0.55, shadow=0.05,
        ambient_shade=0.25, fog=0.35, blur=0.9, motion_blur=3.0, noise=9.0, jpeg=45, glare=0.15,
        white_balance=(0.92, 1.15), cone_wear=0.5, vignette=0.3,
        range_noise=0.025, range_dropout=0.06, range_mixed=0.35, lidar_specks=3.0, clutter=0.7,
    ),
    "indoor": World(
        ground="floor", ground_grey=140.0, surroundings="hall", shadow=0.12, ambient_shade=0.3,
        exposure=0.9, white_balance=(1.1, 0.88), noise=5.0, ego_vehicle="none", clutter=0.5,
    ),
}  # fmt: skip


def _seeds(rng: np.random.Generator) -> dict[str, Any]:
    names = ("backdrop", "ground_style", "cone_style", "ego_vehicle_style")
    return {name: int(rng.integers(1 << 30)) for name in names}


def _attitude(rng: np.random.Generator, sigma: float) -> dict[str, Any]:
    pitch, roll = rng.normal(0.0, sigma, 2)
    jitter = rng.normal(0.0, 0.4 * sigma, 3)
    return {
        "vehicle_pitch": float(pitch),
        "vehicle_roll": float(roll),
        "camera_jitter": (float(jitter[0]), float(jitter[1]), float(jitter[2])),
    }


def _jittered(world: World, rng: np.random.Generator) -> World:
    return dataclasses.replace(
        world,
        **_seeds(rng),
        **_attitude(rng, 0.008),
        ego_vehicle=str(rng.choice(PLAIN_VEHICLES, p=(0.35, 0.3, 0.25, 0.1))),
        exposure=world.exposure * log_uniform(rng, 0.8, 1.25),
        sun_azimuth=float(rng.uniform(-np.pi, np.pi)),
        ground_grey=world.ground_grey * log_uniform(rng, 0.8, 1.25),
        grain=world.grain * log_uniform(rng, 0.6, 1.6),
        marks=float(rng.random()),
        clutter=min(1.0, world.clutter * log_uniform(rng, 0.5, 2.0)),
    )


def _sample_clear(rng: np.random.Generator) -> World:
    return dataclasses.replace(
        World(),
        **_seeds(rng),
        **_attitude(rng, 0.003),
        ground=str(rng.choice(("asphalt", "concrete", "speckled"))),
        surroundings=str(rng.choice(("open", "paddock", "trees"))),
        ego_vehicle=str(rng.choice(("none", "nose"))),
        ground_grey=float(rng.uniform(80, 150)),
        sun_azimuth=float(rng.uniform(-np.pi, np.pi)),
        sun_elevation=float(rng.uniform(0.5, 1.1)),
        exposure=log_uniform(rng, 0.85, 1.2),
        clutter=float(rng.uniform(0.0, 0.4)),
        noise=float(rng.uniform(1.0, 4.0)),
        range_noise=float(rng.uniform(0.006, 0.015)),
    )


def _sample_varied(rng: np.random.Generator) -> World:
    return World(
        **_seeds(rng),
        **_attitude(rng, float(rng.choice((0.003, 0.008, 0.02)))),
        **_sample_place(rng),
        **_sample_light(rng),
        **_sample_camera(rng),
        **_sample_ranges(rng),
    )


def _sample_place(rng: np.random.Generator) -> dict[str, Any]:
    surroundings = str(rng.choice(SURROUNDINGS, p=(0.3, 0.25, 0.2, 0.15, 0.1)))
    odds = (
        (0.1, 0.1, 0.1, 0.1, 0.1, 0.5)
        if surroundings == "hall"
        else (0.3, 0.2, 0.2, 0.15, 0.1, 0.05)
    )
    return {
        "surroundings": surroundings,
        "ground": str(rng.choice(GROUNDS, p=odds)),
        "ground_grey": log_uniform(rng, 50.0, 190.0),
        "ground_tint": float(rng.normal(0.0, 0.06)),
        "grain": log_uniform(rng, 0.2, 2.0),
        "litter": with_probability(rng, 0.4, 0.05, 1.0),
        "marks": float(rng.random()),
        "clutter": float(rng.random()) ** 1.5,
        "cone_wear": float(rng.random()),
        "ego_vehicle": str(rng.choice(PLAIN_VEHICLES, p=(0.35, 0.28, 0.27, 0.1))),
    }  # fmt: skip


def _sample_light(rng: np.random.Generator) -> dict[str, Any]:
    is_sunny = rng.random() < 0.55
    return {
        "sun_azimuth": float(rng.uniform(-np.pi, np.pi)),
        "sun_elevation": float(rng.uniform(0.15, 1.2)),
        "shadow": float(rng.uniform(0.3, 0.85) if is_sunny else rng.uniform(0.0, 0.25)),
        "ambient_shade": float(rng.uniform(0.3, 0.85) if is_sunny else rng.uniform(0.05, 0.45)),
        "tree_shadow": with_probability(rng, 0.3, 0.2, 0.8) if is_sunny else 0.0,
        "exposure": log_uniform(rng, 0.5, 1.8),
        "glare": with_probability(rng, 0.25, 0.1, 1.0),
        "fog": with_probability(rng, 0.2, 0.05, 0.5),
    }


def _sample_camera(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "contrast": log_uniform(rng, 0.75, 1.45),
        "gamma": log_uniform(rng, 0.75, 1.35),
        "saturation": log_uniform(rng, 0.55, 1.7),
        "white_balance": (log_uniform(rng, 0.85, 1.18), log_uniform(rng, 0.82, 1.22)),
        "vignette": with_probability(rng, 0.4, 0.1, 0.6),
        "blur": float(rng.exponential(0.55)),
        "motion_blur": with_probability(rng, 0.25, 2.0, 7.0),
        "rolling": float(rng.normal(0.0, 0.35)),
        "noise": log_uniform(rng, 0.8, 10.0),
        "jpeg": int(rng.integers(25, 90)) if rng.random() < 0.3 else 0,
        "sharpen": with_probability(rng, 0.3, 0.2, 1.0),
        "chromatic": with_probability(rng, 0.3, 0.3, 2.0),
    }


def _sample_ranges(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "range_noise": log_uniform(rng, 0.004, 0.04),
        "range_dropout": log_uniform(rng, 0.002, 0.15),
        "range_mixed": float(rng.uniform(0.0, 0.5)),
        "lidar_specks": with_probability(rng, 0.5, 0.2, 6.0),
    }
