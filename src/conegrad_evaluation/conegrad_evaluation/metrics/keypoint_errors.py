"""Errors of keypoints, against the height of the cone and against their stated deviation."""

from typing import Any

from torch import Tensor

from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.shapes import check_shape
from conegrad_evaluation.metrics.box_heights import by_box_height, joined

QUANTILE = 0.9


class KeypointErrors:
    """Keypoints of cones whose true places are known, collected image by image."""

    def __init__(self) -> None:
        self._shares: list[Tensor] = []
        self._ratios: list[Tensor] = []
        self._heights: list[Tensor] = []

    def add(self, found: Keypoints, positions: Tensor, counted: Tensor, heights: Tensor) -> None:
        """Collect K cones.

        Args:
            found: rows of the K cones.
            positions: ``(K, 7, 2)`` true places [px].
            counted: ``(K, 7)`` bool, keypoints to compare.
            heights: ``(K,)`` of the true boxes [px of the original image].

        Raises:
            ValueError: if a shape is wrong.
        """
        check_shape(positions, len(found.positions), found.positions.shape[1], 2, name="positions")
        errors = found.positions.detach().cpu() - positions.to("cpu", found.positions.dtype)
        of_cones = heights.cpu()[:, None].expand(counted.shape)
        deviations = found.log_deviations.detach().cpu().exp()
        sizes = (positions[..., 1].amax(dim=1) - positions[..., 1].amin(dim=1)).cpu()
        shares = errors.norm(dim=-1) / sizes.clamp(min=1e-6)[:, None]
        rows = counted.cpu()
        self._shares.append(shares[rows])
        self._ratios.append((errors / deviations[..., None]).square().mean(dim=-1)[rows])
        self._heights.append(of_cones[rows])

    def __len__(self) -> int:
        return sum(len(part) for part in self._shares)

    def to_dict(self) -> dict[str, Any]:
        """``median`` and ``quantile_90`` of the errors, ``calibration`` and ``keypoints``.

        Errors are in shares of the height between the lowest and the highest keypoint;
        ``calibration`` is the mean of the squared error per deviation of a coordinate, 1 where
        the deviations are right. ``by_box_height`` has the same by range of the box's height.
        """
        shares, ratios = joined(self._shares), joined(self._ratios)
        ranges = {
            name: _figures(shares[rows], ratios[rows])
            for name, rows in by_box_height(joined(self._heights))
        }
        return {**_figures(shares, ratios), "by_box_height": ranges}


def _figures(shares: Tensor, ratios: Tensor) -> dict[str, float]:
    if not len(shares):
        return {"keypoints": 0}
    return {
        "median": float(shares.quantile(0.5)),
        "quantile_90": float(shares.quantile(QUANTILE)),
        "calibration": float(ratios.mean()),
        "keypoints": len(shares),
    }
