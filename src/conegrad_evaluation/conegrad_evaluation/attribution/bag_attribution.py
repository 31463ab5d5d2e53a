"""Attributes the faults of a system on a recorded drive."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.vehicle import Vehicle
from conegrad_evaluation.attribution.attribution import (
    Attribution,
    AttributionConfig,
    attribute,
)
from conegrad_evaluation.attribution.reference import SHIPPED, Reference
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

AROUND_NS = 20_000_000  # [ns] on both sides over which the velocity is taken


class AttributedDrive(NamedTuple):
    """A drive and its attribution.

    Attributes:
        attribution: the result.
        samples: the frames that were looked at.
        detections: of these frames; None where there are none.
        system: that was attributed.
        evaluation: settings of the metrics.
    """

    attribution: Attribution
    samples: list[Sample]
    detections: list[Detections | None]
    system: System
    evaluation: EvaluationConfig


def attribute_bag(
    bag: str | Path,
    pipeline: Pipeline,
    evaluation: EvaluationConfig,
    config: AttributionConfig | None = None,
    *,
    reference: Reference = SHIPPED,
    track: str | Path | None = None,
    vehicle: Vehicle | None = None,
    topics: Mapping[str, str] | None = None,
) -> AttributedDrive:
    """Attribute what a pipeline loses on a bag.

    Args:
        bag: with images and scans, and odometry for the delays of stamps.
        pipeline: the system.
        evaluation: settings of the metrics.
        config: of the attribution.
        reference: the same system on a drive that is known to be good.
        track: CSV of its cones in the frame of the odometry; None takes the truth topic.
        vehicle: preset that replaces the calibration of the bag.
        topics: topics that the user chose, by role.

    Raises:
        ReplayError: if the bag lacks what is needed.
        BagError: if it cannot be read.
        FileNotFoundError: if there is no bag or no track.
    """
    config = config or AttributionConfig()
    replay = BagReplay(bag, track=track, vehicle=vehicle, topics=topics)
    try:
        count = min(config.frames, len(replay))
        places = [index * len(replay) // count for index in range(count)]
        started = time.process_time()
        samples = [replay[place] for place in places]
        seconds = time.process_time() - started
        twists = [twist_at(replay, sample.key.stamp_ns) for sample in samples]
    finally:
        replay.close()
    system = System(pipeline)
    found = attribute(
        system,
        samples,
        twists,
        evaluation,
        config,
        reference=reference,
        decode_seconds=seconds,
    )
    detections = found.outputs.get("Detections") or [None] * len(samples)
    return AttributedDrive(found, samples, list(detections), system, evaluation)


def twist_at(replay: BagReplay, stamp_ns: int) -> Tensor | None:
    """``(3,)`` velocity of the LiDAR in its frame at a stamp: x, y [m/s], yaw [rad/s].

    None where the odometry does not know it.
    """
    drive = replay.drive
    around = stamp_ns + drive.lidar_offset_ns
    moved = drive.motion.lidar_motion(around - AROUND_NS, around + AROUND_NS)
    if moved is None:
        return None
    seconds = 2 * AROUND_NS / 1e9
    turn = math.atan2(float(moved[1, 0]), float(moved[0, 0]))
    return torch.tensor([float(moved[0, 3]), float(moved[1, 3]), turn]) / seconds
