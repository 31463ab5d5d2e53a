"""What the monitor looks at: one fused pair, and how it came about."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.lidar.scan import SegmentedScan

Floats = npt.NDArray[np.float64]


class ObservedFrame(NamedTuple):
    """One fused pair.

    Attributes:
        stamp_ns: of the cones [ns].
        cones: that are published, in the frame of the LiDAR.
        base_from_lidar: ``(4, 4)`` mounting.
        pose: ``odom_from_base`` at the stamp; None without odometry.
        image: boxes of the image that took part, or None.
        image_ns: its stamp [ns]; None without one.
        scan: that took part, or None.
        scan_ns: its stamp [ns]; None without one.
        calibration: of both; None where only one sensor took part.
        motion: ``(4, 4)`` ``lidar_at_scan_from_lidar_at_image``; None where it is not known.
        lag: stamp of the image minus that of the scan [s].
        why_alone: why a sensor is missing, in words; empty for a pair.
        alarms: of the nodes of the sensors.
    """

    stamp_ns: int
    cones: Cones
    base_from_lidar: Floats
    pose: Pose2 | None = None
    image: Detections | None = None
    image_ns: int | None = None
    scan: SegmentedScan | None = None
    scan_ns: int | None = None
    calibration: Calibration | None = None
    motion: Floats | None = None
    lag: float = 0.0
    why_alone: str = ""
    alarms: tuple[Reason, ...] = ()
