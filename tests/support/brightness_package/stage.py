"""Stage ``brightness``: the smallest network on an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from brightness_package.port import Brightness
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Stage, Values
from conegrad_core.settings import Config, setting

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class BrightnessConfig(Config):
    """Settings of the brightness network."""

    weights: str = setting("", "Path of a .safetensors file; empty: all colours count alike")
    gain: float = setting(1.0, "Factor of the result", low=0.0, high=10.0)


class BrightnessStage(Stage):
    """Weighted mean of the colours of an image; the weights are learned."""

    inputs: ClassVar[Mapping[str, str]] = {"image": "Image"}
    outputs: ClassVar[Mapping[str, str]] = {"brightness": "Brightness"}
    learns = True
    config_class = BrightnessConfig
    rates = Rates(end=1e-2, supervised=1e-2)
    weights_file = "brightness.safetensors"
    config: BrightnessConfig

    def __init__(self, config: BrightnessConfig) -> None:
        super().__init__(config)
        self.network = nn.Linear(3, 1)
        nn.init.constant_(self.network.weight, 1 / 3)
        nn.init.zeros_(self.network.bias)

    @classmethod
    def from_config(cls, config: Any, *, trainable: bool = False) -> "BrightnessStage":
        """With fresh weights, or those of the settings."""
        stage = cls(config)
        if config.weights:
            stage.load_state_dict(load_file(config.weights))
        return stage.eval()

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Brightness of each image."""
        levels = self.network(_mean_colours(inputs["image"]))[:, 0] * self.config.gain
        return {"brightness": [Brightness(level) for level in levels]}

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean squared distance from the luminance of the image, which needs no label."""
        colours = _mean_colours(inputs["image"])
        levels = torch.stack([found.level for found in self(inputs, contexts)["brightness"]])
        return {"level": (levels - colours @ torch.tensor(LUMINANCE)).square().mean()}

    def save(self, path: Path) -> None:
        """Write the weights."""
        save_file(self.state_dict(), path)


class BrighterStage(Stage):
    """The brighter one of two."""

    inputs: ClassVar[Mapping[str, str]] = {"left": "Brightness", "right": "Brightness"}
    outputs: ClassVar[Mapping[str, str]] = {"most": "Brightness"}

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """The brighter one of each sample."""
        pairs = zip(inputs["left"], inputs["right"], strict=True)
        return {"most": [max(pair, key=lambda found: float(found.level)) for pair in pairs]}


def _mean_colours(images: Sequence[Any]) -> Tensor:
    """``(B, 3)`` mean red, green and blue in [0, 1]."""
    means = [image.reshape(-1, 3).mean(axis=0) / 255 for image in images]
    return torch.from_numpy(np.stack(means).astype(np.float32))
