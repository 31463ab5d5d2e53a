"""Pictures of the frame that each attack did most to: before, after, and what was changed."""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.cones import Cones, TrueCones
from conegrad_core.drawing import (
    draw_cones_on_image,
    draw_detections,
    draw_truth_on_image,
)
from conegrad_core.geometry.calibration import moved_calibration
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_evaluation.attack_report.attack_run import AttackExample, AttackRun
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.report.figure_style import data_uri, png_bytes, report_style
from conegrad_evaluation.report.pictures import birds_eye_picture
from conegrad_evaluation.samples.sample import Sample

WIDTH = 960  # [px] of a picture of the camera
TEXTURE = 192  # [px] of a printed picture
QUALITY = 80  # of the JPEG
AMPLIFIED = 16.0  # times, so that a change of a few levels is seen
NO_CONE_LOGIT = -20.0  # of beams that are drawn without their logit
CHANGED_LOGIT = 20.0  # of beams that were changed: they are drawn as cones are
SMALLEST_MOVE = 1e-3  # [m]


class ThreatPictures(NamedTuple):
    """What one threat did.

    Attributes:
        threat: as text.
        title: of the frame.
        pictures: data URIs by their caption.
    """

    threat: str
    title: str
    pictures: Mapping[str, str]


def draw_threats(run: AttackRun) -> list[ThreatPictures]:
    """The pictures of every threat, in their order."""
    found = []
    for threat in run.threats:
        name = str(threat)
        example = run.examples.get(name)
        if example is None:
            continue
        pictures = _of_image(example)
        for (of_threat, bag), texture in run.textures.items():
            if of_threat == name and bag == example.sample.key.bag:
                pictures["the printed picture"] = _jpeg(_enlarged(texture, TEXTURE))
        pictures |= _of_scan(example, run.config)
        title = f"{example.sample.key}: end loss raised by {example.gain:.2f}"
        found.append(ThreatPictures(name, title, pictures))
    return found


def _of_image(example: AttackExample) -> dict[str, str]:
    """Camera pictures before and after, and the change; nothing without a camera."""
    before, after = (_image(sample) for sample in (example.sample, example.changed))
    if before is None or after is None:
        return {}
    pictures = {
        "intact": _jpeg(_drawn(before, example.sample, example.cones, example.detections[0])),
        "attacked": _jpeg(
            _drawn(after, example.changed, example.cones_changed, example.detections[1])
        ),
    }
    if not np.array_equal(before, after):
        change = after.astype(np.float32) - before.astype(np.float32)
        shown = (128.0 + AMPLIFIED * change).clip(0, 255).astype(np.uint8)
        pictures[f"change of the image, {AMPLIFIED:.0f} times"] = _jpeg(_enlarged(shown, WIDTH))
    return pictures


def _of_scan(example: AttackExample, config: EvaluationConfig) -> dict[str, str]:
    """The attacked frame from above, with the beams that were changed; nothing without a scan."""
    before, after = (_scan(sample) for sample in (example.sample, example.changed))
    if before is None or after is None:
        return {}
    moved = ~torch.isclose(before.ranges, after.ranges, atol=SMALLEST_MOVE, equal_nan=True)
    logits = torch.where(moved, CHANGED_LOGIT, NO_CONE_LOGIT)
    scan = SegmentedScan(after.ranges, after.angles, logits)
    with report_style():
        figure: Figure = birds_eye_picture(
            example.cones_changed,
            _float(example.sample.truth),
            scan,
            example.result,
            config,
            title="attacked, from above: changed returns are drawn as 1, others as 0",
        )
        return {"from above": data_uri(png_bytes(figure, 80), "image/png")}


def _drawn(
    image: RgbImage, sample: Sample, cones: Cones, detections: Detections | None
) -> RgbImage:
    """The image with boxes, cones and truth."""
    drawn: RgbImage = image.copy()
    calibration = sample.context.calibration
    if calibration is not None:
        if sample.context.motion is not None:
            calibration = moved_calibration(calibration, sample.context.motion)
        drawn = draw_cones_on_image(drawn, cones, calibration)
        drawn = draw_truth_on_image(drawn, _float(sample.truth), calibration)
    if detections is not None:
        drawn = draw_detections(drawn, detections)
    return _enlarged(drawn, WIDTH)


def _image(sample: Sample) -> RgbImage | None:
    return next((v for v in sample.inputs.values() if isinstance(v, np.ndarray)), None)


def _scan(sample: Sample) -> Scan | None:
    return next((v for v in sample.inputs.values() if isinstance(v, Scan)), None)


def _enlarged(image: RgbImage, width: int) -> RgbImage:
    height = round(width * image.shape[0] / image.shape[1])
    how = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_NEAREST
    scaled: RgbImage = cv2.resize(image, (width, height), interpolation=how)
    return scaled


def _jpeg(image: RgbImage) -> str:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return data_uri(data.tobytes(), "image/jpeg")


def _float(truth: TrueCones) -> TrueCones:
    return truth._replace(positions=truth.positions.float())
