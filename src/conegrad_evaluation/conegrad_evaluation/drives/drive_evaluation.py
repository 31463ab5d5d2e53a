"""A recorded drive matched to its truth."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.cones import TrueCones
from conegrad_data.recording.truth import RecordedTruth, SeenTruth, Truth, map_truth
from conegrad_evaluation.drives.map_fit import check_in_view, misfit_warning
from conegrad_evaluation.drives.recorded_drive import DriveFrame, RecordedDrive
from conegrad_evaluation.metrics.evaluator import Evaluation, Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DriveEvaluation:
    """A drive with its metrics.

    Attributes:
        drive: what was recorded.
        truth: gives the truth of any stamp; None where there is none.
        truth_source: where truth came from, for people.
        evaluation: metrics of all frames that have truth.
        results: the match of each frame of the drive; None without truth.
    """

    drive: RecordedDrive
    truth: Truth | None
    truth_source: str
    evaluation: Evaluation
    results: list[FrameResult | None]


def evaluate_drive(
    drive: RecordedDrive,
    config: EvaluationConfig,
    track: str | Path | None = None,
    inputs: Iterable[str] = (),
) -> DriveEvaluation:
    """Match every frame of a drive that has truth.

    Args:
        drive: what was recorded.
        config: settings of the metrics.
        track: map of the cones; None takes the truth of the drive.
        inputs: kinds of the inputs of the pipeline that made the cones: what none of its sensors
            could see does not count.

    Raises:
        BagError: if ``track`` is given but the pose or the view of the LiDAR is unknown.
        AlignmentError: if no sensor could ever see a cone of ``track``.
    """
    truth, source = _truth(drive, track)
    truth = truth and SeenTruth(truth, inputs)
    evaluator = Evaluator(config)
    evaluator.with_camera = has_camera(drive)
    results: list[FrameResult | None] = []
    for frame in drive.frames:
        true = truth_of(frame, truth)
        results.append(evaluator.add(frame.cones, true) if true is not None else None)
    for delay in drive.delays:
        evaluator.add_latency(delay.seconds)
    missing = sum(result is None for result in results)
    if truth is not None and missing:
        drive.notes.append(f"{missing} of {len(results)} frames have no truth near their stamp")
    evaluation = evaluator.result()
    counts = evaluation.total.counts
    if track is not None and (text := misfit_warning(counts.precision, counts.recall, track)):
        drive.notes.append(text)
        logger.warning("%s", text)
    return DriveEvaluation(drive, truth, source, evaluation, results)


def has_camera(drive: RecordedDrive) -> bool:
    """Whether a camera was on board: it took part in a frame, or its images were recorded."""
    took_part = any(frame.camera_ns is not None for frame in drive.frames)
    return took_part or "image" in drive.info.roles


def truth_of(frame: DriveFrame, truth: Truth | None) -> TrueCones | None:
    """The cones there were in a frame, as its image could show them; None where unknown."""
    return truth.at(frame.stamp_ns, frame.camera_ns) if truth is not None else None


def _truth(drive: RecordedDrive, track: str | Path | None) -> tuple[Truth | None, str]:
    if track is not None:
        return _map_truth(drive, track), f"track map {Path(track).name} and odometry"
    if drive.truth_stamps:
        recorded = RecordedTruth(drive.truth_stamps, drive.load_truth, drive.lidar_motion)
        return recorded, f"topic {drive.info.roles['truth']}"
    return None, "none"


def _map_truth(drive: RecordedDrive, track: str | Path) -> Truth:
    truth = map_truth(track, drive.path, drive.motion, drive.calibration, drive.scan_view)
    check_in_view((truth_of(frame, truth) for frame in drive.frames), track, drive.path)
    return truth
