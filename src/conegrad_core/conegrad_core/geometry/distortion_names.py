"""Distortion as drivers write it: names, and numbers of coefficients, of OpenCV's models."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from conegrad_core.geometry.distortion import COEFFICIENTS

POLYNOMIAL = (4, 5, 8, 12, 14)  # coefficients that OpenCV's one polynomial model is written with
# What tools call the two lenses that this package knows by their name in sensor_msgs/CameraInfo.
OTHER_NAMES = {
    "radtan": "plumb_bob",
    "brown_conrady": "plumb_bob",
    "fisheye": "equidistant",
    "kannala_brandt": "equidistant",
    "kannala_brandt4": "equidistant",
}
UNNAMED = ("", "none")


class Distortion(NamedTuple):
    """A lens as :class:`CameraModel` has it.

    Attributes:
        model: key of :data:`COEFFICIENTS`.
        coefficients: in OpenCV's order, as many as the model has.
    """

    model: str
    coefficients: tuple[float, ...]


NO_DISTORTION = Distortion("none", ())


def named_distortion(name: str, coefficients: Sequence[float]) -> Distortion:
    """The lens that a name and coefficients of sensor_msgs/CameraInfo mean.

    OpenCV has one polynomial model, whose coefficients beyond those given are 0: k1, k2, p1, p2,
    k3, then k4 to k6 (rational), s1 to s4 (thin prism), two tilts. Drivers write any of its
    lengths under either name. Without a name, five or more coefficients can only be that model.

    Raises:
        ValueError: naming what is not known or not supported.
    """
    values = tuple(map(float, coefficients))
    model = OTHER_NAMES.get(name, name)
    if not all(map(math.isfinite, values)):
        raise ValueError(f"distortion is {list(values)}, expected finite values")
    if model in UNNAMED:
        return _unnamed(name, values)
    if model not in COEFFICIENTS:
        supported = ", ".join(key for key in COEFFICIENTS if key != "none")
        raise ValueError(f"distortion_model is {name!r}, expected one of: {supported}")
    if model == "equidistant":
        return Distortion(model, _equidistant(values))
    return _polynomial(name, values) if values else NO_DISTORTION


def _unnamed(name: str, values: tuple[float, ...]) -> Distortion:
    if not any(values):
        return NO_DISTORTION
    if name == "none":
        raise ValueError(f"distortion_model is 'none', but distortion is {list(values)}")
    if len(values) == 4 or len(values) not in POLYNOMIAL:
        which = "which both plumb_bob and equidistant have" if len(values) == 4 else "no model"
        raise ValueError(
            f"distortion_model is empty and distortion has {len(values)} coefficients, {which}: "
            "expected the name of the model"
        )
    return _polynomial("of no name", values)


def _equidistant(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) < 4 or any(values[4:]):
        raise ValueError(
            f"distortion of model 'equidistant' has {len(values)} coefficients, expected 4"
        )
    return values[:4]


def _polynomial(name: str, values: tuple[float, ...]) -> Distortion:
    if len(values) not in POLYNOMIAL:
        raise ValueError(
            f"distortion of model {name!r} has {len(values)} coefficients, expected "
            f"{', '.join(map(str, POLYNOMIAL[:-1]))} or {POLYNOMIAL[-1]}"
        )
    for part, what in ((values[8:12], "a thin prism"), (values[12:14], "a tilted sensor")):
        if any(part):
            raise ValueError(
                f"distortion has the coefficients {list(part)} of {what}, which is not "
                "supported: calibrate with at most 8 coefficients, or rectify the images"
            )
    if any(values[5:8]):
        return Distortion("rational_polynomial", values[:8])
    return Distortion("plumb_bob", values[:5])
