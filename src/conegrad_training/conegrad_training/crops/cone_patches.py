"""Patches around single cones of simulated images at full resolution, with their true labels."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_core.keypoints.cone_model import MIRRORED
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_simulation.samples.frame_sampler import ImageSample, sample_image

Singles = npt.NDArray[np.float32]

REACH = 1.7  # from the middle of a box to the border of its patch, per longer side of the box
MIN_REACH = 10.0  # [px]
LARGEST = 160.0  # [px], longer side of a box; larger cones are shrunk to it
MIXED = "mixed"
# Of eight images of the level "mixed": vehicle and level of the simulator.
MIXTURE = (
    ("formula_student", "varied"),
    ("formula_student", "clear"),
    ("formula_student", "wide"),
    ("formula_student", "varied"),
    ("roboracer", "varied"),
    ("formula_student", "clear"),
    ("formula_student", "wide"),
    ("formula_student", "varied"),
)


class ConePatch(NamedTuple):
    """The surroundings of one cone; it ends where the image ends.

    Attributes:
        image: ``(h, w, 3)`` uint8 RGB.
        box_xyxy: ``(4,)`` [px of the patch].
        keypoints: ``(7, 2)`` (u, v) [px of the patch].
        visible: ``(7,)`` bool, the image shows the keypoint.
        label: class of the cone, :class:`conegrad_core.cones.ConeClass`.
        stands: the cone has not fallen over.
        scale: pixels of the patch per pixel of the image.
    """

    image: RgbImage
    box_xyxy: Singles
    keypoints: Singles
    visible: npt.NDArray[np.bool_]
    label: int
    stands: bool
    scale: float


@dataclass(frozen=True)
class SimulatedCones:
    """Renders the image of a seed and cuts its cones out; picklable.

    Attributes:
        level: ``clear``, ``varied`` or ``wide`` of the formula_student car, or ``mixed``: these
            and another car in turns.
    """

    level: str

    def __call__(self, seed: int) -> tuple[ConePatch, ...]:
        """Patches of the visible cones of the image of a seed."""
        name, level = "formula_student", self.level
        if level == MIXED:
            name, level = MIXTURE[seed % len(MIXTURE)]
        vehicle = _vehicle(name)
        size = (vehicle.camera.width, vehicle.camera.height)
        return cut_patches(sample_image(seed, vehicle, level, size))


def cut_patches(image: ImageSample) -> tuple[ConePatch, ...]:
    """A patch around each cone of an image."""
    return tuple(_cut_patch(image, row) for row in range(len(image.classes)))


def _cut_patch(image: ImageSample, row: int) -> ConePatch:
    box = image.boxes_xyxy[row]
    longer = float((box[2:] - box[:2]).max())
    centre, reach = (box[:2] + box[2:]) / 2, max(REACH * longer, MIN_REACH)
    limits = np.array([image.image.shape[1], image.image.shape[0]])
    left, top = np.clip(np.floor(centre - reach), 0, limits - 1).astype(int)
    right, bottom = np.clip(np.ceil(centre + reach) + 1, 1, limits).astype(int)
    corner = np.array([left, top], dtype=np.float32)
    patch = ConePatch(
        np.ascontiguousarray(image.image[top:bottom, left:right]),
        box - np.tile(corner, 2),
        image.keypoints[row] - corner,
        image.keypoints_visible[row],
        int(image.classes[row]),
        bool(image.stands[row]),
        1.0,
    )
    return _shrunk(patch, LARGEST / longer) if longer > LARGEST else patch


def _shrunk(patch: ConePatch, scale: float) -> ConePatch:
    size = (
        max(1, round(patch.image.shape[1] * scale)),
        max(1, round(patch.image.shape[0] * scale)),
    )
    shares = np.array(size, dtype=np.float32) / np.array(patch.image.shape[1::-1], dtype=np.float32)
    image: RgbImage = cv2.resize(patch.image, size, interpolation=cv2.INTER_AREA)

    def moved(pixels: Singles) -> Singles:
        # Whole numbers are the centres of pixels.
        return np.asarray((pixels + 0.5) * shares - 0.5, dtype=np.float32)

    box = moved(patch.box_xyxy.reshape(2, 2)).reshape(4)
    return patch._replace(image=image, box_xyxy=box, keypoints=moved(patch.keypoints), scale=scale)


def mirrored_patch(patch: ConePatch) -> ConePatch:
    """The patch seen in a mirror: keypoints change sides."""
    last = patch.image.shape[1] - 1  # the middle of the last column
    left, top, right, bottom = patch.box_xyxy
    keypoints = patch.keypoints[list(MIRRORED)].copy()
    keypoints[:, 0] = last - keypoints[:, 0]
    return patch._replace(
        image=np.ascontiguousarray(patch.image[:, ::-1]),
        box_xyxy=np.array([last - right, top, last - left, bottom], dtype=np.float32),
        keypoints=keypoints.astype(np.float32),
        visible=patch.visible[list(MIRRORED)],
    )


@lru_cache
def _vehicle(name: str) -> Vehicle:
    return load_vehicle(name)
