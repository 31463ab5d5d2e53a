"""Where the sensors really are: learned corrections of a calibration that is a little off."""

import math

import torch
from torch import nn

from conegrad_core.cones import Cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import mounting_matrix

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
MAX_SHIFT = 0.3  # [m]; beyond these the calibration is wrong, not a little off
MAX_TURN = math.radians(10.0)  # [rad]
SCALE = 0.2  # [m] or [rad] per unit stored: the rate of the scalars, 5e-3, moves 1 mm or 0.06 deg


class Mounting(nn.Module):
    """Corrections of camera and LiDAR against the calibration that the fusion is given.

    All are 0 until they are learned, and then cost nothing. The camera's, ``camera_x`` to
    ``camera_turn_z``, are a shift [m] and turns [rad] in its optical frame, which say where it is
    against the LiDAR; the LiDAR's, ``lidar_x``, ``lidar_y`` [m] and ``lidar_turn`` [rad], where
    the scan is against the frame that the calibration calls that of the LiDAR. Height and tilt of
    the LiDAR do not show in a planar scan and have none.
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
        """The calibration with the camera where it is against the LiDAR."""
        if self.is_neutral:
            return calibration
        values = SCALE * self.stored[:6].to(calibration.camera_from_lidar)
        correction = mounting_matrix(values[:3], *values[3:].unbind())
        return calibration._replace(camera_from_lidar=correction @ calibration.camera_from_lidar)

    def placed(self, cones: Cones) -> Cones:
        """Cones of the scan's frame in the frame that the calibration calls that of the LiDAR."""
        if self.is_neutral:
            return cones
        values = SCALE * self.stored[6:].to(cones.positions)
        cos, sin = values[2].cos(), values[2].sin()
        rotation = torch.stack([cos, -sin, sin, cos]).reshape(2, 2)
        return cones._replace(
            positions=cones.positions @ rotation.mT + values[:2],
            covariances=rotation @ cones.covariances @ rotation.mT,
        )

    def values(self) -> dict[str, float]:
        """Corrections by name [m], [rad]."""
        return dict(zip(NAMES, (SCALE * self.stored.detach().double()).tolist(), strict=True))

    def set_values(self, values: dict[str, float]) -> None:
        """Set corrections by name.

        Raises:
            ValueError: if a name is unknown, or a value larger than a knock can be.
        """
        for name, value in values.items():
            if name not in NAMES:
                raise ValueError(f"correction {name!r} is unknown, expected one of {NAMES}")
            limit, unit = (MAX_TURN, "rad") if "turn" in name else (MAX_SHIFT, "m")
            if not abs(value) <= limit:
                raise ValueError(
                    f"the learned correction {name} is {value:.3g} {unit}, expected at most "
                    f"{limit:.3g} {unit}: measure the calibration anew"
                )
        with torch.no_grad():
            for name, value in values.items():
                self.stored[NAMES.index(name)] = value / SCALE

    def describe(self) -> str:
        """Corrections in cm and degrees, such as ``camera_turn_x -1.42 deg``."""
        return ", ".join(
            f"{name} {math.degrees(value):.2f} deg"
            if "turn" in name
            else f"{name} {100 * value:.1f} cm"
            for name, value in self.values().items()
        )
