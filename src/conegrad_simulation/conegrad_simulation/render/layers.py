"""Image being drawn: colours, and the cone instance of each pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.render.texture import Bytes

MAX_CONES = 250  # instances are stored as uint8


@dataclass(frozen=True)
class Layers:
    """Colours and instances of an image, drawn in place.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR.
        instances: ``(H, W)`` uint8, row of the cone + 1; 0 for everything else.
    """

    image: Bytes
    instances: npt.NDArray[np.uint8]

    def put(self, patch: Bytes, x: int, y: int, instance: int) -> None:
        """Draw a patch over the image; pixels outside the image are dropped.

        Args:
            patch: ``(h, w, 4)`` uint8, premultiplied BGRA.
            x: column of its left edge [px], may be negative.
            y: row of its upper edge [px], may be negative.
            instance: of the pixels with an opacity above one half.
        """
        height, width = self.instances.shape
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + patch.shape[1], width), min(y + patch.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        part = patch[y0 - y : y1 - y, x0 - x : x1 - x]
        below = self.image[y0:y1, x0:x1]
        alpha = part[..., 3]
        rest = cv2.bitwise_not(cv2.merge((alpha, alpha, alpha)))
        below[:] = cv2.add(
            cv2.multiply(below, rest, scale=1 / 255), np.ascontiguousarray(part[..., :3])
        )
        self.instances[y0:y1, x0:x1][alpha > 127] = instance
