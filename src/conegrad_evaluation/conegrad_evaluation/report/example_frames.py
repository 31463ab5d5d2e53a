"""Which frames are shown, and their images, boxes and scans."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.decode import (
    detections_from_msg,
    image_from_msg,
    scan_from_msg,
    segmentation_from_msg,
)
from conegrad_data.recording.bag_index import read_messages
from conegrad_evaluation.drives.recorded_drive import RecordedDrive
from conegrad_evaluation.metrics.counts import count
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.matching import FrameResult
from conegrad_evaluation.metrics.records import collect

APART_NS = 1_500_000_000  # [ns], shown frames should not look alike
ENOUGH_TRUTH = 3  # cones; a frame with fewer is no example of anything
NO_CONE_LOGIT = -20.0  # of a beam that nothing judged


class Choice(NamedTuple):
    """A frame to show: its row among the frames of the drive, and why."""

    row: int
    label: str


@dataclass
class Recorded:
    """What was recorded for one frame; None where it was not.

    Attributes:
        image: of the camera.
        detections: of that image.
        scan: with its cone logits, in the LiDAR frame at its own stamp.
    """

    image: RgbImage | None = None
    detections: Detections | None = None
    scan: SegmentedScan | None = None


def choose(
    drive: RecordedDrive, results: Sequence[FrameResult | None], evaluation: Evaluation
) -> list[Choice]:
    """Worst, median and best frame by the headline; without truth, three along the drive."""
    rows = [row for row, frame in enumerate(drive.frames) if frame.camera_ns is not None]
    rows = rows or list(range(len(drive.frames)))
    scores = {row: _score(results[row], evaluation) for row in rows}
    judged = [row for row in rows if scores[row] is not None]
    if not judged:
        return _along(rows)
    # Of equal scores, the frame with the most cones says most.
    ranked = sorted(judged, key=lambda row: scores[row] or (0.0, 0))
    chosen: list[Choice] = []
    for label, order in (
        ("worst", ranked),
        ("best", ranked[::-1]),
        ("median", _outward(ranked)),
    ):
        row = _first_apart(drive, order, chosen)
        if row is not None:
            chosen.append(Choice(row, f"{label} frame"))
    return sorted(chosen, key=lambda choice: -(scores[choice.row] or (0.0, 0))[0])


def read_recorded(drive: RecordedDrive, choices: Sequence[Choice]) -> list[Recorded]:
    """Read the images, boxes and scans of the chosen frames, found by the index of the drive."""
    frames = [drive.frames[choice.row] for choice in choices]
    both = [stamp for frame in frames for stamp in (frame.camera_ns, frame.lidar_ns)]
    stamps = {stamp for stamp in both if stamp is not None}
    found: dict[tuple[str, int], RawMessage] = {}
    with BagReader(drive.path, is_logging=False) as bag:
        for role in ("image", "detections", "segmentation", "scan"):
            topic = drive.info.topics.get(drive.info.roles.get(role, ""))
            for stamp, reference in (topic.at(stamps) if topic else {}).items():
                found[role, stamp] = read_messages(bag, [reference])[0]
        return [_recorded(bag, found, f.camera_ns or -1, f.lidar_ns or -1) for f in frames]


def _recorded(
    bag: BagReader, found: dict[tuple[str, int], RawMessage], camera_ns: int, lidar_ns: int
) -> Recorded:
    recorded = Recorded()
    if raw := found.get(("image", camera_ns)):
        recorded.image = image_from_msg(bag.decode(raw))
    if raw := found.get(("detections", camera_ns)):
        recorded.detections = detections_from_msg(bag.decode(raw))
    if raw := found.get(("segmentation", lidar_ns)):
        recorded.scan = segmentation_from_msg(bag.decode(raw))
    elif raw := found.get(("scan", lidar_ns)):
        scan = scan_from_msg(bag.decode(raw))
        logits = torch.full_like(scan.ranges, NO_CONE_LOGIT)
        recorded.scan = SegmentedScan(scan.ranges, scan.angles, logits, times=scan.times)
    return recorded


def _score(result: FrameResult | None, evaluation: Evaluation) -> tuple[float, int] | None:
    if result is None or int(result.counted.sum()) < ENOUGH_TRUTH:
        return None
    counts = count(collect([result], evaluation.config))
    return (counts.f1_colour if evaluation.with_camera else counts.f1), counts.true


def _along(rows: list[int]) -> list[Choice]:
    shares = {"early": 1 / 6, "middle": 1 / 2, "late": 5 / 6}
    chosen = {rows[int(share * len(rows))]: f"{name} frame" for name, share in shares.items()}
    return [Choice(row, label) for row, label in chosen.items()]


def _outward(ranked: list[int]) -> list[int]:
    """From the middle to both ends."""
    middle = (len(ranked) - 1) / 2
    order = np.argsort(np.abs(np.arange(len(ranked)) - middle), kind="stable")
    return [ranked[index] for index in order]


def _first_apart(drive: RecordedDrive, order: list[int], chosen: list[Choice]) -> int | None:
    taken = [drive.frames[choice.row].stamp_ns for choice in chosen]
    free = [row for row in order if row not in {choice.row for choice in chosen}]
    for row in free:
        stamp = drive.frames[row].stamp_ns
        if all(abs(stamp - other) >= APART_NS for other in taken):
            return row
    return free[0] if free else None
