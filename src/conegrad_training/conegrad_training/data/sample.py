"""One training sample: what both sensors saw at one instant, and what was there."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.metrics.boxes import TrueBoxes


class SampleKey(NamedTuple):
    """Where a sample comes from, to be named in errors.

    Attributes:
        bag: name of the recording, or what made the sample.
        frame: position among the pairs of the recording.
        stamp_ns: stamp of the scan [ns].
    """

    bag: str
    frame: int
    stamp_ns: int

    def __str__(self) -> str:
        return f"{self.bag}, frame {self.frame} (stamp {self.stamp_ns} ns)"


class OwnLabels(NamedTuple):
    """Labels of each model's own loss; only individual training needs them.

    Attributes:
        boxes: cones in the image.
        beams: ``(B,)`` bool, the beam hit a cone.
    """

    boxes: TrueBoxes
    beams: Tensor


class Sample(NamedTuple):
    """A paired frame with its truth.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB.
        scan: planar scan.
        calibration: of the vehicle.
        motion: ``(4, 4)`` ``lidar_at_scan_from_lidar_at_image``; None where it is not known.
        truth: true cones in the LiDAR frame at the stamp of the scan.
        key: where it comes from.
        labels: of the models' own losses, where there are any.
    """

    image: RgbImage
    scan: Scan
    calibration: Calibration
    motion: Tensor | None
    truth: TrueCones
    key: SampleKey
    labels: OwnLabels | None = None
