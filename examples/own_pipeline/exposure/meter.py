"""Stage ``exposure_meter``: images in, their exposure out. It learns nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Stage, Values
from conegrad_core.settings import Config, setting
from exposure.port import Exposure

LUMINANCE = torch.tensor([0.299, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601
BLACK, WHITE = 0.02, 0.98  # beyond them a pixel is clipped


@dataclass(frozen=True)
class MeterConfig(Config):
    """Settings of the meter."""

    step: int = setting(4, "Every so many-th row and column is read", low=1, high=64)


class ExposureMeter(Stage):
    """Mean luminance of an image and the share of its pixels that are clipped."""

    inputs: ClassVar[Mapping[str, str]] = {"image": "Image"}
    outputs: ClassVar[Mapping[str, str]] = {"exposure": "Exposure"}
    config_class = MeterConfig
    config: MeterConfig

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Exposure of each image."""
        return {"exposure": [self._measure(image) for image in inputs["image"]]}

    def _measure(self, image: RgbImage) -> Exposure:
        read = image[:: self.config.step, :: self.config.step].copy()
        luminance = torch.from_numpy(read) / 255 @ LUMINANCE
        clipped = (luminance < BLACK) | (luminance > WHITE)
        return Exposure(luminance.mean(), clipped.float().mean())
