"""Which box shows which true cone."""

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_evaluation.port_truths.scene import ConeOutlines

MIN_SCORE = 0.25  # of a box that says that there is a cone
ASIDE, ABOVE = 0.8, 0.6  # share of its width and height by which a box may miss its cone
SLACK = 4.0  # [px] likewise
NONE = -1


def match_boxes(outlines: ConeOutlines, detections: Detections) -> Tensor:
    """``(N,)`` box of each cone, :data:`NONE` without one.

    Pairs are taken from the best on; each box shows one cone.

    Args:
        outlines: of N cones, where they are expected.
        detections: of the image; boxes of a low score do not count.
    """
    rows = torch.full((len(outlines.in_front),), NONE)
    if not len(detections.logits) or not len(rows):
        return rows
    misfit = _misfit(outlines.boxes_xyxy, detections.boxes_xyxy.detach())
    misfit[~outlines.in_front] = torch.inf
    misfit[:, ~speaks(detections)] = torch.inf
    while bool((misfit <= 1.0).any()):
        cone, box = divmod(int(misfit.argmin()), misfit.shape[1])
        rows[cone] = box
        misfit[cone], misfit[:, box] = torch.inf, torch.inf
    return rows


def speaks(detections: Detections, score: float = MIN_SCORE) -> Tensor:
    """``(K,)`` mask of the boxes that say that there is a cone."""
    if not len(detections.logits):
        return torch.zeros(0, dtype=torch.bool)
    return detections.logits.detach().sigmoid().amax(-1) >= score


def _misfit(expected: Tensor, boxes: Tensor) -> Tensor:
    """``(N, K)`` how far boxes are from where cones are expected; 1 is the limit."""
    size = expected[:, None, 2:] - expected[:, None, :2]
    centre = 0.5 * (expected[:, None, :2] + expected[:, None, 2:])
    found = 0.5 * (boxes[None, :, :2] + boxes[None, :, 2:])
    off = (found - centre).abs() / (size * size.new_tensor([ASIDE, ABOVE]) + SLACK)
    return off.amax(-1)
