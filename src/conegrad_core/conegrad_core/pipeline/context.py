"""What a stage knows about a sample besides its inputs."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.geometry.calibration import Calibration


class FrameContext(NamedTuple):
    """Geometry of one sample.

    Attributes:
        calibration: of the vehicle; None where it is not known.
        motion: ``(4, 4)`` or ``(3,)`` ``lidar_at_scan_from_lidar_at_image``, as the fusion takes
            it; None where it is not known.
    """

    calibration: Calibration | None = None
    motion: Tensor | None = None
