"""Pictures and plots of the report, as files and as data URIs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import TrueCones
from conegrad_core.geometry.odometry import path_around
from conegrad_core.geometry.transforms import turned
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.lidar.sweep import sweep_span, with_motions
from conegrad_data.recording.motion import moved_cones, moved_positions, moved_truth
from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation, truth_of
from conegrad_evaluation.drives.recorded_drive import DriveFrame
from conegrad_evaluation.metrics.matching import FrameResult
from conegrad_evaluation.metrics.records import Records, collect
from conegrad_evaluation.report import pictures, plots
from conegrad_evaluation.report.example_frames import (
    ExampleData,
    ExampleFrame,
    read_example_data,
    select_examples,
)
from conegrad_evaluation.report.figure_style import MUTED, data_uri, png_bytes, svg_uri
from conegrad_evaluation.report.plot_captions import plot_captions
from conegrad_evaluation.report.region_plot import region_plot

JPEG_QUALITY = 88
MAP_CELL = 0.25  # [m], truth of several frames within one cell is drawn once


class ExamplePictures(NamedTuple):
    """Pictures of one frame as data URIs, None where there is none, and what they show."""

    title: str
    camera: str | None
    birds_eye: str | None


def draw_examples(result: DriveEvaluation, folder: Path) -> list[ExamplePictures]:
    """Draw the example frames: camera image and bird's-eye view."""
    if not result.drive.frames:
        return []
    examples = select_examples(result.drive, result.results, result.evaluation)
    recorded = read_example_data(result.drive, examples)
    return [_draw_example(result, *pair, folder) for pair in zip(examples, recorded, strict=True)]


def _draw_example(
    result: DriveEvaluation, example: ExampleFrame, recorded: ExampleData, folder: Path
) -> ExamplePictures:
    frame, match = result.drive.frames[example.row], result.results[example.row]
    truth = truth_of(frame, result.truth)
    title = f"{result.drive.path.stem}, {example.label} at "
    title += f"{result.drive.seconds(frame.stamp_ns):.2f} s"
    if match is not None:
        title += f": {_frame_score(match, result)}"
    name = example.label.replace(" ", "_")
    camera = None
    if recorded.image is not None:
        figure = _camera_figure(result, frame, recorded.image, truth, recorded, title)
        camera = _saved_image(figure, folder / f"camera_{name}.png")
    scan = _scan_at(result, frame, recorded.scan)
    figure = pictures.birds_eye_picture(
        frame.cones, truth, scan, match, result.evaluation.config, title=title
    )
    return ExamplePictures(title, camera, _saved(figure, folder / f"above_{name}.png"))


def _frame_score(match: FrameResult, result: DriveEvaluation) -> str:
    records = collect([match], result.evaluation.config)
    truth, cones = records.truth, records.cones
    mistakes = {
        "wrong colour": int((truth.found & ~truth.right).sum()),
        "missed": int((~truth.found).sum()),
        "false": int((cones.selected & ~cones.is_match).sum()),
    }
    text = f"{int(truth.right.sum())} of {len(truth.right)} cones right"
    return ", ".join([text, *(f"{n} {name}" for name, n in mistakes.items() if n)])


def _camera_figure(
    result: DriveEvaluation,
    frame: DriveFrame,
    image: RgbImage,
    truth: TrueCones | None,
    recorded: ExampleData,
    title: str,
) -> Figure:
    cones = frame.cones
    motion = result.drive.lidar_motion(frame.camera_ns or frame.stamp_ns, frame.stamp_ns)
    if motion is not None:
        cones = moved_cones(cones, motion)
        truth = moved_truth(truth, motion) if truth is not None else None
    return pictures.camera_picture(
        image,
        recorded.detections,
        cones,
        truth,
        result.drive.calibration,
        title=title,
        min_existence=result.evaluation.config.min_existence,
    )


def _scan_at(
    result: DriveEvaluation, frame: DriveFrame, scan: SegmentedScan | None
) -> SegmentedScan | None:
    """The scan in the frame and at the stamp of the cones."""
    if scan is None or frame.lidar_ns is None:
        return None
    motion = result.drive.lidar_motion(frame.stamp_ns, frame.lidar_ns)
    if motion is None:
        return scan
    points = torch.stack([scan.ranges * scan.angles.cos(), scan.ranges * scan.angles.sin()], -1)
    moved = moved_positions(_deskewed_points(result, frame.lidar_ns, scan, points), motion)
    return SegmentedScan(moved.norm(dim=-1), torch.atan2(moved[:, 1], moved[:, 0]), scan.logits)


def _deskewed_points(
    result: DriveEvaluation, lidar_ns: int, scan: SegmentedScan, points: torch.Tensor
) -> torch.Tensor:
    """Points of the beams at the stamp of the scan; each beam has its own measurement time."""
    drive, (first, last) = result.drive, sweep_span(scan)
    if first == last or drive.base_from_lidar is None:
        return points
    path = path_around(drive.odometry.pose_at, lidar_ns, first, last)
    motions = with_motions(scan, path, drive.base_from_lidar).motions
    return points if motions is None else turned(points, motions[:, 2]) + motions[:, :2]


def _saved(figure: Figure, path: Path) -> str:
    """Write the figure as PNG and return it as an SVG data URI."""
    path.write_bytes(png_bytes(figure, 130))
    return svg_uri(figure)


def _saved_image(figure: Figure, path: Path) -> str:
    """Write the figure as PNG; return its image, without the strip above, as a JPEG data URI."""
    png = png_bytes(figure, 100)
    path.write_bytes(png)
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    strip = min(pictures.STRIP, image.height - 1)
    image.crop((0, strip, *image.size)).save(buffer, format="jpeg", quality=JPEG_QUALITY)
    return data_uri(buffer.getvalue(), "image/jpeg")


def draw_plots(result: DriveEvaluation) -> list[dict[str, str]]:
    """Draw the plots that have data; name, data URI and caption of each."""
    evaluation = result.evaluation
    drawn: list[tuple[str, Callable[[], Figure]]] = []
    if evaluation.frames:
        records = collect([r for r in result.results if r is not None], evaluation.config)
        drawn += _accuracy_plots(result, records)
    if evaluation.latency.count:
        stamps = np.array([result.drive.seconds(d.stamp_ns) for d in result.drive.delays])
        seconds = np.array([delay.seconds for delay in result.drive.delays])
        first = stamps.min()
        drawn.append(("latency", lambda: plots.latency_plot(stamps - first, seconds, evaluation)))
    captions = plot_captions(evaluation)
    name = result.drive.path.stem
    return [
        {"name": f"{plot}, {name}", "uri": _named_uri(draw(), name), "caption": captions[plot]}
        for plot, draw in drawn
    ]


def _named_uri(figure: Figure, name: str) -> str:
    """The figure with the name of the drive in its corner."""
    figure.supxlabel(name, x=0.995, ha="right", fontsize=8.5, color=MUTED)
    return svg_uri(figure)


def _accuracy_plots(
    result: DriveEvaluation, records: Records
) -> list[tuple[str, Callable[[], Figure]]]:
    evaluation = result.evaluation
    times = np.array(
        [
            result.drive.seconds(frame.stamp_ns)
            for frame, match in zip(result.drive.frames, result.results, strict=True)
            if match is not None
        ]
    )
    with_camera = evaluation.with_camera
    return [
        ("detection outcome", lambda: plots.outcome_plot(records)),
        ("precision and recall", lambda: plots.precision_recall_plot(evaluation)),
        ("position error", lambda: plots.error_plot(records)),
        ("colours", lambda: plots.confusion_plot(evaluation)),
        ("existence", lambda: plots.reliability_plot(evaluation)),
        ("covariance", lambda: plots.nees_plot(evaluation, records)),
        ("error regions", lambda: region_plot(evaluation)),
        (
            "score over time",
            lambda: plots.score_plot(times, records, with_camera=with_camera),
        ),
    ]


def draw_map(result: DriveEvaluation, folder: Path) -> str | None:
    """Draw the whole drive; None without poses."""
    drive = result.drive
    step = max(1, len(drive.frames) // pictures.MAP_FRAMES)
    layers, truths = [], []
    for frame in drive.frames[::step]:
        pose = drive.lidar_pose(frame.stamp_ns)
        if pose is None:
            continue
        layers.append(_layer(frame.cones.positions, frame.cones.colours, pose, result))
        truth = truth_of(frame, result.truth)
        if truth is not None:
            one_hot = torch.nn.functional.one_hot(truth.classes, 5)
            truths.append(_layer(truth.positions, one_hot, pose, result))
    if not layers:
        return None
    truth_layer = _distinct(pictures.joined_layers(truths)) if truths else None
    figure = pictures.map_picture(
        drive.odometry.poses, pictures.joined_layers(layers), truth_layer, drive.path.stem
    )
    return _saved(figure, folder / "map.png")


def _layer(
    positions: torch.Tensor, colours: torch.Tensor, pose: torch.Tensor, result: DriveEvaluation
) -> pictures.MapLayer:
    near = positions.norm(dim=-1) <= result.evaluation.config.max_range
    in_map = moved_positions(positions[near], pose).double().numpy().reshape(-1, 2)
    return pictures.MapLayer(in_map, colours[near].argmax(-1).numpy().astype(np.int64))


def _distinct(layer: pictures.MapLayer) -> pictures.MapLayer:
    _, first = np.unique(np.round(layer.positions / MAP_CELL), axis=0, return_index=True)
    return pictures.MapLayer(layer.positions[first], layer.classes[first])
