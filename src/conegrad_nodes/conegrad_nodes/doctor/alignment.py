"""How far camera and LiDAR disagree about where cones are, without a map of them.

Every box of a clear cone gives a bearing and a depression from the camera, every cone of the LiDAR
another pair. With a right calibration the differences of all pairs of a box and a cone pile up at
zero; with a wrong one at its error, whatever pairs belong together. So the peak is found first, and
the median of the pairs near it is the error.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.monocular import camera_candidates
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import SegmentedScan

Floats = npt.NDArray[np.float64]

SEARCHED = np.radians(8.0)  # [rad] to either side
WIDTH = np.radians(0.8)  # [rad] of the peak, to either side
NEAREST, FARTHEST = 2.5, 12.0  # [m] of the cones that count
CLEAR = 0.0  # log odds of boxes and cones that count
LEAST_PAIRS = 12
LEAST_SHARE = 0.35  # of the boxes, that have a partner at the peak


class SeenTogether(NamedTuple):
    """An image and a scan of one moment.

    Attributes:
        calibration: as stated, at the stamp of the scan.
        detections: of the image.
        segmented: of the scan.
    """

    calibration: Calibration
    detections: Detections
    segmented: SegmentedScan


class Misalignment(NamedTuple):
    """Rotation of the camera that its calibration lacks.

    Attributes:
        yaw: boxes lie this far to the left of their cones [rad].
        pitch: boxes lie this far below their cones [rad].
        pairs: of a box and a cone, that the figures are medians of.
    """

    yaw: float
    pitch: float
    pairs: int


@torch.inference_mode()
def misalignment(frames: Iterable[SeenTogether]) -> Misalignment | None:
    """Disagreement of both sensors; None where too few cones are seen by both.

    Args:
        frames: of one drive.
    """
    # Without a stated error of its angles, slack is that of boxes cut by the border alone.
    fuser, config = Fuser(), FuserConfig(camera_angle_error=0.0)
    differences, boxes = [], 0
    for calibration, detections, segmented in frames:
        clear = detections.logits.logsumexp(-1) > CLEAR
        seen = camera_candidates(
            Detections(*(part[clear] for part in detections)), calibration, fuser.scalars(), config
        )
        cones = fuser(segmented, None, None)
        offsets = cones.positions[cones.existence_logits > CLEAR] - seen.origin
        ranges = offsets.norm(dim=-1)
        near = (ranges > NEAREST) & (ranges < FARTHEST)
        offsets, ranges = offsets[near], ranges[near]
        inside = seen.slack[:, :2].sum(-1) == 0  # not cut by the border of the image
        bearings = torch.atan2(seen.directions[:, 1], seen.directions[:, 0])[inside]
        foot = torch.atan(seen.foot)[inside]
        of_cones = torch.atan2(offsets[:, 1], offsets[:, 0])
        base = fuser.scalars().base_radius
        below = torch.atan(seen.camera_height / (ranges - base))
        yaw = bearings[:, None] - of_cones
        pitch = foot[:, None] - below
        differences.append(torch.stack([yaw.flatten(), pitch.flatten()], dim=-1).double().numpy())
        boxes += int((foot > torch.atan(seen.camera_height / FARTHEST)).sum())
    if not differences:
        return None
    return _peak(np.concatenate(differences), boxes)


def _peak(differences: Floats, boxes: int) -> Misalignment | None:
    """The most frequent pair of differences, if enough boxes share it."""
    near = (np.abs(differences) < SEARCHED).all(axis=1)
    found = differences[near]
    if len(found) < LEAST_PAIRS:
        return None
    edges = np.arange(-SEARCHED - WIDTH, SEARCHED + 2 * WIDTH, WIDTH / 2)
    counts, _, _ = np.histogram2d(found[:, 0], found[:, 1], bins=(edges, edges))
    # Boxes of three by three cells: a peak on an edge counts in full.
    padded = np.pad(counts, 1)
    sums = sum(
        padded[i : i + counts.shape[0], j : j + counts.shape[1]] for i in range(3) for j in range(3)
    )
    row, column = np.unravel_index(int(np.argmax(sums)), counts.shape)
    centre = np.array([edges[row], edges[column]]) + WIDTH / 4
    members = found[(np.abs(found - centre) < WIDTH).all(axis=1)]
    if len(members) < max(LEAST_PAIRS, LEAST_SHARE * boxes):
        return None
    yaw, pitch = np.median(members, axis=0)
    return Misalignment(float(yaw), float(pitch), len(members))
