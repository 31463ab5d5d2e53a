"""Conditions in which photographs of cones are hard to read: darkness, haze, blur, low sun.

Their kinds come from looking at recorded photographs on which the detector failed; their ranges
are wider than what those show, and none was fitted to them.
"""

from typing import Any

import numpy as np

from conegrad_simulation.scene.draws import log_uniform, with_probability

FULL_RESOLUTION = (1.0, 1.0)


def hard_conditions(rng: np.random.Generator) -> dict[str, Any]:
    """Fields of a world of the level ``hard``, on top of those of ``varied``."""
    return {
        **_light(rng),
        **_camera(rng),
        "cone_variety": float(rng.random()),
        "decoys": with_probability(rng, 0.6, 0.1, 1.0),
        "fallen": with_probability(rng, 0.3, 0.02, 0.2),
    } | ({"ego_vehicle": "dashboard"} if rng.random() < 0.15 else {})


def _light(rng: np.random.Generator) -> dict[str, Any]:
    """Darkness, low sun, haze or shade, each in a part of the frames."""
    conditions: dict[str, Any] = {}
    if rng.random() < 0.35:  # dark or underexposed, with deep shadows
        conditions |= {
            "exposure": log_uniform(rng, 0.25, 0.7),
            "gamma": log_uniform(rng, 0.9, 1.6),
            "contrast": log_uniform(rng, 0.9, 1.5),
        }
    if rng.random() < 0.25:
        conditions |= {
            "sun_elevation": float(rng.uniform(0.06, 0.3)),
            "glare": float(rng.uniform(0.3, 1.0)),
            "shadow": float(rng.uniform(0.3, 0.8)),
            "ambient_shade": float(rng.uniform(0.5, 0.9)),
        }
    if rng.random() < 0.2:
        conditions |= {
            "fog": float(rng.uniform(0.2, 0.75)),
            "contrast": log_uniform(rng, 0.45, 0.9),
            "saturation": log_uniform(rng, 0.4, 1.0),
        }
    if rng.random() < 0.35:
        conditions |= {
            "shade": float(rng.uniform(0.15, 0.7)),
            "shadow": float(rng.uniform(0.4, 0.9)),
        }
    return conditions


def _camera(rng: np.random.Generator) -> dict[str, Any]:
    conditions: dict[str, Any] = {
        "blur": float(rng.exponential(0.75)),
        "motion_blur": with_probability(rng, 0.35, 1.5, 9.0),
        "rolling": float(rng.normal(0.0, 0.5)),
        "noise": log_uniform(rng, 0.8, 14.0),
        "jpeg": int(rng.integers(15, 85)) if rng.random() < 0.45 else 0,
    }
    if rng.random() < 0.45:
        both = log_uniform(rng, 0.45, 1.0)
        across, down = both * log_uniform(rng, 0.6, 1.0), both * log_uniform(rng, 0.8, 1.0)
        conditions["resolution"] = (across, down)
    return conditions
