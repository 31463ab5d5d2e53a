"""Example frames of the report: their selection, images, boxes and scans."""

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
from conegrad_evaluation.metrics.counts import count_cones
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.matching import FrameResult
from conegrad_evaluation.metrics.records import collect

MIN_INTERVAL_NS = 1_500_000_000  # [ns] between examples, whose scenes should differ
MIN_TRUTH = 3  # cones of a frame whose score is compared
NO_CONE_LOGIT = -20.0  # of the beams of a scan that was not segmented


class ExampleFrame(NamedTuple):
    """A frame to draw: its row among the frames of the drive, and its label."""

    row: int
    label: str


@dataclass
class ExampleData:
    """Recorded data of one frame; None where there is none.

    Attributes:
        image: of the camera.
        detections: of that image.
        scan: with its cone logits, in the LiDAR frame at its own stamp.
    """

    image: RgbImage | None = None
    detections: Detections | None = None
    scan: SegmentedScan | None = None


def select_examples(
    drive: RecordedDrive, results: Sequence[FrameResult | None], evaluation: Evaluation
) -> list[ExampleFrame]:
    """Worst, median and best frame by the headline metric; without truth, three by time."""
    rows = [row for row, frame in enumerate(drive.frames) if frame.camera_ns is not None]
    rows = rows or list(range(len(drive.frames)))
    scores = {row: _score(results[row], evaluation) for row in rows}
    scored = [row for row in rows if scores[row] is not None]
    if not scored:
        return _by_time(rows)
    # Of equal scores, the frame with the most cones comes first.
    ranked = sorted(scored, key=lambda row: scores[row] or (0.0, 0))
    examples: list[ExampleFrame] = []
    for label, order in (
        ("worst", ranked),
        ("best", ranked[::-1]),
        ("median", _from_middle(ranked)),
    ):
        row = _first_distant(drive, order, examples)
        if row is not None:
            examples.append(ExampleFrame(row, f"{label} frame"))
    return sorted(examples, key=lambda example: -(scores[example.row] or (0.0, 0))[0])


def read_example_data(drive: RecordedDrive, examples: Sequence[ExampleFrame]) -> list[ExampleData]:
    """Read the images, boxes and scans of the examples, found by the index of the drive."""
    frames = [drive.frames[example.row] for example in examples]
    stamps = {s for frame in frames for s in (frame.camera_ns, frame.lidar_ns) if s is not None}
    found: dict[tuple[str, int], RawMessage] = {}
    with BagReader(drive.path, is_logging=False) as bag:
        for role in ("image", "detections", "segmentation", "scan"):
            topic = drive.info.topics.get(drive.info.roles.get(role, ""))
            for stamp, reference in (topic.at(stamps) if topic else {}).items():
                found[role, stamp] = read_messages(bag, [reference])[0]
        return [_example_data(bag, found, f.camera_ns or -1, f.lidar_ns or -1) for f in frames]


def _example_data(
    bag: BagReader, found: dict[tuple[str, int], RawMessage], camera_ns: int, lidar_ns: int
) -> ExampleData:
    recorded = ExampleData()
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
    if result is None or int(result.counted.sum()) < MIN_TRUTH:
        return None
    counts = count_cones(collect([result], evaluation.config))
    return (counts.f1_colour if evaluation.with_camera else counts.f1), counts.true


def _by_time(rows: list[int]) -> list[ExampleFrame]:
    shares = {"early": 1 / 6, "middle": 1 / 2, "late": 5 / 6}
    labels = {rows[int(share * len(rows))]: f"{name} frame" for name, share in shares.items()}
    return [ExampleFrame(row, label) for row, label in labels.items()]


def _from_middle(ranked: list[int]) -> list[int]:
    """The same rows in the order of their distance from the middle."""
    middle = (len(ranked) - 1) / 2
    order = np.argsort(np.abs(np.arange(len(ranked)) - middle), kind="stable")
    return [ranked[index] for index in order]


def _first_distant(
    drive: RecordedDrive, order: list[int], examples: list[ExampleFrame]
) -> int | None:
    taken = [drive.frames[example.row].stamp_ns for example in examples]
    free = [row for row in order if row not in {example.row for example in examples}]
    for row in free:
        stamp = drive.frames[row].stamp_ns
        if all(abs(stamp - other) >= MIN_INTERVAL_NS for other in taken):
            return row
    return free[0] if free else None
