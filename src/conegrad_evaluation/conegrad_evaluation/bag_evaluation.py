"""Evaluates the cones of a recorded drive and writes the report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.pipeline.file import load_specification
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation, evaluate_drive
from conegrad_evaluation.drives.recorded_drive import RecordedDrive, read_drive
from conegrad_evaluation.metrics.bootstrap import block_length, median_period
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.report.beside import set_beside
from conegrad_evaluation.report.report import Preface, write_report

MATCH_DISTANCE = 0.5  # [m], of full-size cones; a vehicle preset may give another
MAX_RANGE = 12.0  # [m], likewise


def evaluate_bag(
    bag: str | Path,
    output_dir: str | Path,
    *,
    track: str | Path | None = None,
    vehicle: str | Path | Vehicle | None = None,
    max_range: float | None = None,
    match_distance: float | None = None,
    min_existence: float = 0.0,
    truth_error: float = 0.0,
    preface: Preface | None = None,
    topics: Mapping[str, str] | None = None,
    pipeline: str | Path = DEFAULT,
    baseline: str | Path | None = None,
) -> Evaluation:
    """Evaluate the cones of a bag; write ``metrics.json``, ``report.html`` and pictures.

    Truth is, in this order: the map given as ``track`` (with odometry in its frame), or the
    bag's truth topic at the stamp of the cones, else its nearest truth moved by odometry. Without
    truth the report holds pictures and rates, and no accuracy.

    Args:
        bag: with a topic of cones.
        output_dir: folder to write to; made if it is missing.
        track: CSV of cones (x, y, colour) in the frame of the odometry.
        vehicle: preset that replaces the bag's calibration and gives bounds of the evaluation.
        max_range: truth beyond is ignored [m]; None takes the vehicle's, else 12.
        match_distance: farthest match [m]; None takes the vehicle's, else 0.5.
        min_existence: published cones below this probability are left out.
        truth_error: standard deviation of x and y of truth that states none [m].
        preface: first section of the report; None leaves it out.
        topics: topics that the user chose, by role.
        pipeline: that made the cones, by name or path: what none of the sensors of its inputs
            could see does not count.
        baseline: bag of the same drive with cones of another system, to be set beside.

    Raises:
        AlignmentError: if no sensor could ever see a cone of ``track``.
        BagError: if the bag cannot be read, has no cones, or lacks what ``track`` needs.
        FileNotFoundError: if the bag, the track, the vehicle or the pipeline does not exist.
        ValueError: if a setting or file is out of bounds, or ``output_dir`` is a bag.
    """
    folder = Path(output_dir)
    _refuse_bag(folder, Path(bag))
    preset = load_vehicle(vehicle) if isinstance(vehicle, (str, Path)) else vehicle
    bounds = preset.evaluation if preset is not None else None
    drive = read_drive(bag, preset, topics)
    config = EvaluationConfig(
        match_distance=match_distance or (bounds.match_distance if bounds else MATCH_DISTANCE),
        max_range=max_range or (bounds.max_range if bounds else MAX_RANGE),
        min_existence=min_existence,
        truth_deviation=truth_error,
        bootstrap_block=_frames_per_second(drive),
    )
    inputs = list(load_specification(pipeline).inputs.values())
    result = evaluate_drive(drive, config, track, inputs)
    beside = None
    if baseline is not None:
        other = read_drive(baseline, preset, topics)
        beside = set_beside(evaluate_drive(other, config, track, inputs), result)
    folder.mkdir(parents=True, exist_ok=True)
    values = _metrics(result) | ({"beside": to_json_values(beside.to_dict())} if beside else {})
    metrics = json.dumps(values, indent=2, allow_nan=False)
    (folder / "metrics.json").write_text(metrics + "\n", encoding="utf-8")
    write_report(result, folder, preface, beside)
    return result.evaluation


def _refuse_bag(folder: Path, bag: Path) -> None:
    """Refuse to write the report into the folder of a bag."""
    place = folder.resolve()
    if bag.resolve() in (place, *place.parents) or (folder / "metadata.yaml").exists():
        raise ValueError(f"output {folder} is a bag, expected another folder for the report")


def _frames_per_second(drive: RecordedDrive) -> int:
    """Frames of one second, which are resampled together: they show the same cones."""
    return block_length(1.0, median_period([frame.stamp_ns for frame in drive.frames]))


def _metrics(result: DriveEvaluation) -> dict[str, Any]:
    drive = result.drive
    metrics = result.evaluation.to_dict()
    metrics["bag"] = {
        "name": drive.path.name,
        "duration": drive.info.duration,
        "truth": result.truth_source,
        "made_by": dict(drive.info.made_by),
        "frames": len(drive.frames),
        "frames_with_truth": sum(entry is not None for entry in result.results),
        "topics": {
            name: {"type": topic.msgtype, "count": topic.count, "rate": topic.rate}
            for name, topic in drive.info.topics.items()
        },
        "notes": _notes(drive.notes, [f"{a.problem}: {a.remedy}" for a in drive.info.advice]),
    }
    values: dict[str, Any] = to_json_values(metrics)
    return values


def _notes(*groups: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(note for group in groups for note in group))
