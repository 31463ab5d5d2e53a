"""Accuracy of the colours of single cones, by the height of their boxes."""

from typing import Any

import torch
from torch import Tensor

from conegrad_core.cones import CLASS_NAMES
from conegrad_core.shapes import check_shape
from conegrad_evaluation.metrics.box_heights import by_box_height, joined


class ColourAccuracy:
    """Colours of cones whose true colour is known, collected image by image."""

    def __init__(self) -> None:
        self._right: list[Tensor] = []
        self._classes: list[Tensor] = []
        self._heights: list[Tensor] = []

    def add(self, logits: Tensor, classes: Tensor, heights: Tensor) -> None:
        """Collect K cones; those of unknown colour do not count.

        Args:
            logits: ``(K, 4)``.
            classes: ``(K,)`` true :class:`conegrad_core.cones.ConeClass`.
            heights: ``(K,)`` of the true boxes [px of the original image].

        Raises:
            ValueError: if a shape is wrong.
        """
        check_shape(logits, len(classes), len(CLASS_NAMES), name="logits")
        known = (classes < len(CLASS_NAMES)).cpu()
        right = (logits.detach().argmax(dim=-1).cpu() == classes.cpu())[known]
        self._right.append(right.float())
        self._classes.append(classes.cpu()[known])
        self._heights.append(heights.cpu()[known])

    def __len__(self) -> int:
        return sum(len(part) for part in self._right)

    def to_dict(self) -> dict[str, Any]:
        """``accuracy`` and ``cones``, also by class and by range of the box's height."""
        right, classes = joined(self._right), joined(self._classes)
        by_class = {
            name: _figures(right[classes == number])
            for number, name in enumerate(CLASS_NAMES)
            if bool((classes == number).any())
        }
        ranges = {
            name: _figures(right[rows]) for name, rows in by_box_height(joined(self._heights))
        }
        return {**_figures(right), "by_class": by_class, "by_box_height": ranges}


def _figures(right: Tensor) -> dict[str, float]:
    if not len(right):
        return {"cones": 0}
    return {"accuracy": float(torch.mean(right)), "cones": len(right)}
