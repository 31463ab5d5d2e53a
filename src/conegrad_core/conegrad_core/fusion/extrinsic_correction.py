"""Learned corrections of the extrinsic calibration of camera and LiDAR."""

import math

import torch
from torch import Tensor, nn

from conegrad_core.cones import Cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import (
    mounting_matrix,
    pose_matrix,
    rigid_inverse,
    turned,
)

NAMES = (
    "camera_x",
    "camera_y",
    "camera_z",
    "camera_turn_x",
    "camera_turn_y",
    "camera_turn_z",
    "lidar_x",
    "lidar_y",
    "lidar_turn",
)
MAX_SHIFT = 0.3  # [m]; a calibration with larger errors has to be measured again
MAX_TURN = math.radians(10.0)  # [rad]
LIMITS = tuple(MAX_TURN if "turn" in name else MAX_SHIFT for name in NAMES)
ROUNDING = 1 + 1e-6  # of single precision
SCALE = 0.2  # [m] or [rad] per unit stored: the rate of the scalars, 5e-3, moves 1 mm or 0.06 deg


class ExtrinsicCorrection(nn.Module):
    """Corrections of the poses of camera and LiDAR in the calibration that the fusion is given.

    All are 0 before training, and then no operation runs. Each is the pose of a sensor relative to
    its pose in the calibration: ``camera_x`` to ``camera_turn_z`` are shift [m] and rotations [rad]
    of the camera in the optical frame of the calibration, relative to the LiDAR; ``lidar_x``,
    ``lidar_y`` [m] and ``lidar_turn`` [rad] are those of the scan in the LiDAR frame of the
    calibration. A planar scan does not depend on height and tilt of the LiDAR, so they have no
    correction. Learned values stay within ``MAX_SHIFT`` and ``MAX_TURN``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stored = nn.Parameter(torch.zeros(len(NAMES)))

    @property
    def is_neutral(self) -> bool:
        """Nothing is corrected and nothing learns."""
        return not (self.stored.requires_grad and torch.is_grad_enabled()) and not bool(
            self.stored.any()
        )

    def corrected(self, calibration: Calibration) -> Calibration:
        """The calibration with the corrected pose of the camera relative to the LiDAR."""
        if self.is_neutral:
            return calibration
        values = self._values().to(calibration.camera_from_lidar)
        there_from_here = mounting_matrix(values[:3], *values[3:6].unbind())
        here_from_lidar = rigid_inverse(there_from_here) @ calibration.camera_from_lidar
        return calibration._replace(camera_from_lidar=here_from_lidar)

    def carried(self, motion: Tensor) -> Tensor:
        """Ego-motion of the scan's frame, of that of the calibration's LiDAR frame.

        Args:
            motion: ``(3,)`` x, y [m], yaw [rad] or ``(4, 4)``; the result is like it or ``(4, 4)``.
        """
        if self.is_neutral:
            return motion
        if motion.shape == (3,):
            motion = pose_matrix(*motion.unbind())
        lidar_from_scan = self._lidar_from_scan(motion)
        return rigid_inverse(lidar_from_scan) @ motion @ lidar_from_scan

    def carried_beams(self, motions: Tensor) -> Tensor:
        """As :meth:`carried` for the ``(n, 3)`` motions of beams; zeros stay exactly zeros."""
        if self.is_neutral:
            return motions
        values = self._values().to(motions)
        place, turn = values[6:8].expand(motions.shape[0], 2), motions[:, 2]
        shift = motions[:, :2] + (turned(place, turn) - place)
        return torch.cat([turned(shift, -values[8]), turn[:, None]], dim=-1)

    def placed(self, cones: Cones) -> Cones:
        """Cones of the scan's frame in the LiDAR frame of the calibration."""
        if self.is_neutral:
            return cones
        lidar_from_scan = self._lidar_from_scan(cones.positions)
        rotation = lidar_from_scan[:2, :2]
        return cones._replace(
            positions=cones.positions @ rotation.mT + lidar_from_scan[:2, 3],
            covariances=rotation @ cones.covariances @ rotation.mT,
        )

    def _values(self) -> Tensor:
        limits = self.stored.new_tensor(LIMITS)
        return torch.clamp(SCALE * self.stored, -limits, limits)

    def _lidar_from_scan(self, like: Tensor) -> Tensor:
        return pose_matrix(*self._values()[6:].to(like).unbind())

    def values(self) -> dict[str, float]:
        """Corrections by name [m], [rad]."""
        return dict(zip(NAMES, self._values().detach().tolist(), strict=True))

    def set_values(self, values: dict[str, float]) -> None:
        """Set corrections by name.

        Raises:
            ValueError: if a name is unknown, or a value beyond its limit.
        """
        for name, value in values.items():
            if name not in NAMES:
                raise ValueError(f"correction {name!r} is unknown, expected one of {NAMES}")
            limit, unit = LIMITS[NAMES.index(name)], "rad" if "turn" in name else "m"
            if not abs(value) <= limit * ROUNDING:
                raise ValueError(
                    f"the learned correction {name} is {value:.3g} {unit}, expected at most "
                    f"{limit:.3g} {unit}: measure the calibration anew"
                )
        with torch.no_grad():
            for name, value in values.items():
                self.stored[NAMES.index(name)] = value / SCALE

    def describe(self) -> str:
        """Corrections in cm and degrees, such as ``camera_turn_x -1.42 deg``."""
        values = self.values()
        text = ", ".join(
            f"{name} {math.degrees(value):.2f} deg"
            if "turn" in name
            else f"{name} {100 * value:.1f} cm"
            for name, value in values.items()
        )
        ends = [
            name
            for (name, value), limit in zip(values.items(), LIMITS, strict=True)
            if abs(value) * ROUNDING >= limit
        ]
        if ends:
            text += f"; at the limit, measure the calibration anew: {', '.join(ends)}"
        return text
