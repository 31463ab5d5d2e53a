"""Disturbances of images by weather and dirt: fog, rain, snow, low sun, drops and mud on the lens.

The corruptions are those of the library AlbumentationsX (AGPL-3.0), which is kept and covers the
lists of ImageNet-C (Hendrycks & Dietterich 2019) and MultiCorrupt (Beemelmanns et al. 2024). They
change the picture without knowledge of its depth: fog is as thick near the car as far from it.
"""

import os
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from conegrad_core.camera.image import RgbImage
from conegrad_evaluation.disturbances.disturbance import Disturbance, Parameters
from conegrad_evaluation.disturbances.images import IMAGE

LARGEST_SEED = 2**31
REFERENCE = 640.0  # [px], width of the image that lengths are given for
COLOURS = {"rain": (238, 238, 175), "mud": (63, 42, 20)}  # RGB, as ImageNet-C has them
UPPER = (0.25, 0.05, 0.75, 0.4)  # x and y of the part of the image where the sun stands

Make = Callable[[ModuleType, Parameters, float], Any]


@cache
def _library() -> ModuleType:
    """AlbumentationsX, which asks the network for news of itself unless it is told not to."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    os.environ["ALBUMENTATIONS_NO_TELEMETRY"] = "1"
    import albumentations

    library: ModuleType = albumentations
    return library


def _corrupted(make: Make) -> Callable[[RgbImage, Parameters, np.random.Generator], RgbImage]:
    """A damage by a transform of the library, seeded by our draws."""

    def damage(image: RgbImage, parameters: Parameters, draws: np.random.Generator) -> RgbImage:
        library = _library()
        transform = make(library, parameters, image.shape[1] / REFERENCE)
        seed = int(draws.integers(LARGEST_SEED))
        found = library.Compose([transform], seed=seed)(image=image)["image"]
        return np.asarray(found, dtype=np.uint8)

    return damage


def _fog(library: ModuleType, parameters: Parameters, _: float) -> Any:
    density = parameters["density"]
    return library.RandomFog(alpha_coef=0.06, fog_coef_range=(density, density), p=1.0)


def _rain(library: ModuleType, parameters: Parameters, _: float) -> Any:
    kinds = ("drizzle", "heavy", "torrential")
    return library.RandomRain(
        rain_type=kinds[round(parameters["kind"]) - 1],
        brightness_coefficient=parameters["light"],
        drop_width=1,
        blur_value=3,
        p=1.0,
    )


def _snow(library: ModuleType, parameters: Parameters, _: float) -> Any:
    cover = parameters["cover"]
    glare = parameters["brightness"]
    return library.RandomSnow(snow_point_range=(cover, cover), brightness_coeff=glare, p=1.0)


def _sun(library: ModuleType, parameters: Parameters, scale: float) -> Any:
    return library.RandomSunFlare(
        flare_roi=UPPER,
        src_radius=max(1, round(parameters["radius"] * scale)),
        method="physics_based",
        p=1.0,
    )


def _spatter(mode: str) -> Make:
    def make(library: ModuleType, parameters: Parameters, scale: float) -> Any:
        mean, size = parameters["amount"], parameters["size"] * scale
        return library.Spatter(
            mode=mode,
            color=COLOURS[mode],
            mean_range=(mean, mean),
            gauss_sigma_range=(size, size),
            p=1.0,
        )

    return make


FOG = Disturbance(
    "image_fog", IMAGE, "fog: density, from 0 to 1",
    [{"density": density} for density in (0.2, 0.4, 0.7)], _corrupted(_fog),
)  # fmt: skip
RAIN = Disturbance(
    "image_rain", IMAGE, "rain: kind (1 drizzle, 2 heavy, 3 torrential), share of light left",
    [{"kind": 1.0, "light": 0.9}, {"kind": 2.0, "light": 0.8}, {"kind": 3.0, "light": 0.7}],
    _corrupted(_rain),
)  # fmt: skip
SNOW = Disturbance(
    "image_snow", IMAGE, "snow: brightness below which it covers the ground, gain of its glare",
    [{"cover": 0.1, "brightness": 1.6}, {"cover": 0.2, "brightness": 2.2},
     {"cover": 0.35, "brightness": 3.0}],
    _corrupted(_snow),
)  # fmt: skip
LOW_SUN = Disturbance(
    "image_low_sun", IMAGE, "sun in the picture: radius of its glare [px at a width of 640]",
    [{"radius": radius} for radius in (60.0, 120.0, 240.0)], _corrupted(_sun),
)  # fmt: skip
DROPS = Disturbance(
    "image_drops", IMAGE, "drops on the lens: amount, size [px at a width of 640]",
    [{"amount": amount, "size": 2.0} for amount in (0.64, 0.655, 0.67)],
    _corrupted(_spatter("rain")),
)  # fmt: skip
MUD = Disturbance(
    "image_mud", IMAGE, "mud on the lens: amount, size of the specks [px at a width of 640]",
    [{"amount": amount, "size": 4.0} for amount in (0.655, 0.665, 0.675)],
    _corrupted(_spatter("mud")),
)  # fmt: skip
