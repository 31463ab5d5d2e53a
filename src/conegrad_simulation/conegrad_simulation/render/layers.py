"""The picture in the making: colours and, for every pixel, which cone owns it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.render.texture import Bytes


@dataclass(frozen=True)
class Layers:
    """Attributes: ``image`` (H, W, 3) BGR; ``owners`` (H, W) row of the cone + 1, 0 for others."""

    image: Bytes
    owners: npt.NDArray[np.uint8]

    def put(self, patch: Bytes, x: int, y: int, owner: int) -> None:
        """Lay a patch ``(h, w, 4)``, premultiplied BGRA, with its corner at pixel (x, y)."""
        height, width = self.owners.shape
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
        self.owners[y0:y1, x0:x1][alpha > 127] = owner
