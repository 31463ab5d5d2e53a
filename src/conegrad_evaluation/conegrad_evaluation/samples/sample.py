"""One training sample: the inputs of a pipeline at one instant, and what was there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from conegrad_core.cones import TrueCones
from conegrad_core.pipeline.context import FrameContext


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


class Sample(NamedTuple):
    """A paired frame with its truth.

    Attributes:
        inputs: values of the inputs of a pipeline, by port: ``image`` (``(height, width, 3)``
            uint8 RGB) and ``scan`` (:class:`conegrad_core.lidar.scan.Scan`).
        context: calibration and motion.
        truth: true cones in the LiDAR frame at the stamp of the scan.
        key: where it comes from.
        labels: for supervised losses, by kind of label: ``boxes`` and
            ``cone_colours`` (:class:`conegrad_core.camera.image.TrueBoxes`), ``keypoints``
            (:class:`conegrad_core.keypoints.keypoints.TrueKeypoints`), ``stands``
            (:class:`conegrad_core.camera.image.TrueStanding`) and ``beams`` (``(B,)`` bool, the
            beam hit a cone); None where nobody labelled the frame.
    """

    inputs: Mapping[str, Any]
    context: FrameContext
    truth: TrueCones
    key: SampleKey
    labels: Mapping[str, Any] | None = None
