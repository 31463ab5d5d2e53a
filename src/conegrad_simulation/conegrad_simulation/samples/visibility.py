"""Which cones of a rendered image count: not those that are hidden, too low or invisible."""

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_simulation.recording.drive_render import MIN_BOX_HEIGHT, MIN_VISIBILITY
from conegrad_simulation.render.camera import RenderedImage

HARD_VISIBILITY = 0.2  # least visible share of a cone in an image of the level "hard"
HARD_CONTRAST = 5.0  # least standard deviation of a colour around such a cone, of 255
AROUND = 0.25  # share of its size by which a box is enlarged for that


def is_visible(rendered: RenderedImage, level: str = "") -> npt.NDArray[np.bool_]:
    """Which cones are labelled: ``(N,)``.

    Args:
        rendered: the image.
        level: ``hard`` also takes cones of which little is in view, and leaves out those that
            darkness or haze make invisible.
    """
    heights = rendered.boxes_xyxy[:, 3] - rendered.boxes_xyxy[:, 1]
    least = HARD_VISIBILITY if level == "hard" else MIN_VISIBILITY
    visible = (rendered.visibility > least) & (heights >= MIN_BOX_HEIGHT)
    if level == "hard":
        visible &= _contrasts(rendered.image, rendered.boxes_xyxy) >= HARD_CONTRAST
    return np.asarray(visible)


def _contrasts(image: RgbImage, boxes_xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Largest standard deviation of the three colours in and around each box, without noise."""
    smooth = cv2.blur(image, (3, 3))
    height, width = image.shape[:2]
    margin = AROUND * (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2])
    low = np.floor(boxes_xyxy[:, :2] - margin).clip(0).astype(int)
    high = np.ceil(boxes_xyxy[:, 2:] + margin).clip(1, (width, height)).astype(int)
    parts = (smooth[y0:y1, x0:x1] for (x0, y0), (x1, y1) in zip(low, high, strict=True))
    return np.array([part.reshape(-1, 3).std(axis=0).max() for part in parts], dtype=float)
