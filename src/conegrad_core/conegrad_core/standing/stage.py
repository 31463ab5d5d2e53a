"""Stage ``standing_cnn``: crops in, whether each cone stands out."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from conegrad_core.camera.image import TrueStanding
from conegrad_core.crops.matching import NONE, match_crops
from conegrad_core.crops.network import CropNetwork
from conegrad_core.crops.network_stage import CropNetworkStage, mean_or_zero
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Values
from conegrad_core.standing.standing import Standing
from conegrad_core.standing.standing_network import StandingNetwork


class StandingStage(CropNetworkStage):
    """A :class:`StandingNetwork` in a pipeline; gradients flow into the pictures.

    Its label is ``stands``, a :class:`TrueStanding`. No cones depend on it.
    """

    inputs: ClassVar[Mapping[str, str]] = {"crops": "Crops"}
    outputs: ClassVar[Mapping[str, str]] = {"standing": "Standing"}
    rates = Rates(end=2e-3, supervised=2e-3, weight_decay=0.01)
    label_kinds = ("stands",)
    weights_file = "standing_cnn.safetensors"
    network_class: ClassVar[type[CropNetwork]] = StandingNetwork

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Log odds of each sample's crops."""
        return {"standing": [Standing(*found) for found in self.outputs_of(inputs["crops"])]}

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean binary cross-entropy ``stands`` of the crops that show a cone."""
        found = self.outputs_of(inputs["crops"])
        losses = [
            standing_losses(logits, crops.windows_xyxy, truth)
            for (logits,), crops, truth in zip(
                found, inputs["crops"], labels["stands"], strict=True
            )
        ]
        return {"stands": mean_or_zero(torch.cat(losses)).cpu()}

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """One per cone."""
        return len(labels["stands"].stands)


def standing_losses(logits: Tensor, windows_xyxy: Tensor, truth: TrueStanding) -> Tensor:
    """``(P,)`` cross-entropies of the crops that match a true cone.

    Args:
        logits: ``(K,)``.
        windows_xyxy: ``(K, 4)`` [px].
        truth: of the image.
    """
    rows = match_crops(windows_xyxy, truth.boxes_xyxy)
    shown = rows != NONE
    stands = truth.stands.to(logits.device)[rows[shown]].to(logits)
    return binary_cross_entropy_with_logits(logits[shown], stands, reduction="none")
