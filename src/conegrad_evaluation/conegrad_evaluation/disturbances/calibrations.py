"""Disturbances of the calibration: the camera hangs elsewhere than the calibration says.

Image, scan and truth stay; the calibration that the pipeline is given changes. Angles and lengths
are those of the actual camera relative to the calibrated one, in the axes of its body (x ahead,
y left, z up): positive pitch means that the camera really looks lower than the calibration says.
"""

import functools

import numpy as np
import torch

from conegrad_core.geometry.calibration import Calibration, check_calibration
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body
from conegrad_evaluation.disturbances.disturbance import CALIBRATION, Disturbance, Parameters

NOWHERE = {"x": 0.0, "y": 0.0, "z": 0.0, "roll": 0.0, "pitch": 0.0, "yaw": 0.0}


def displaced(calibration: Calibration, **offset: float) -> Calibration:
    """The calibration of a camera whose actual place differs from it by an offset.

    Args:
        calibration: that is right.
        offset: of the actual from the calibrated camera: ``x``, ``y``, ``z`` [m], ``roll``,
            ``pitch``, ``yaw`` [rad].

    Raises:
        ValueError: if no camera could hang where the calibration then says.
    """
    place = {**NOWHERE, **offset}
    body_from_actual = mounting_matrix(
        torch.tensor([place["x"], place["y"], place["z"]], dtype=torch.float64),
        place["roll"],
        place["pitch"],
        place["yaw"],
    )
    optical = optical_from_body(torch.float64)
    calibrated_from_actual = optical @ body_from_actual @ optical.mT
    actual_from_lidar = calibration.camera_from_lidar
    wrong = (calibrated_from_actual @ actual_from_lidar.double()).to(actual_from_lidar)
    found = calibration._replace(camera_from_lidar=wrong)
    check_calibration(found)
    return found


def _turned(
    axis: str, calibration: Calibration, parameters: Parameters, _: np.random.Generator
) -> Calibration:
    return displaced(calibration, **{axis: float(np.radians(parameters["degrees"]))})


def _drifting(
    calibration: Calibration, parameters: Parameters, draws: np.random.Generator
) -> Calibration:
    """Any pitch and yaw up to an angle, as samples of a mounting that gives way."""
    pitch, yaw = draws.uniform(-1.0, 1.0, 2) * np.radians(parameters["degrees"])
    return displaced(calibration, pitch=float(pitch), yaw=float(yaw))


def _moved(calibration: Calibration, parameters: Parameters, _: np.random.Generator) -> Calibration:
    return displaced(calibration, **{axis: by / 100.0 for axis, by in parameters.items()})


_DEGREES = [{"degrees": 0.5}, {"degrees": 1.0}, {"degrees": 2.0}]
PITCH = Disturbance(
    "camera_pitch", CALIBRATION, "camera looks lower than calibrated [degrees]",
    _DEGREES, functools.partial(_turned, "pitch"),
)  # fmt: skip
YAW = Disturbance(
    "camera_yaw", CALIBRATION, "camera looks further to the left than calibrated [degrees]",
    _DEGREES, functools.partial(_turned, "yaw"),
)  # fmt: skip
ROLL = Disturbance(
    "camera_roll", CALIBRATION, "camera tilted to its right against its calibration [degrees]",
    _DEGREES, functools.partial(_turned, "roll"),
)  # fmt: skip
DRIFTING = Disturbance(
    "camera_drifting", CALIBRATION, "mounting gives way: largest change of pitch and yaw [degrees]",
    [{"degrees": 1.0}, {"degrees": 2.0}, {"degrees": 4.0}], _drifting,
)  # fmt: skip
MOVED = Disturbance(
    "camera_moved", CALIBRATION, "camera further ahead (x), left (y), up (z) than calibrated [cm]",
    [{"x": 0.0, "y": by, "z": 0.0} for by in (2.0, 5.0, 10.0)], _moved,
)  # fmt: skip
