"""Stage ``colour_cnn``: crops in, the colour of each cone out."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from conegrad_core.camera.image import TrueBoxes
from conegrad_core.colours.colour_network import ColourNetwork
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.crops.matching import NONE, match_crops
from conegrad_core.crops.network import CropNetwork
from conegrad_core.crops.network_stage import CropNetworkStage, mean_or_zero
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Values


class ColourStage(CropNetworkStage):
    """A :class:`ColourNetwork` in a pipeline; gradients flow into the pictures.

    Its label is ``cone_colours``, a :class:`TrueBoxes`.
    """

    inputs: ClassVar[Mapping[str, str]] = {"crops": "Crops"}
    outputs: ClassVar[Mapping[str, str]] = {"colours": "ConeColours"}
    rates = Rates(end=2e-4, supervised=2e-3, weight_decay=0.01)
    end_loss_terms = frozenset({"colour"})
    label_kinds = ("cone_colours",)
    weights_file = "colour_cnn.safetensors"
    network_class: ClassVar[type[CropNetwork]] = ColourNetwork

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Colours of each sample's crops."""
        return {"colours": [ConeColours(*found) for found in self.outputs_of(inputs["crops"])]}

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean cross-entropy ``cone_colours`` of the crops that show a cone of known colour."""
        found = self.outputs_of(inputs["crops"])
        losses = [
            colour_losses(logits, crops.windows_xyxy, truth)
            for (logits,), crops, truth in zip(
                found, inputs["crops"], labels["cone_colours"], strict=True
            )
        ]
        return {"cone_colours": mean_or_zero(torch.cat(losses)).cpu()}

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """One per cone of known colour."""
        return int((labels["cone_colours"].classes < len(CLASS_NAMES)).sum())


def colour_losses(logits: Tensor, windows_xyxy: Tensor, truth: TrueBoxes) -> Tensor:
    """``(P,)`` cross-entropies of the crops that match a true box of known colour.

    Args:
        logits: ``(K, 4)``.
        windows_xyxy: ``(K, 4)`` [px].
        truth: boxes with their classes.
    """
    rows = match_crops(windows_xyxy, truth.boxes_xyxy)
    kept = rows != NONE
    classes = truth.classes.to(logits.device)[rows[kept]]
    known = classes < len(CLASS_NAMES)
    return functional.cross_entropy(logits[kept][known], classes[known], reduction="none")
