"""Stage ``cone_crops``: an image and its detections in, a picture of each detection out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from conegrad_core.crops.cutting import SIZE, WINDOW, cut_crops
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Stage, Values
from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class CropConfig(Config):
    """Settings of the pictures; networks are trained for one size and one window."""

    size: int = setting(SIZE, "Side of a picture [px], a multiple of 8", low=16, high=256)
    window: float = setting(WINDOW, "Side of a window per longer side of its box", low=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % 8:
            raise self.refusal("size", f"is {self.size}, expected a multiple of 8")


class CropStage(Stage):
    """Cuts the pictures of :func:`cut_crops`; gradients flow into the boxes."""

    inputs: ClassVar[Mapping[str, str]] = {"image": "Image", "detections": "Detections"}
    outputs: ClassVar[Mapping[str, str]] = {"crops": "Crops"}
    config_class = CropConfig
    config: CropConfig

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Crops of each image."""
        pairs = zip(inputs["image"], inputs["detections"], strict=True)
        size, window = self.config.size, self.config.window
        return {
            "crops": [cut_crops(image, found.boxes_xyxy, size, window) for image, found in pairs]
        }
