"""Frames of the simulator as the camera training takes them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_simulation.samples.frame_sampler import sample_image
from conegrad_training.supervised.camera_crops import LabelledImage

# The camera model counts from the middle of the first pixel, images are cut and mirrored at edges.
TO_EDGES = np.float32(0.5)  # [px]
# Of eight frames of the level "mixed": vehicle and level of the simulator.
MIXTURE = (
    ("formula_student", "varied"),
    ("formula_student", "wide"),
    ("formula_student", "wide"),
    ("roboracer", "wide"),
    ("formula_student", "varied"),
    ("formula_student", "wide"),
    ("formula_student", "wide"),
    ("roboracer", "varied"),
)
# Of eight frames of the level "hard": most are, the others keep what is easy.
HARD_MIXTURE = (
    ("formula_student", "hard"),
    ("formula_student", "hard"),
    ("formula_student", "wide"),
    ("formula_student", "hard"),
    ("roboracer", "hard"),
    ("formula_student", "hard"),
    ("formula_student", "varied"),
    ("formula_student", "hard"),
)
MIXTURES = {"mixed": MIXTURE, "hard_mixed": HARD_MIXTURE}


@dataclass(frozen=True)
class SimulatedView:
    """Renders the frame of a seed; picklable, so that several processes can.

    Attributes:
        level: of the domain randomisation; ``mixed`` takes turns between cameras of the vehicle
            presets and random ones, ``hard_mixed`` also with hard conditions.
    """

    level: str

    def __call__(self, seed: int) -> LabelledImage:
        """The frame of a seed, 640x384 px."""
        vehicle, level = "formula_student", self.level
        if level in MIXTURES:
            vehicle, level = MIXTURES[level][seed % len(MIXTURES[level])]
        sample = sample_image(seed, _vehicle(vehicle), level)
        return LabelledImage(sample.image, sample.boxes_xyxy + TO_EDGES, sample.classes)


@lru_cache
def _vehicle(name: str) -> Vehicle:
    return load_vehicle(name)
