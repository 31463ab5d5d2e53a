"""From the message of a LiDAR to the planar scan that the segmenter reads: one way for all."""

from typing import Any, NamedTuple

from torch import Tensor

from conegrad_core.lidar.reduction import ReductionConfig, reduce_cloud
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.sweep import SweepConfig, corrected_times
from conegrad_data.decode import DecodeError, points_from_msg, scan_from_msg, scan_warnings


class ScanView(NamedTuple):
    """What a LiDAR can see.

    Attributes:
        angle_low: first angle [rad].
        angle_high: last angle [rad].
        range_max: longest range [m].
    """

    angle_low: float
    angle_high: float
    range_max: float

    @classmethod
    def of_beams(cls, angles: Tensor, range_max: float) -> "ScanView":
        """By the ``(B,)`` rising angles of the beams [rad] and the longest range [m]."""
        return cls(float(angles[0]), float(angles[-1]), float(range_max))


class ReadScan(NamedTuple):
    """A planar scan, of a LaserScan or of a PointCloud2.

    Attributes:
        scan: with the times of its beams where the message has them.
        range_min: shortest range that the sensor can measure [m].
        range_max: longest range that the sensor can measure [m].
        warnings: what is probably wrong with the message.
    """

    scan: Scan
    range_min: float
    range_max: float
    warnings: list[str]

    @property
    def view(self) -> ScanView:
        """What the sensor can see."""
        return ScanView.of_beams(self.scan.angles, self.range_max)


class ScanReader:
    """Decodes LaserScan and PointCloud2 alike, those of one LiDAR in the order of time.

    Args:
        reduction: of clouds to planar scans.
        sweep: what the driver says wrongly about the times of beams.

    Attributes:
        car: tells which returns of a cloud are of the own car; None where nothing has to.
    """

    def __init__(
        self, reduction: ReductionConfig | None = None, sweep: SweepConfig | None = None
    ) -> None:
        self._reduction = reduction or ReductionConfig()
        self._sweep = sweep or SweepConfig()
        self.car = self._reduction.own_car()

    def read(self, msg: Any) -> ReadScan:
        """Scan of a message.

        Raises:
            DecodeError: if the message cannot be used.
        """
        return self._planar(msg) if hasattr(msg, "ranges") else self._reduced(msg)

    def _planar(self, msg: Any) -> ReadScan:
        scan = scan_from_msg(msg)
        if scan.times is not None:
            scan = scan._replace(times=corrected_times(scan.times, self._sweep))
        return ReadScan(scan, msg.range_min, msg.range_max, scan_warnings(msg))

    def _reduced(self, msg: Any) -> ReadScan:
        cloud, config = points_from_msg(msg), self._reduction
        times, warning, is_anchored = cloud.times, cloud.warning, cloud.is_anchored
        if not is_anchored:
            is_given = self._sweep.stamp != "message"
            times, warning = (times, "") if is_given else (None, warning)
        if times is not None:
            times = corrected_times(times, self._sweep)
        try:
            reduced = reduce_cloud(cloud.points, config, cloud.rings, times, self.car)
        except ValueError as error:
            raise DecodeError(str(error)) from error
        warnings = [warning] if warning else []
        return ReadScan(reduced.scan, config.min_range, config.max_range, warnings)
