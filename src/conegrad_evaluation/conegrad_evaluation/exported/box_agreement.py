"""Whether two detectors say the same of one image."""

import numpy as np

from conegrad_core.camera.image import Detections
from conegrad_core.camera.pooling import box_iou

MIN_SCORE = 0.25  # of a box that counts
SAME_PLACE = 0.5  # least intersection over union of a box that is found again


class BoxAgreement:
    """Boxes that an exported detector finds again, in the same place and colour.

    Attributes:
        matched: boxes of the original that the export has, too.
        original: boxes of the original.
        exported: boxes of the export.
    """

    def __init__(self) -> None:
        self.matched = self.original = self.exported = 0
        self._overlaps: list[float] = []

    def add(self, original: Detections, exported: Detections) -> None:
        """Compare the boxes of one image."""
        first, second = (_certain(found) for found in (original, exported))
        self.original += len(first.logits)
        self.exported += len(second.logits)
        if not len(first.logits) or not len(second.logits):
            return
        overlaps = box_iou(first.boxes_xyxy, second.boxes_xyxy)
        same = first.logits.argmax(-1)[:, None] == second.logits.argmax(-1)
        best = (overlaps * same).amax(1)
        found = best >= SAME_PLACE
        self.matched += int(found.sum())
        self._overlaps += best[found].tolist()

    @property
    def share(self) -> float:
        """F1 of the boxes of the export, those of the original being the truth; NaN of none."""
        total = self.original + self.exported
        return 2 * min(self.matched, self.exported) / total if total else float("nan")

    @property
    def overlap(self) -> float:
        """Median intersection over union of boxes found again; NaN of none."""
        return float(np.median(self._overlaps)) if self._overlaps else float("nan")


def _certain(found: Detections) -> Detections:
    kept = found.logits.amax(-1).sigmoid() >= MIN_SCORE
    return Detections(found.boxes_xyxy[kept], found.logits[kept])
