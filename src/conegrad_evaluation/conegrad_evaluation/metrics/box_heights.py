"""Ranges of the heights of boxes, by which figures of single cones in images are reported."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

HEIGHT_EDGES = (4.0, 8.0, 12.0, 20.0, 40.0, 80.0)  # [px]; the last range has no upper edge


def by_box_height(heights: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Name of each range of heights and the ``(N,)`` mask of its rows; empty ranges are left out.

    Args:
        heights: ``(N,)`` of boxes [px].
    """
    edges = (*HEIGHT_EDGES, float("inf"))
    for low, high in itertools.pairwise(edges):
        chosen = (heights >= low) & (heights < high)
        if bool(chosen.any()):
            name = f"from {low:g} px" if high == edges[-1] else f"{low:g} to {high:g} px"
            yield name, chosen


def box_heights(boxes_xyxy: Tensor) -> Tensor:
    """``(N,)`` heights of boxes [px]."""
    return boxes_xyxy[:, 3] - boxes_xyxy[:, 1]


def joined(parts: list[Tensor]) -> Tensor:
    """Rows of all parts; none without parts."""
    return torch.cat(parts) if parts else torch.zeros(0)
