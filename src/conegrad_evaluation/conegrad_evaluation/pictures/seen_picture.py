"""What the camera's part of the system sees in one picture."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.detector import Detector
from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.cones import CLASS_NAMES, CONE_HEIGHTS, Cones
from conegrad_core.drawing import MIN_SCORE
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.geometry.calibration import Calibration, check_calibration
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.settings import Config, setting

BORDER = 3.0  # [px], boxes nearer to the border of the picture may be cut


@dataclass(frozen=True)
class RoughMounting(Config):
    """Where the camera was, roughly: enough for cones on the ground within some percent."""

    height: float | None = setting(
        None, "Height of the camera above the ground [m]; none: no cones on the ground", low=0.05
    )
    tilt: float = setting(
        0.0, "Angle by which the camera looks down [degrees]; negative: up", low=-60.0, high=80.0
    )
    fov: float = setting(
        90.0, "Horizontal field of view of the camera [degrees]", low=5.0, high=170.0
    )

    def calibration(self, width: int, height: int) -> Calibration | None:
        """Of pictures of a size [px]; None where the height is not known.

        Cones are relative to the point of the ground below the camera: x ahead, y left.

        Raises:
            ValueError: if such a camera sees no ground.
        """
        if self.height is None:
            return None
        camera = pinhole_camera(width, height, math.radians(self.fov))
        place = torch.tensor([0.0, 0.0, self.height])
        base_from_camera = mounting_matrix(place, 0.0, math.radians(self.tilt), 0.0)
        calibration = Calibration(
            camera, optical_from_body() @ rigid_inverse(base_from_camera), 0.0
        )
        try:
            check_calibration(calibration)
        except ValueError as error:
            raise self.refusal("tilt", f"is {self.tilt}: {error}") from error
        return calibration


class SeenPicture(NamedTuple):
    """Boxes and cones of one picture.

    Attributes:
        detections: from the lowest score on, best first.
        cones: on the ground, one per box; None without a mounting.
    """

    detections: Detections
    cones: Cones | None

    def counts(self) -> dict[str, int]:
        """Number of boxes of each class."""
        best = self.detections.logits.argmax(-1).tolist() if len(self.detections.logits) else []
        return {name: best.count(number) for number, name in enumerate(CLASS_NAMES)}


@torch.inference_mode()
def look_at(
    image: RgbImage,
    detector: Detector,
    calibration: Calibration | None = None,
    min_score: float = MIN_SCORE,
) -> SeenPicture:
    """Detect the cones of a picture, and place them on the ground where the camera is known.

    Args:
        image: ``(height, width, 3)``.
        detector: of the cones.
        calibration: of pictures of this size.
        min_score: boxes of a lower score are left out.
    """
    (found,) = detector([image])
    scores = found.logits.sigmoid().amax(-1) if len(found.logits) else found.logits.new_zeros(0)
    detections = Detections(*(part[scores >= min_score] for part in found))
    if calibration is None:
        return SeenPicture(detections, None)
    return SeenPicture(detections, Fuser()(None, detections, calibration))


def tilt_of_boxes(seen: SeenPicture, height: float, calibration: Calibration) -> Tensor:
    """By how much the camera looks down, by the size and the place of each box.

    The size of a box gives the distance of its cone, the height of the camera then the depression
    of its foot, and the row of the foot what of that is not tilt.

    Args:
        seen: boxes of one picture.
        height: of the camera above the ground [m].
        calibration: of pictures of this size; its tilt is not used.

    Returns:
        ``(K,)`` [rad], of the boxes that are not cut by the border of the picture.
    """
    camera = calibration.camera
    boxes, logits = seen.detections
    inside = (boxes[:, :2] > BORDER).all(-1) & (boxes[:, 2] < camera.width - BORDER)
    inside &= boxes[:, 3] < camera.height - BORDER
    boxes, logits = boxes[inside], logits[inside]
    focal, centre = camera.intrinsics[1, 1], camera.intrinsics[1, 2]
    cone_heights = logits.new_tensor(CONE_HEIGHTS)[logits.argmax(-1)]
    distances = focal * cone_heights / (boxes[:, 3] - boxes[:, 1]).clamp(min=1.0)
    return torch.atan2(distances.new_tensor(height), distances) - torch.atan(
        (boxes[:, 3] - centre) / focal
    )
