"""Samples of the simulator, with the labels of every loss."""

from typing import Any

import torch
from torch.utils.data import Dataset

from conegrad_core.camera.image import TrueBoxes, TrueStanding
from conegrad_core.keypoints.keypoints import TrueKeypoints
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.vehicle import Vehicle
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_simulation.samples.frame_sampler import Frame, ImageSample, sample_frame


class SimulatedSamples(Dataset[Sample]):
    """Independent random frames; each is a pure function of its seed."""

    def __init__(
        self,
        vehicle: Vehicle,
        *,
        first_seed: int,
        count: int,
        level: str = "varied",
        size: tuple[int, int] = (640, 384),
    ) -> None:
        """Choose the frames.

        Args:
            vehicle: sensors.
            first_seed: of the first frame; the next ones follow.
            count: frames.
            level: of the domain randomisation.
            size: width and height of the images [px].
        """
        self._vehicle, self._level, self._size = vehicle, level, size
        self._first_seed, self._count = first_seed, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, position: int) -> Sample:
        """Sample at a position."""
        if not 0 <= position < self._count:
            raise IndexError(f"sample is {position}, expected 0 to {self._count - 1}")
        seed = self._first_seed + position
        frame = sample_frame(seed, self._vehicle, self._level, self._size)
        return sample_of_frame(frame, SampleKey(f"simulation {self._level}", seed, 0))


def sample_of_frame(frame: Frame, key: SampleKey) -> Sample:
    """A simulated frame as a sample, with the labels of every loss."""
    return Sample(
        {
            "image": frame.sample.image,
            "scan": Scan(torch.from_numpy(frame.ranges), torch.from_numpy(frame.angles)),
        },
        FrameContext(frame.calibration),
        frame.truth,
        key,
        {**image_labels(frame.sample), "beams": torch.from_numpy(frame.labels)},
    )


def image_labels(image: ImageSample) -> dict[str, Any]:
    """Labels of a simulated image, by their kind."""
    boxes, classes = torch.from_numpy(image.boxes_xyxy), torch.from_numpy(image.classes)
    stands = torch.from_numpy(image.stands)
    return {
        "boxes": TrueBoxes(boxes, classes),
        "cone_colours": TrueBoxes(boxes, classes),
        "keypoints": TrueKeypoints(
            boxes[stands],
            torch.from_numpy(image.keypoints)[stands],
            torch.from_numpy(image.keypoints_visible)[stands],
            classes[stands],
        ),
        "stands": TrueStanding(boxes, stands),
    }
