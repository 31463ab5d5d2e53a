"""Detections, keypoints, cones and truth drawn over a camera image."""

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass, Cones, TrueCones
from conegrad_core.fusion.config import MIN_EXISTENCE
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.keypoints.keypoints import Keypoints

Rgb = tuple[int, int, int]

COLOURS_RGB: dict[ConeClass, Rgb] = {
    ConeClass.BLUE: (31, 100, 222),
    ConeClass.YELLOW: (246, 196, 15),
    ConeClass.SMALL_ORANGE: (247, 127, 23),
    ConeClass.BIG_ORANGE: (190, 62, 10),
    ConeClass.UNKNOWN: (128, 134, 142),
}
INK: Rgb = (20, 24, 30)
PAPER: Rgb = (255, 255, 255)

REFERENCE_WIDTH = 640  # [px] of an image whose lines are one pixel wide
RING_POINTS = 16
TIP_SHARE = 0.2  # radius of a cone's top over that of its base
MIN_TAG_HEIGHT = 0.045  # a box lower than this share of the image gets no score: it would be hidden
FILL = 0.35  # opacity of a cone's body
MIN_SCORE = 0.25  # of detections that are drawn
SUBPIXELS = 4  # bits of a fraction of a pixel, as OpenCV draws circles
LARGEST_RING = 100.0  # [px] radius of a drawn deviation
BRIGHT = 380  # sum of red, green and blue above which text is dark


class Tag(NamedTuple):
    """A text and its background [px]."""

    text: str
    scale: float
    left: int
    top: int
    right: int
    bottom: int


def draw_detections(
    image: RgbImage, detections: Detections, min_score: float = MIN_SCORE
) -> RgbImage:
    """Copy of the image with a box per detection, in the colour of its best class.

    The score stands above a box where there is room: not on small boxes, nor on another score.
    """
    drawn: RgbImage = image.copy()
    if not len(detections.logits):
        return drawn
    scores, classes = detections.logits.detach().cpu().sigmoid().max(dim=-1)
    boxes = detections.boxes_xyxy.detach().cpu().round().int().tolist()
    shown = torch.nonzero(scores >= min_score)[:, 0]
    best_first = shown[scores[shown].argsort(descending=True, stable=True)].tolist()
    for row in reversed(best_first):
        colour = COLOURS_RGB[ConeClass(int(classes[row]))]
        left, top, right, bottom = boxes[row]
        for ink, thickness in ((INK, _line_width(image) + 2), (colour, _line_width(image))):
            cv2.rectangle(drawn, (left, top), (right, bottom), ink, thickness)
    tags: list[Tag] = []
    for row in best_first:
        left, top, _, bottom = boxes[row]
        tag = _tag(image, f"{float(scores[row]):.2f}", left, top)
        if bottom - top >= MIN_TAG_HEIGHT * len(image) and not any(_meet(tag, t) for t in tags):
            tags.append(tag)
            _draw_tag(drawn, tag, COLOURS_RGB[ConeClass(int(classes[row]))])
    return drawn


def draw_keypoints(
    image: RgbImage,
    keypoints: Keypoints,
    detections: Detections | None = None,
    min_score: float = MIN_SCORE,
) -> RgbImage:
    """Copy of the image with a dot per keypoint, in a ring with the radius of its deviation.

    Args:
        image: ``(height, width, 3)``.
        keypoints: of K cones.
        detections: of the same K cones: those of a low score are left out, and rings have the
            colour of their best class. None: all are drawn.
        min_score: lowest score that is drawn.
    """
    drawn: RgbImage = image.copy()
    points = keypoints.positions.detach().cpu().double()
    deviations = keypoints.log_deviations.detach().cpu().double().exp()
    dot = 0.5 + 0.5 * _line_width(image)
    for row in _shown(detections, len(points), min_score):
        colour = PAPER
        if detections is not None:
            colour = COLOURS_RGB[ConeClass(int(detections.logits[row].argmax()))]
        for point, deviation in zip(points[row], deviations[row].tolist(), strict=True):
            _draw_circle(drawn, point, min(dot + deviation, LARGEST_RING), colour, 1)
            _draw_circle(drawn, point, dot + 1, INK, cv2.FILLED)
            _draw_circle(drawn, point, dot, PAPER, cv2.FILLED)
    return drawn


def draw_colours(
    image: RgbImage, colours: ConeColours, detections: Detections, min_score: float = MIN_SCORE
) -> RgbImage:
    """Copy of the image with a bar below each box, in the most probable colour of its cone.

    Args:
        image: ``(height, width, 3)``.
        colours: of K cones.
        detections: of the same K cones; those of a low score are left out.
        min_score: lowest score that is drawn.
    """
    drawn: RgbImage = image.copy()
    best = colours.logits.detach().cpu().argmax(dim=-1).tolist() if len(colours.logits) else []
    boxes = detections.boxes_xyxy.detach().cpu().round().int().tolist()
    height = 2 + 2 * _line_width(image)
    for row in _shown(detections, len(best), min_score):
        left, _, right, bottom = boxes[row]
        corners = (left - 1, bottom + 1), (right + 1, bottom + 1 + height)
        cv2.rectangle(drawn, *corners, COLOURS_RGB[ConeClass(best[row])], cv2.FILLED)
        cv2.rectangle(drawn, *corners, INK, 1)
    return drawn


def draw_cones_on_image(
    image: RgbImage, cones: Cones, calibration: Calibration, min_existence: float = MIN_EXISTENCE
) -> RgbImage:
    """Copy of the image with the body of each cone where the fusion says that it stands."""
    exists = cones.existence_logits.detach().cpu().sigmoid() >= min_existence
    if not bool(exists.any()):
        return np.copy(image)
    positions = cones.positions.detach().cpu()[exists]
    classes = cones.colours.detach().cpu()[exists].argmax(-1)
    outlines = _outlines(positions, classes, calibration, image, with_tip=True)
    drawn: RgbImage = image.copy()
    fill = image.copy()
    colours = [COLOURS_RGB[ConeClass(int(cone))] for cone in classes]
    for outline, colour in zip(outlines, colours, strict=True):
        if outline is not None:
            cv2.fillPoly(fill, [outline], colour, cv2.LINE_AA)
    cv2.addWeighted(fill, FILL, drawn, 1.0 - FILL, 0.0, dst=drawn)
    for outline, colour in zip(outlines, colours, strict=True):
        if outline is not None:
            _draw_line(drawn, outline, colour)
    return drawn


def draw_truth_on_image(image: RgbImage, truth: TrueCones, calibration: Calibration) -> RgbImage:
    """Copy of the image with a white ring on the ground around each true cone.

    Cones that the camera could not see are left out.
    """
    drawn: RgbImage = image.copy()
    visible = truth.visible_camera.detach().cpu()
    if not bool(visible.any()):
        return drawn
    positions, classes = truth.positions.detach().cpu()[visible], truth.classes.cpu()[visible]
    for outline in _outlines(positions, classes, calibration, image, with_tip=False):
        if outline is not None:
            _draw_line(drawn, outline, PAPER)
    return drawn


def _shown(detections: Detections | None, count: int, min_score: float) -> list[int]:
    """Rows that are drawn, the best ones last."""
    if detections is None or not count:
        return list(range(count))
    scores = detections.logits.detach().cpu().sigmoid().amax(dim=-1)
    return [row for row in scores.argsort(stable=True).tolist() if scores[row] >= min_score]


def _draw_circle(
    image: RgbImage, centre: Tensor, radius: float, colour: Rgb, thickness: int
) -> None:
    """A circle at a fraction of a pixel; those far outside the image are left out."""
    if not bool((centre.abs() < 1e5).all()):
        return
    u, v = (centre * 2**SUBPIXELS).round().int().tolist()
    size = round(radius * 2**SUBPIXELS)
    cv2.circle(image, (u, v), size, colour, thickness, cv2.LINE_AA, SUBPIXELS)


def _line_width(image: RgbImage) -> int:
    width: int = image.shape[1]
    return max(1, round(width / REFERENCE_WIDTH))


def _draw_line(image: RgbImage, outline: npt.NDArray[np.int32], colour: Rgb) -> None:
    width = _line_width(image)
    cv2.polylines(image, [outline], True, INK, width + 2, cv2.LINE_AA)
    cv2.polylines(image, [outline], True, colour, width, cv2.LINE_AA)


def _tag(image: RgbImage, text: str, left: int, bottom: int) -> Tag:
    """Place of a text whose lower left corner is a pixel, moved into the image."""
    scale = 0.33 * _line_width(image)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    left = min(max(left - 1, 0), image.shape[1] - width - 4)
    bottom = max(bottom, height + 6)
    return Tag(text, scale, left, bottom - height - 6, left + width + 4, bottom)


def _meet(one: Tag, other: Tag) -> bool:
    is_beside = one.right < other.left or other.right < one.left
    return not (is_beside or one.bottom < other.top or other.bottom < one.top)


def _draw_tag(image: RgbImage, tag: Tag, colour: Rgb) -> None:
    cv2.rectangle(image, (tag.left, tag.top), (tag.right, tag.bottom), colour, cv2.FILLED)
    ink = INK if sum(colour) > BRIGHT else PAPER
    origin = (tag.left + 2, tag.bottom - 3)
    cv2.putText(image, tag.text, origin, cv2.FONT_HERSHEY_SIMPLEX, tag.scale, ink, 1, cv2.LINE_AA)


def _outlines(
    positions: Tensor, classes: Tensor, calibration: Calibration, image: RgbImage, *, with_tip: bool
) -> list[npt.NDArray[np.int32] | None]:
    """Outline in the image of each cone (or of its ground ring); None outside the image."""
    rings = _rings(positions.double(), classes, calibration, with_tip=with_tip)
    transform = calibration.camera_from_lidar.detach().cpu().double()
    pixels, in_front = project(rings.flatten(0, 1), transform, _in_double(calibration.camera))
    pixels = pixels.view(len(rings), -1, 2)
    height, width = image.shape[:2]
    touches = ((pixels >= 0) & (pixels < torch.tensor([width, height]))).all(-1).any(-1)
    usable = in_front.view(len(rings), -1).all(-1) & touches
    return [
        cv2.convexHull(outline.numpy().round().astype(np.int32)) if use else None
        for outline, use in zip(pixels, usable.tolist(), strict=True)
    ]


def _in_double(camera: CameraModel) -> CameraModel:
    return camera._replace(
        intrinsics=camera.intrinsics.detach().cpu().double(),
        distortion=camera.distortion.detach().cpu().double(),
    )


def _rings(
    positions: Tensor, classes: Tensor, calibration: Calibration, *, with_tip: bool
) -> Tensor:
    """``(M, R, 3)`` points around the base, and the top, of each cone in the LiDAR frame [m]."""
    # A cone of unknown class is drawn as a small one.
    size = classes.clamp(max=ConeClass.SMALL_ORANGE) + (classes == ConeClass.BIG_ORANGE)
    radius = torch.tensor(CONE_WIDTHS, dtype=torch.float64)[size][:, None, None] / 2
    height = torch.tensor(CONE_HEIGHTS, dtype=torch.float64)[size][:, None, None]
    angles = torch.arange(RING_POINTS, dtype=torch.float64) * (2 * math.pi / RING_POINTS)
    circle = torch.stack([angles.cos(), angles.sin()], dim=-1)  # (R, 2)
    ground = torch.full((1, RING_POINTS, 1), calibration.ground_z, dtype=torch.float64)
    base = torch.cat(
        [positions[:, None] + radius * circle, ground.expand(len(positions), -1, -1)], dim=-1
    )
    if not with_tip:
        return base
    tip = torch.cat(
        [
            positions[:, None] + TIP_SHARE * radius * circle,
            ground + calibration.up * height.expand(-1, RING_POINTS, -1),
        ],
        dim=-1,
    )
    return torch.cat([base, tip], dim=1)
