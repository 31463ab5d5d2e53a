"""Frames of the simulator as the camera training takes them."""

from dataclasses import dataclass
from functools import lru_cache

from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_simulation.samples.frame_sampler import sample_image
from conegrad_training.supervised.camera_crops import LabelledImage

MIXED = "mixed"
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


@dataclass(frozen=True)
class SimulatedView:
    """Renders the frame of a seed; picklable, so that several processes can.

    Attributes:
        level: of the domain randomisation; ``mixed`` takes turns between cameras of the vehicle
            presets and random ones.
    """

    level: str

    def __call__(self, seed: int) -> LabelledImage:
        """The frame of a seed, 640x384 px."""
        vehicle, level = "formula_student", self.level
        if level == MIXED:
            vehicle, level = MIXTURE[seed % len(MIXTURE)]
        sample = sample_image(seed, _vehicle(vehicle), level)
        return LabelledImage(sample.image, sample.boxes_xyxy, sample.classes)


@lru_cache
def _vehicle(name: str) -> Vehicle:
    return load_vehicle(name)
