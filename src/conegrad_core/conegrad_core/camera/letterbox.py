"""Letterbox: an image of any size in the network's input, and boxes back again."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from conegrad_core.camera.image import ImageLevels, RgbImage

PADDING = 114  # grey of the border, as in the training of YOLO
STRIDE = 32  # [px], coarsest cell of the network: input sizes are multiples of it
AREA_BELOW = 0.5  # scale under which linear interpolation would skip source pixels


@dataclass(frozen=True)
class Letterbox:
    """Maps one image size to one input size: crop rows, scale, pad evenly.

    Box coordinates are pixel *edges*: the image spans 0 to width. The scale is the ratio of the
    whole numbers of pixels before and after, so the inverse is exact.

    Attributes:
        image_size: width and height of the original image [px].
        input_size: width and height of the network's input [px], multiples of 32.
        crop_top: fraction of rows cut off at the top (sky).
        crop_bottom: fraction of rows cut off at the bottom (bonnet).

    Raises:
        ValueError: if a size is not usable or nothing is left by the crop.
    """

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    crop_top: float = 0.0
    crop_bottom: float = 0.0

    def __post_init__(self) -> None:
        if min(self.image_size) < 1:
            raise ValueError(f"image_size is {self.image_size}, expected at least (1, 1)")
        if min(self.input_size) < STRIDE or any(size % STRIDE for size in self.input_size):
            raise ValueError(f"input_size is {self.input_size}, expected multiples of {STRIDE}")
        if min(self.crop_top, self.crop_bottom) < 0 or self.rows[0] >= self.rows[1]:
            crops = f"crop_top {self.crop_top} and crop_bottom {self.crop_bottom}"
            rows = f"the {self.image_size[1]} rows of the image"
            raise ValueError(f"{crops} leave nothing of {rows}, expected less or a larger image")

    @cached_property
    def rows(self) -> tuple[int, int]:
        """First row kept and the row after the last."""
        height = self.image_size[1]
        return round(height * self.crop_top), height - round(height * self.crop_bottom)

    @cached_property
    def scaled_size(self) -> tuple[int, int]:
        """Width and height of the scaled image inside the border [px]."""
        width, height = self.image_size[0], self.rows[1] - self.rows[0]
        scale = min(self.input_size[0] / width, self.input_size[1] / height)
        return max(1, round(width * scale)), max(1, round(height * scale))

    @cached_property
    def offset(self) -> tuple[int, int]:
        """Left and top border [px]."""
        (width, height), (scaled_width, scaled_height) = self.input_size, self.scaled_size
        return (width - scaled_width) // 2, (height - scaled_height) // 2

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Input pixels per image pixel, horizontally and vertically."""
        (width, height), (top, bottom) = self.scaled_size, self.rows
        return width / self.image_size[0], height / (bottom - top)

    def apply(self, image: RgbImage) -> RgbImage:
        """Input image of shape ``(input height, input width, 3)``.

        Raises:
            ValueError: if the image has another size than this letterbox was made for.
        """
        width, height = self.image_size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            expected = f"({height}, {width}, 3) uint8"
            raise ValueError(f"image is {image.shape} {image.dtype}, expected {expected}")
        kept = image[self.rows[0] : self.rows[1]]
        scaled: RgbImage = cv2.resize(kept, self.scaled_size, interpolation=self._interpolation)
        left, top, right, bottom = self._borders
        bordered: RgbImage = cv2.copyMakeBorder(
            scaled, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(PADDING,) * 3
        )
        return bordered

    def apply_to_levels(self, levels: ImageLevels) -> ImageLevels:
        """As :meth:`apply`, differentiable and without its rounding to whole levels.

        Args:
            levels: ``(height, width, 3)`` of an image, 0 to 255.

        Raises:
            ValueError: if they have another size than this letterbox was made for.
        """
        width, height = self.image_size
        if levels.shape != (height, width, 3):
            found = tuple(levels.shape)
            raise ValueError(f"levels have shape {found}, expected ({height}, {width}, 3)")
        kept = levels[self.rows[0] : self.rows[1]].permute(2, 0, 1)
        left, top, right, bottom = self._borders
        bordered = pad(self._scaled_planes(kept), (left, right, top, bottom), value=PADDING)
        return bordered.permute(1, 2, 0)

    def _scaled_planes(self, planes: Tensor) -> Tensor:
        """``(3, height, width)`` planes in their scaled size, as OpenCV scales them."""
        width, height = self.scaled_size
        if self._interpolation == cv2.INTER_LINEAR:
            scaled: Tensor = interpolate(planes[None], (height, width), mode="bilinear")[0]
            return scaled
        columns = _area_weights(planes.shape[2], width).to(planes)
        return _area_weights(planes.shape[1], height).to(planes) @ planes @ columns.mT

    @cached_property
    def _borders(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom border [px]."""
        right, bottom = (
            total - length - before
            for total, length, before in zip(
                self.input_size, self.scaled_size, self.offset, strict=True
            )
        )
        return *self.offset, right, bottom

    @property
    def _interpolation(self) -> int:
        return cv2.INTER_AREA if min(self.scale) < AREA_BELOW else cv2.INTER_LINEAR

    def boxes_to_image(self, boxes_xyxy: Tensor) -> Tensor:
        """Boxes ``(..., 4)`` from input pixels to pixels of the original image; differentiable."""
        shift, scale = self._shift_and_scale(boxes_xyxy)
        origin = boxes_xyxy.new_tensor([0, self.rows[0]] * 2)
        return (boxes_xyxy - shift) / scale + origin

    def boxes_to_input(self, boxes_xyxy: Tensor) -> Tensor:
        """Boxes ``(..., 4)`` from pixels of the original image to input pixels; differentiable."""
        shift, scale = self._shift_and_scale(boxes_xyxy)
        origin = boxes_xyxy.new_tensor([0, self.rows[0]] * 2)
        return (boxes_xyxy - origin) * scale + shift

    def _shift_and_scale(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return like.new_tensor(self.offset * 2), like.new_tensor(self.scale * 2)


def _area_weights(size: int, scaled: int) -> Tensor:
    """``(scaled, size)`` share that each pixel of a row has in each pixel of the scaled row."""
    pixels = torch.arange(size, dtype=torch.float64)
    first = torch.arange(scaled, dtype=torch.float64)[:, None] * size / scaled
    last = first + size / scaled
    overlap = torch.minimum(last, pixels + 1) - torch.maximum(first, pixels)
    return overlap.clamp(min=0) * scaled / size


def inputs_from_pixels(
    pixels: RgbImage | ImageLevels, device: torch.device | str = "cpu"
) -> Tensor:
    """Network input ``(1, 3, H, W)`` in 0..1 from a letterboxed image ``(H, W, 3)``."""
    if not isinstance(pixels, Tensor):
        pixels = torch.from_numpy(np.ascontiguousarray(pixels))
    planes = pixels.to(device).permute(2, 0, 1)
    return planes[None].to(torch.float32) / 255.0
