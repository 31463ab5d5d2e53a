"""The whole perception: image and scan in, cones on the ground out."""

import torch
from torch import Tensor, nn

from conegrad_core.camera.detector import Detector
from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import Cones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter


class Perception(nn.Module):
    """Detector, segmenter and fuser in one module, as the nodes run them apart.

    The end loss of :meth:`forward` reaches the weights of all three.
    """

    def __init__(self, detector: Detector, segmenter: ScanSegmenter, fuser: Fuser) -> None:
        super().__init__()
        self.detector = detector
        self.segmenter = segmenter
        self.fuser = fuser

    def forward(
        self,
        image: RgbImage | None,
        scan: Scan | None,
        calibration: Calibration,
        motion: Tensor | None = None,
    ) -> Cones:
        """All candidates of one frame, differentiable.

        Args:
            image: ``(height, width, 3)`` uint8 RGB, or None: the LiDAR alone.
            scan: planar scan, or None: the camera alone.
            calibration: geometry of the vehicle.
            motion: ego-motion ``lidar_at_scan_from_lidar_at_image``, see :class:`Fuser`.

        Raises:
            ValueError: if both inputs are None, or a shape is wrong.
        """
        detections = None if image is None else self.detector.detect(image)
        segmented = None if scan is None else self.segmenter.segment(scan)
        cones: Cones = self.fuser(segmented, detections, calibration, motion)
        return cones

    @torch.inference_mode()
    def perceive(
        self,
        image: RgbImage | None,
        scan: Scan | None,
        calibration: Calibration,
        motion: Tensor | None = None,
        *,
        min_existence: float = 0.5,
        merge_distance: float = 0.3,
    ) -> Cones:
        """The cones that probably exist, each once; arguments as :meth:`forward`."""
        candidates = self(image, scan, calibration, motion)
        return select_cones(candidates, min_existence, merge_distance)
