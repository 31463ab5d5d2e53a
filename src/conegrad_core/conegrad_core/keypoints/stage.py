"""Stage ``keypoint_cnn``: crops in, the keypoints of each cone in the original image out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from conegrad_core.crops.matching import NONE, match_crops
from conegrad_core.crops.network import CropNetwork
from conegrad_core.crops.network_stage import CropNetworkStage, mean_or_zero
from conegrad_core.keypoints.keypoint_network import KeypointNetwork
from conegrad_core.keypoints.keypoints import Keypoints, TrueKeypoints
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Values

LABEL_VALUES = 2  # numbers of a keypoint


class KeypointStage(CropNetworkStage):
    """A :class:`KeypointNetwork` in a pipeline; gradients flow into pictures and windows.

    Its label is ``keypoints``, a :class:`TrueKeypoints`.
    """

    inputs: ClassVar[Mapping[str, str]] = {"crops": "Crops"}
    outputs: ClassVar[Mapping[str, str]] = {"keypoints": "Keypoints"}
    rates = Rates(end=2e-4, supervised=2e-3, weight_decay=0.01)
    end_loss_terms = frozenset({"position", "covariance"})
    label_kinds = ("keypoints",)
    weights_file = "keypoint_cnn.safetensors"
    network_class: ClassVar[type[CropNetwork]] = KeypointNetwork

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Keypoints of each sample's crops."""
        pairs = zip(self.outputs_of(inputs["crops"]), inputs["crops"], strict=True)
        return {
            "keypoints": [
                in_image(positions, log_deviations, crops.windows_xyxy)
                for (positions, log_deviations), crops in pairs
            ]
        }

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean term ``keypoints`` over the visible keypoints of crops that show a true cone."""
        found = self.outputs_of(inputs["crops"])
        losses = [
            keypoint_losses(positions, log_deviations, crops.windows_xyxy, truth)
            for (positions, log_deviations), crops, truth in zip(
                found, inputs["crops"], labels["keypoints"], strict=True
            )
        ]
        return {"keypoints": mean_or_zero(torch.cat(losses)).cpu()}

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """Two per visible keypoint."""
        return LABEL_VALUES * int(labels["keypoints"].visible.sum())


def in_image(positions: Tensor, log_deviations: Tensor, windows_xyxy: Tensor) -> Keypoints:
    """Keypoints in pixels of the original image; differentiable in all arguments.

    Args:
        positions: ``(K, 7, 2)`` in sides of the window, from its left upper corner.
        log_deviations: ``(K, 7)`` in the same unit.
        windows_xyxy: ``(K, 4)`` [px].
    """
    corners, sides = windows_xyxy[:, None, :2], windows_xyxy[:, 2:] - windows_xyxy[:, :2]
    scale = sides.log().mean(dim=-1, keepdim=True)
    return Keypoints(corners + positions * sides[:, None], log_deviations + scale)


def keypoint_losses(
    positions: Tensor, log_deviations: Tensor, windows_xyxy: Tensor, truth: TrueKeypoints
) -> Tensor:
    """``(P,)`` negative log likelihoods of the visible keypoints of matched crops.

    Each coordinate has a Laplace distribution with the stated standard deviation: a keypoint that
    lies far off has a bounded pull. Unit of lengths: the side of the window, so that near and far
    cones count alike. Arguments as of :func:`in_image`.
    """
    rows = match_crops(windows_xyxy, truth.boxes_xyxy)
    kept = rows != NONE
    rows, windows = rows[kept], windows_xyxy[kept].detach()
    sides = windows[:, None, 2:] - windows[:, None, :2]
    true_positions = truth.positions.to(windows)[rows]
    errors = positions[kept] - (true_positions - windows[:, None, :2]) / sides
    logs = log_deviations[kept]
    # Laplace: the mean absolute error is the deviation / sqrt(2).
    costs = errors.abs() * (math.sqrt(2) * torch.exp(-logs))[..., None] + logs[..., None]
    return costs.mean(dim=-1)[truth.visible.to(windows.device)[rows]]
