"""Engine that runs the network with torch: trainable, on any device."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from conegrad_core.camera.engines.cuda_graph import RecordedForward
from conegrad_core.camera.engines.engine import Engine
from conegrad_core.camera.head import RawDetections, raw_detections
from conegrad_core.camera.image import ImageLevels, RgbImage
from conegrad_core.camera.letterbox import inputs_from_pixels

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine(Engine):
    """The only engine with gradients.

    Args:
        network: Ultralytics ``DetectionModel`` with the classes of the core in their order.
        precision: ``fp32``, ``bf16`` or ``fp16`` of the convolutions.

    Attributes:
        precision: as given.
    """

    def __init__(self, network: nn.Module, precision: str = "fp32") -> None:
        super().__init__()
        self.network = network
        self.precision = precision
        self._recorded = RecordedForward(self.forward)

    def forward(self, inputs: Tensor) -> RawDetections:
        """Raw detections; differentiable with respect to inputs and weights."""
        if self.precision == "fp32":
            return raw_detections(self.network, inputs)
        with torch.autocast(inputs.device.type, AUTOCAST[self.precision]):
            raw = raw_detections(self.network, inputs)
        return RawDetections(raw.boxes_xyxy.float(), raw.logits.float())

    def infer(self, images: Sequence[RgbImage | ImageLevels]) -> RawDetections:
        """Raw detections of B letterboxed images ``(H, W, 3)`` of one size, or their levels.

        Those of one image on a GPU and without gradient are overwritten by the next call.
        """
        device = next(self.network.parameters()).device
        inputs = torch.cat([inputs_from_pixels(pixels, device) for pixels in images])
        learns = torch.is_grad_enabled() or self.network.training
        if device.type != "cuda" or learns or len(images) > 1:
            return self.forward(inputs)
        return self._recorded(inputs)
