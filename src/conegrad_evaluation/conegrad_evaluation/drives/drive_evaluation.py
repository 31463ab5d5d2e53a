"""A recorded drive matched to its truth."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.mounting import ground_of
from conegrad_data.bags.types import BagError
from conegrad_data.recording.truth import MapTruth, RecordedTruth, SensorViews, Truth
from conegrad_evaluation.drives.map_fit import check_in_view, doubt
from conegrad_evaluation.drives.recorded_drive import Drive, DriveFrame
from conegrad_evaluation.metrics.evaluator import Evaluation, Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult

logger = logging.getLogger(__name__)

CAMERA_RANGE = 25.0  # [m], a small cone is 8 px high there at 640 px over 60 degrees


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

    drive: Drive
    truth: Truth | None
    truth_source: str
    evaluation: Evaluation
    results: list[FrameResult | None]


def evaluate_drive(
    drive: Drive, config: EvaluationConfig, track: str | Path | None = None
) -> DriveEvaluation:
    """Match every frame of a drive that has truth.

    Raises:
        BagError: if ``track`` is given but the pose or the view of the LiDAR is unknown.
        AlignmentError: if no sensor could ever see a cone of ``track``.
    """
    truth, source = _truth(drive, track)
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
    if track is not None and (text := doubt(counts.precision, counts.recall, track)):
        drive.notes.append(text)
        logger.warning("%s", text)
    return DriveEvaluation(drive, truth, source, evaluation, results)


def has_camera(drive: Drive) -> bool:
    """Whether a camera was on board: it took part in a frame, or its images were recorded."""
    took_part = any(frame.camera_ns is not None for frame in drive.frames)
    return took_part or "image" in drive.info.roles


def truth_of(frame: DriveFrame, truth: Truth | None) -> TrueCones | None:
    """The cones there were in a frame, as its image could show them; None where unknown."""
    return truth.at(frame.stamp_ns, frame.camera_ns) if truth is not None else None


def _truth(drive: Drive, track: str | Path | None) -> tuple[Truth | None, str]:
    if track is not None:
        return _map_truth(drive, track), f"track map {Path(track).name} and odometry"
    if drive.truth_stamps:
        recorded = RecordedTruth(drive.truth_stamps, drive.load_truth, drive.lidar_motion)
        return recorded, f"topic {drive.info.roles['truth']}"
    return None, "none"


def _map_truth(drive: Drive, track: str | Path) -> MapTruth:
    # Reading a map needs the simulation's reader only; a drive without a map needs neither.
    from conegrad_data.cone_map.cone_map_csv import read_cones

    positions, classes = read_cones(track)
    if not len(drive.odometry.stamps_ns):
        raise BagError(f"{drive.path}: a track map needs odometry, and {drive.odometry.fault}")
    if drive.base_from_lidar is None:
        raise BagError(
            f"{drive.path}: a track map needs the place of {drive.lidar_frame} on the car; record "
            "/tf_static, or give a vehicle"
        )
    if drive.scan_view is None and drive.calibration is None:
        raise BagError(
            f"{drive.path}: a track map needs the view of a sensor, and the bag has neither scans "
            "nor camera_info; give a vehicle"
        )
    low, high, longest = drive.scan_view or (0.0, 0.0, 0.0)
    calibration = drive.calibration
    try:
        ground = ground_of(drive.base_from_lidar)
    except ValueError as error:
        raise BagError(f"{drive.path}: {error}") from error
    views = SensorViews(
        ground_z=ground.z,
        angle_low=low,
        angle_high=high,
        lidar_range=longest if math.isfinite(longest) else CAMERA_RANGE,
        camera=calibration.camera if calibration else None,
        camera_from_lidar=calibration.camera_from_lidar if calibration else None,
        camera_range=CAMERA_RANGE,
    )
    truth = MapTruth(positions, classes, drive.lidar_pose, views)
    check_in_view((truth_of(frame, truth) for frame in drive.frames), track, drive.path)
    return truth
