"""Average precision of boxes, per class, as in the PASCAL VOC challenge (all points)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.camera.image import TrueBoxes as TrueBoxes
from conegrad_core.camera.pooling import box_iou
from conegrad_core.cones import CLASS_NAMES, ConeClass
from conegrad_core.shapes import check_shape

Floats = npt.NDArray[np.float64]


class _Matches(NamedTuple):
    """Detections of one class in one image: score, truth row of the image, and its overlap."""

    scores: Tensor
    truths: Tensor
    overlaps: Tensor


def average_precisions(
    detections: Sequence[Detections],
    truths: Sequence[TrueBoxes],
    *,
    overlap: float = 0.5,
    min_height: float = 0.0,
) -> dict[str, float]:
    """Average precision of each class that occurs, and their ``mean`` (mAP50 by default).

    Every detection counts for every class with its score for that class. It is correct if the box
    of that class with the largest overlap has no detection with a higher score.

    Args:
        detections: of each image.
        truths: of the same images in the same order.
        overlap: least intersection over union of a correct box.
        min_height: boxes lower than this are ignored, among truths and detections [px].

    Returns:
        Values in [0, 1] by class name; NaN as ``mean`` where no class occurs.

    Raises:
        ValueError: if both sequences differ in length or a tensor has another shape.
    """
    if len(detections) != len(truths):
        raise ValueError(f"detections has {len(detections)} images, expected {len(truths)}")
    for truth in truths:
        check_shape(truth.boxes_xyxy, None, 4, name="boxes_xyxy")
    values = {}
    for index, name in enumerate(CLASS_NAMES):
        count = sum(int(_counted(truth, index, min_height).sum()) for truth in truths)
        if count:
            found = [
                _match(detection, truth, index, overlap, min_height)
                for detection, truth in zip(detections, truths, strict=True)
            ]
            values[name] = _area(*_outcomes(found), count)
    values["mean"] = float(np.mean(list(values.values()))) if values else float("nan")
    return values


def _heights(boxes_xyxy: Tensor) -> Tensor:
    return boxes_xyxy[:, 3] - boxes_xyxy[:, 1]


def _counted(truth: TrueBoxes, index: int, min_height: float) -> Tensor:
    return (truth.classes == index) & (_heights(truth.boxes_xyxy) >= min_height)


def _match(
    detections: Detections, truth: TrueBoxes, index: int, overlap: float, min_height: float
) -> _Matches:
    """Truth row of each detection for one class: -1 for none; ignored detections are left out."""
    boxes, scores = detections.boxes_xyxy.detach(), detections.logits.detach()[:, index]
    counted = _counted(truth, index, min_height)
    iou = box_iou(boxes, truth.boxes_xyxy.to(boxes))
    unknown = ~counted & ((truth.classes == index) | (truth.classes == int(ConeClass.UNKNOWN)))
    overlaps, rows = _best(iou, counted)
    found = overlaps >= overlap
    ignored = ~found & ((_best(iou, unknown)[0] >= overlap) | (_heights(boxes) < min_height))
    rows = torch.where(found, rows, -1)
    return _Matches(scores[~ignored], rows[~ignored], overlaps[~ignored])


def _best(iou: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Largest overlap ``(K,)`` with one of the selected truths, and its row."""
    if not columns.any():
        return iou.new_zeros(len(iou)), torch.zeros(len(iou), dtype=torch.int64)
    return torch.where(columns, iou, -1.0).max(1)


def _outcomes(found: Sequence[_Matches]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Scores of all detections of one class in descending order, and a mask of correct ones."""
    scores = torch.cat([image.scores for image in found]).double().numpy()
    truths = torch.cat([image.truths for image in found]).numpy()
    images = np.repeat(np.arange(len(found)), [len(image.scores) for image in found])
    order = np.argsort(-scores, kind="stable")
    keys = np.stack([images[order], truths[order]], 1)
    first = np.zeros(len(order), dtype=bool)
    first[np.unique(keys, axis=0, return_index=True)[1]] = True
    return scores[order], first & (keys[:, 1] >= 0)


def _area(scores: Floats, correct: npt.NDArray[np.bool_], count: int) -> float:
    """Area under the precision-recall curve, with precision made monotonous."""
    hits = np.cumsum(correct)
    recall = hits / count
    precision = hits / np.arange(1, len(scores) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))
