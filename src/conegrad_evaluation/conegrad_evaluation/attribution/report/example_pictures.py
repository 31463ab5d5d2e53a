"""Pictures of the frames with the most faulty cones, each cone marked with its cause."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.cones import TrueCones
from conegrad_core.drawing import draw_detections, draw_truth_on_image
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import project
from conegrad_evaluation.attribution.attribution import Attribution
from conegrad_evaluation.attribution.trace import TracedCone
from conegrad_evaluation.port_truths.scene import moved_camera
from conegrad_evaluation.report.figure_style import data_uri
from conegrad_evaluation.samples.sample import Sample

EXAMPLES = 4  # frames that are drawn
WIDTH = 960  # [px] of a picture
QUALITY = 80  # of the JPEG
Rgb = tuple[int, int, int]
MARKS: tuple[Rgb, ...] = (
    (214, 69, 93),
    (31, 100, 222),
    (47, 158, 110),
    (232, 163, 61),
    (142, 68, 173),
)
NO_COMPONENT: Rgb = (90, 90, 90)


class ExamplePicture(NamedTuple):
    """A frame with its faulty cones.

    Attributes:
        title: of the frame.
        lines: one per faulty cone: what happened, and which component caused it.
        picture: data URI.
    """

    title: str
    lines: Sequence[str]
    picture: str


def draw_examples(
    found: Attribution,
    samples: Sequence[Sample],
    detections: Sequence[Detections | None],
    folder: Path,
) -> list[ExamplePicture]:
    """Draw the frames with the most faulty cones in the picture.

    Args:
        found: the attribution.
        samples: of its frames.
        detections: of its frames; None without an image.
        folder: for the pictures as files.
    """
    by_frame: dict[int, list[TracedCone]] = {}
    for traced in found.traces:
        by_frame.setdefault(traced.fault.frame, []).append(traced)
    colours = {name: MARKS[i % len(MARKS)] for i, name in enumerate(found.shares)}
    drawn: list[ExamplePicture] = []
    for frame in sorted(by_frame, key=lambda row: -len(by_frame[row])):
        values, calibration = samples[frame].inputs.values(), samples[frame].context.calibration
        image = next((value for value in values if isinstance(value, np.ndarray)), None)
        if image is None or calibration is None or len(drawn) == EXAMPLES:
            continue
        picture = _picture(samples[frame], image, detections[frame], by_frame[frame], colours)
        path = folder / f"frame{samples[frame].key.frame:05d}.jpg"
        encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        path.write_bytes(encoded.tobytes())
        lines = [_line(traced) for traced in by_frame[frame]]
        title = f"frame {samples[frame].key.frame}: {_summary(by_frame[frame])}"
        drawn.append(ExamplePicture(title, lines, data_uri(encoded.tobytes(), "image/jpeg")))
    return drawn


def _line(traced: TracedCone) -> str:
    fault = traced.fault
    x, y = fault.position
    what = "lost or wrong" if fault.is_lost else "false"
    return (
        f"{what} cone at {x:.1f}, {y:.1f} m ({fault.mode.replace('_', ' ')}): "
        f"{traced.component or 'no component alone'}"
    )


def _summary(traces: Sequence[TracedCone]) -> str:
    counts = Counter(traced.component or "no component" for traced in traces)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _picture(
    sample: Sample,
    image: RgbImage,
    detections: Detections | None,
    traces: Sequence[TracedCone],
    colours: Mapping[str, Rgb],
) -> RgbImage:
    """The image with boxes, true cones where the given calibration puts them, and marks."""
    calibration = sample.context.calibration
    drawn: RgbImage = image.copy()
    if calibration is not None:
        given = calibration._replace(
            camera_from_lidar=moved_camera(calibration.camera_from_lidar, sample.context.motion)
        )
        drawn = draw_truth_on_image(drawn, _float(sample.truth), given)
        if detections is not None:
            drawn = draw_detections(drawn, detections)
        for number, traced in enumerate(traces, start=1):
            colour = colours.get(traced.component, NO_COMPONENT)
            _mark(drawn, str(number), traced, given, colour)
    height = round(WIDTH * image.shape[0] / image.shape[1])
    smaller: RgbImage = cv2.resize(drawn, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return smaller


def _mark(
    image: RgbImage, text: str, traced: TracedCone, calibration: Calibration, colour: Rgb
) -> None:
    """A ring around a cone with its number beside it, where it is in the image."""
    x, y = (float(value) for value in traced.fault.position)
    middle = calibration.ground_z + calibration.up * 0.16
    point = torch.tensor([[x, y, middle]], dtype=calibration.camera_from_lidar.dtype)
    pixels, in_front = project(point, calibration.camera_from_lidar, calibration.camera)
    if not bool(in_front[0]):
        return
    u, v = (round(float(value)) for value in pixels[0])
    if not (0 <= u < image.shape[1] and 0 <= v < image.shape[0]):
        return
    size = max(1, image.shape[1] // 640)
    cv2.circle(image, (u, v), 14 * size, (255, 255, 255), 3 * size, cv2.LINE_AA)
    cv2.circle(image, (u, v), 14 * size, colour, 2 * size, cv2.LINE_AA)
    for ink, thickness in (((255, 255, 255), 3 * size), (colour, size)):
        place = (u - 4 * size * len(text), v - 18 * size)
        cv2.putText(
            image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * size, ink, thickness, cv2.LINE_AA
        )


def _float(truth: TrueCones) -> TrueCones:
    return truth._replace(positions=truth.positions.float())
