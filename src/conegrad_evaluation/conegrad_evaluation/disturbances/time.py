"""Disturbance of time: the stamps of one sensor are wrong against those of the other.

A stamp that is ``seconds`` late makes the fusion take an image for another: the image that it
pairs with a scan was taken earlier than it believes, so that the car moved between both without
being accounted for. The truth holds at the stamp of the scan and stays right. Whoever has the
recording (:class:`~conegrad_evaluation.samples.bag_replay.BagReplay`) gives that earlier image,
and as ``context.motion`` the motion by the wrong stamps.
"""

from typing import Protocol

import numpy as np
from torch import Tensor

from conegrad_core.geometry.transforms import pose_matrix
from conegrad_evaluation.disturbances.disturbance import TIME, Disturbance, Parameters
from conegrad_evaluation.samples.sample import Sample


class TimedSamples(Protocol):
    """Samples of a recording, which knows where the car was at any time."""

    def __len__(self) -> int:
        """Number of samples."""

    def __getitem__(self, position: int) -> Sample:
        """Sample at a position."""

    def with_late_stamps(self, position: int, seconds: float) -> Sample:
        """The sample at a position if the stamps of images are late by so much [s].

        Negative seconds are stamps that are early.

        Raises:
            ValueError: if it is not known how the car moved.
        """


def with_motion_unaccounted(sample: Sample, motion: Tensor) -> Sample:
    """A sample whose fusion believes in a motion since the image that there was not.

    The image stays and its stamp is wrong: the same error as of another image with the right
    stamp, without one. For samples of which no other image exists.

    Args:
        sample: with the motion that is right, or None where both sensors measured at once.
        motion: ``lidar_at_image_from_lidar_at_its_wrong_stamp``, ``(3,)`` x, y [m], yaw [rad],
            or ``(4, 4)``.
    """
    wrong = pose_matrix(*motion.unbind()) if motion.shape == (3,) else motion
    right = sample.context.motion
    if right is not None:
        right = pose_matrix(*right.unbind()) if right.shape == (3,) else right
        wrong = right @ wrong.to(right)
    return sample._replace(context=sample.context._replace(motion=wrong))


def delay(parameters: Parameters, draws: np.random.Generator) -> float:
    """By how much the stamp of one image is late [s]."""
    jitter = parameters.get("jitter", 0.0)
    return (parameters["milliseconds"] + draws.normal(0.0, 1.0) * jitter) / 1000.0


CAMERA_LATE = Disturbance(
    "camera_late", TIME, "stamps of the camera are late [ms]; negative: early",
    [{"milliseconds": 30.0}, {"milliseconds": 60.0}, {"milliseconds": 100.0}],
)  # fmt: skip
CAMERA_FROZEN = Disturbance(
    "camera_frozen", TIME, "camera gives one image again under new stamps, for so long [ms]",
    [{"milliseconds": 200.0}, {"milliseconds": 400.0}, {"milliseconds": 800.0}],
    repeats=True,
)  # fmt: skip
CAMERA_JITTER = Disturbance(
    "camera_jitter", TIME, "stamps of the camera jitter: mean and standard deviation [ms]",
    [{"milliseconds": 0.0, "jitter": jitter} for jitter in (15.0, 30.0, 60.0)],
)  # fmt: skip
