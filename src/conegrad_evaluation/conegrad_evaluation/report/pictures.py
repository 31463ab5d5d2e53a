"""Pictures of single frames and the map of the drive."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, Polygon
from matplotlib.ticker import MultipleLocator

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.drawing import (
    draw_cones_on_image,
    draw_detections,
    draw_truth_on_image,
)
from conegrad_core.fusion.config import MIN_EXISTENCE
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_evaluation.metrics.calibration import CHI2_95
from conegrad_evaluation.metrics.failure_modes import false_cones, missed_truth
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult
from conegrad_evaluation.report.figure_style import (
    BAD,
    GREY,
    INK,
    LINE,
    MUTED,
    class_handles,
    colour_hex,
)

Floats = npt.NDArray[np.float64]

PICTURE_WIDTH = 1280  # [px], smaller images are enlarged so that marks and text are readable
SIDE_SHOWN = 9.0  # [m] to each side of the car
BEHIND_SHOWN = 3.0  # [m]
AHEAD_SHOWN = 15.0  # [m] where there is no largest range
RING_STEP = 5.0  # [m]
RETURNS = LinearSegmentedColormap.from_list("returns", ["#b4bcc6", "#9a7fd0", "#7a1fa2"])
MAP_FRAMES = 400  # frames whose cones are drawn on the map
STRIP = 96  # [px] above a camera image, for title and legend
MAP_MARKERS = {
    ConeClass.BLUE: "o",
    ConeClass.YELLOW: "^",
    ConeClass.SMALL_ORANGE: "s",
    ConeClass.BIG_ORANGE: "D",
    ConeClass.UNKNOWN: "X",
}


def camera_picture(
    image: RgbImage,
    detections: Detections | None,
    cones: Cones,
    truth: TrueCones | None,
    calibration: Calibration | None,
    *,
    title: str,
    min_existence: float = MIN_EXISTENCE,
) -> Figure:
    """Camera image with boxes, projected fused cones and truth.

    Args:
        image: as recorded.
        detections: boxes of this image; None leaves them out.
        cones: fused cones, moved to the stamp of the image.
        truth: moved likewise; None leaves it out.
        calibration: None draws the boxes only.
        title: one line.
        min_existence: cones below are left out.
    """
    scale = max(1.0, PICTURE_WIDTH / image.shape[1])
    drawn = _enlarged(image, scale)
    if calibration is not None:
        scaled = calibration._replace(camera=_enlarged_camera(calibration.camera, scale))
        drawn = draw_cones_on_image(drawn, cones, scaled, min_existence)
        if truth is not None:
            drawn = draw_truth_on_image(drawn, truth, scaled)
    if detections is not None:
        boxes = Detections(detections.boxes_xyxy * scale, detections.logits)
        drawn = draw_detections(drawn, boxes)
    return _framed(drawn, title, has_truth=truth is not None and calibration is not None)


def _enlarged(image: RgbImage, scale: float) -> RgbImage:
    if scale == 1.0:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    larger: RgbImage = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    return larger


def _enlarged_camera(camera: CameraModel, scale: float) -> CameraModel:
    factor = camera.intrinsics.new_tensor([scale, scale, 1.0])[:, None]
    return camera._replace(
        width=round(camera.width * scale),
        height=round(camera.height * scale),
        intrinsics=camera.intrinsics * factor,
    )


def _framed(image: RgbImage, title: str, *, has_truth: bool) -> Figure:
    height, width = image.shape[:2]
    whole = height + STRIP
    figure = Figure(figsize=(width / 100, whole / 100), dpi=100, facecolor="white")
    axes = figure.add_axes((0, 0, 1, height / whole))
    axes.imshow(image, interpolation="none")
    axes.axis("off")
    figure.text(0.008, 1 - 14 / whole, title, va="top", fontsize=17, fontweight="bold", color=INK)
    handles = [
        Line2D([], [], marker="s", linestyle="", markerfacecolor="none", markeredgecolor=MUTED,
               markeredgewidth=2, markersize=12, label="box, score"),
        Line2D([], [], marker="^", linestyle="", color=MUTED, markersize=12, label="fused cone"),
    ]  # fmt: skip
    if has_truth:
        handles.append(
            Line2D([], [], marker="o", linestyle="", markerfacecolor="white", markeredgecolor=INK,
                   markeredgewidth=1.5, markersize=10, label="truth on the ground")
        )  # fmt: skip
    handles += class_handles(12)
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(-0.004, 1 - 46 / whole),
        ncols=len(handles), fontsize=12, handletextpad=0.2, columnspacing=1.1, frameon=False,
    )  # fmt: skip
    return figure


def birds_eye_picture(
    cones: Cones,
    truth: TrueCones | None,
    scan: SegmentedScan | None,
    result: FrameResult | None,
    config: EvaluationConfig,
    *,
    title: str,
) -> Figure:
    """The frame from above: LiDAR returns, fused cones with 95 % ellipses, truth, failures.

    Args:
        cones: fused cones in the LiDAR frame.
        truth: in the same frame; None leaves it out.
        scan: in the same frame; None leaves it out.
        result: marks missed truth and false cones; None leaves the marks out.
        config: range and threshold of the evaluation.
        title: one line.
    """
    figure = Figure(figsize=(4.6, 6.0), layout="constrained")
    axes = figure.add_subplot()
    _ground(axes, config.max_range)
    if scan is not None:
        _returns(figure, axes, scan)
    if truth is not None:
        _truth(axes, truth)
    _cones(axes, cones, config.min_existence)
    if result is not None:
        _failures(axes, result, config)
    axes.set_title(title.replace(": ", "\n", 1), pad=10)
    figure.legend(
        handles=_birds_eye_handles(truth is not None, result is not None),
        loc="outside lower center", ncols=3, fontsize=9, columnspacing=1.0, handletextpad=0.4,
    )  # fmt: skip
    return figure


def _ground(axes: Axes, max_range: float) -> None:
    ahead = max_range + 2.0 if math.isfinite(max_range) else AHEAD_SHOWN
    side = max(SIDE_SHOWN, 0.55 * (ahead + BEHIND_SHOWN))
    axes.set(xlim=(side, -side), ylim=(-BEHIND_SHOWN, ahead), aspect="equal")
    axes.set(xlabel="left of the LiDAR  y [m]", ylabel="ahead of the LiDAR  x [m]")
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MultipleLocator(RING_STEP))
    axes.yaxis.set_major_locator(MultipleLocator(RING_STEP))
    for radius in np.arange(RING_STEP, ahead + side, RING_STEP):
        axes.add_patch(Circle((0, 0), radius, fill=False, color=LINE, linewidth=0.9, zorder=0))
    if math.isfinite(max_range):
        axes.add_patch(Circle((0, 0), max_range, fill=False, color=MUTED, linewidth=1.0,
                              linestyle=(0, (5, 4)), zorder=0))  # fmt: skip
    axes.add_patch(Polygon([(0, 0.55), (-0.35, -0.45), (0.35, -0.45)], color=INK, zorder=3))


def _returns(figure: Figure, axes: Axes, scan: SegmentedScan) -> None:
    usable = ~scan.ranges.isnan()
    ranges, angles = scan.ranges[usable].numpy(), scan.angles[usable].numpy()
    probability = scan.logits[usable].detach().sigmoid().numpy()
    order = np.argsort(probability)
    dots = axes.scatter(
        (ranges * np.sin(angles))[order], (ranges * np.cos(angles))[order], c=probability[order],
        cmap=RETURNS, vmin=0, vmax=1, s=9, linewidths=0, alpha=0.9, zorder=2, rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(dots, ax=axes, location="bottom", shrink=0.55, aspect=40, pad=0.015)
    bar.set_label("cone probability of the LiDAR returns")
    bar.outline.set_visible(False)


def _truth(axes: Axes, truth: TrueCones) -> None:
    seen = truth.visible_camera | truth.visible_lidar
    for position, cone, is_seen in zip(
        truth.positions.tolist(), truth.classes.tolist(), seen.tolist(), strict=True
    ):
        axes.plot(
            position[1], position[0], "o", markersize=14, markerfacecolor="none",
            markeredgecolor=colour_hex(ConeClass(cone)) if is_seen else GREY,
            markeredgewidth=2.0 if is_seen else 1.0, zorder=4,
        )  # fmt: skip


def _cones(axes: Axes, cones: Cones, min_existence: float) -> None:
    exists = cones.existence_logits.detach().sigmoid() >= min_existence
    classes = cones.colours.detach().argmax(-1) if len(cones.colours) else cones.source
    for row in torch.nonzero(exists)[:, 0].tolist():
        x, y = cones.positions[row].tolist()
        colour = colour_hex(ConeClass(int(classes[row])))
        axes.add_patch(_ellipse(x, y, cones.covariances[row].double().numpy(), colour))
        marker = {1: "^", 2: "s"}.get(int(cones.source[row]), "o")
        axes.plot(y, x, marker, markersize=7, color=colour, markeredgecolor=INK,
                  markeredgewidth=0.8, zorder=6)  # fmt: skip


def _ellipse(x: float, y: float, covariance: Floats, colour: str) -> Ellipse:
    # Axes of the picture are (y, x): swap both rows and columns.
    values, vectors = np.linalg.eigh(covariance[::-1, ::-1])
    width, height = 2 * np.sqrt(np.maximum(values, 0) * CHI2_95)
    angle = math.degrees(math.atan2(vectors[1, 0], vectors[0, 0]))
    return Ellipse((y, x), width, height, angle=angle, facecolor=colour, edgecolor=colour,
                   alpha=0.3, linewidth=1.0, zorder=3)  # fmt: skip


def _failures(axes: Axes, result: FrameResult, config: EvaluationConfig) -> None:
    for row, mode in missed_truth(result, config):
        x, y = result.truth_positions[row]
        if mode.endswith("colour"):
            axes.annotate("\u2260", (y, x), xytext=(9, 0), textcoords="offset points", color=INK,
                          fontsize=16, fontweight="bold", va="center", zorder=7)  # fmt: skip
        else:
            axes.plot(y, x, "D", markersize=19, markerfacecolor="none", markeredgecolor=BAD,
                      markeredgewidth=2.2, zorder=7)  # fmt: skip
    for row, mode in false_cones(result, config):
        if mode != "wrong_colour":
            x, y = result.positions[row]
            axes.plot(y, x, "x", markersize=15, color=BAD, markeredgewidth=2.2, zorder=5)


def _birds_eye_handles(has_truth: bool, has_result: bool) -> list[Line2D]:
    def mark(marker: str, label: str, **style: object) -> Line2D:
        options = {"linestyle": "", "color": MUTED, "markersize": 8, **style}
        return Line2D([], [], marker=marker, label=label, **options)  # type: ignore[arg-type]

    handles = [
        mark("o", "cone: both sensors"),
        mark("^", "cone: camera only"),
        mark("s", "cone: LiDAR only"),
    ]
    if has_truth:
        hollow = {"markerfacecolor": "none", "markersize": 12}
        handles.append(mark("o", "truth", markeredgewidth=2, **hollow))
        handles.append(mark("o", "truth, unseen", markeredgecolor=GREY, **hollow))
    if has_result:
        diamond = {"markerfacecolor": "none", "markeredgewidth": 2, "markersize": 11}
        handles.append(mark("x", "false cone", color=BAD, markeredgewidth=2))
        handles.append(mark("D", "missed truth", markeredgecolor=BAD, **diamond))
        handles.append(mark(r"$\neq$", "wrong colour", color=INK, markersize=11))
    return handles


class MapLayer(NamedTuple):
    """Cones on the map: ``(N, 2)`` positions [m] in the odometry frame and ``(N,)`` classes."""

    positions: Floats
    classes: npt.NDArray[np.int64]


def map_picture(path: Floats, cones: MapLayer, truth: MapLayer | None, drive: str = "") -> Figure:
    """The whole drive from above; each colour has a mark of its own.

    Args:
        path: ``(N, 2 or 3)`` positions of the car in the odometry frame [m].
        cones: fused cones of many frames.
        truth: true cones; None leaves them out.
        drive: its name.
    """
    points = [layer.positions for layer in (cones, truth) if layer is not None]
    extent = np.ptp(np.concatenate([path[:, :2], *points]), axis=0) + 4.0
    width = 10.5
    height = float(np.clip(width * extent[1] / extent[0], 3.0, 8.0)) + 1.4
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(path[:, 0], path[:, 1], color=GREY, linewidth=1.4, zorder=1)
    axes.plot(*path[0, :2], "*", color=INK, markersize=11, zorder=5)
    for cone in sorted(MAP_MARKERS, reverse=True):  # those with a colour on top
        _map_layer(axes, cones, cone)
    handles = [Line2D([], [], color=GREY, label="path"),
               Line2D([], [], marker="*", linestyle="", color=INK, markersize=9, label="start"),
               Line2D([], [], marker="o", linestyle="", color=MUTED, markersize=4,
                      label="perceived, each frame")]  # fmt: skip
    if truth is not None:
        for cone, marker in MAP_MARKERS.items():
            x, y = truth.positions[truth.classes == cone].T
            axes.scatter(x, y, s=110, marker=marker, facecolors="none", linewidths=1.4, zorder=4,
                         edgecolors=colour_hex(cone))  # fmt: skip
        handles.append(Line2D([], [], marker="o", linestyle="", markerfacecolor="none",
                              color=MUTED, markersize=9, label="truth"))  # fmt: skip
    handles += class_handles(8, MAP_MARKERS)
    axes.set(aspect="equal", xlabel="x [m]", ylabel="y [m]")
    kinds = "perceived" if truth is None else "perceived and true"
    axes.set_title(f"{drive}: cones of the whole drive, {kinds}".removeprefix(": "))
    axes.margins(0.03)
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def _map_layer(axes: Axes, layer: MapLayer, cone: ConeClass) -> None:
    x, y = layer.positions[layer.classes == cone].T
    axes.scatter(x, y, marker=MAP_MARKERS[cone], s=20, c=colour_hex(cone), alpha=0.35,
                 linewidths=0, zorder=3, rasterized=True)  # fmt: skip


def joined_layers(layers: Sequence[MapLayer]) -> MapLayer:
    """All cones of several layers."""
    return MapLayer(
        np.concatenate([np.zeros((0, 2)), *(layer.positions for layer in layers)]),
        np.concatenate([np.zeros(0, np.int64), *(layer.classes for layer in layers)]),
    )
