"""Which true cone each crop shows."""

import torch
from torch import Tensor

from conegrad_core.camera.pooling import box_iou
from conegrad_core.crops.cutting import WINDOW, windows_around

MIN_OVERLAP = 0.4  # IoU of windows: a box of two thirds of the size still matches
NONE = -1


def match_crops(windows_xyxy: Tensor, boxes_xyxy: Tensor, window: float = WINDOW) -> Tensor:
    """The true box that each window covers best; several windows may show one cone.

    Args:
        windows_xyxy: ``(K, 4)`` of crops [px].
        boxes_xyxy: ``(N, 4)`` true boxes [px].
        window: side of the window of a true box per its longer side.

    Returns:
        ``(K,)`` int64 row of the box; ``NONE`` where no window of a box overlaps by
        ``MIN_OVERLAP``.
    """
    windows, boxes = windows_xyxy.detach(), boxes_xyxy.to(windows_xyxy)
    if not len(windows) or not len(boxes):
        return torch.full((len(windows),), NONE, device=windows.device)
    overlaps, rows = box_iou(windows, windows_around(boxes, window)).max(dim=1)
    return torch.where(overlaps >= MIN_OVERLAP, rows, NONE)
