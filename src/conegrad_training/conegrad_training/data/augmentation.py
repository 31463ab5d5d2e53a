"""Augmentations of whole samples: image, scan, truth and calibration change together."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.image import RgbImage, TrueBoxes, TrueStanding
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.transforms import mounting_matrix
from conegrad_core.keypoints.cone_model import MIRRORED
from conegrad_core.keypoints.keypoints import TrueKeypoints
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.settings import Config, setting
from conegrad_evaluation.samples.sample import Sample

SECOND_TANGENTIAL = 3  # place of p2, which bends the image sideways, in the distortion
BoxLabel = TrueBoxes | TrueStanding | TrueKeypoints
TANGENTIAL_MODELS = ("plumb_bob", "rational_polynomial")


@dataclass(frozen=True)
class AugmentationConfig(Config):
    """How strongly samples are varied; zeros leave them as they were recorded."""

    mirror: float = setting(0.5, "Share of samples that are mirrored", low=0.0, high=1.0)
    brightness: float = setting(0.2, "Standard deviation of the log brightness", low=0.0, high=2.0)
    contrast: float = setting(0.1, "Standard deviation of the log contrast", low=0.0, high=2.0)
    beam_dropout: float = setting(
        0.02, "Largest share of beams that lose their return", low=0.0, high=0.9
    )
    jitter_rotation: float = setting(
        0.0, "Error of the extrinsics per axis, std [rad]", low=0.0, high=0.2
    )
    jitter_translation: float = setting(
        0.0, "Error of the extrinsics per axis, std [m]", low=0.0, high=0.5
    )


UNCHANGED = AugmentationConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def augmented(sample: Sample, config: AugmentationConfig, rng: np.random.Generator) -> Sample:
    """A varied sample; the given one stays as it is.

    Args:
        sample: the sample.
        config: how strongly it is varied.
        rng: of every draw.
    """
    if rng.random() < config.mirror:
        sample = mirrored(sample)
    gain = math.exp(rng.normal(0.0, 1.0) * config.brightness)
    contrast = math.exp(rng.normal(0.0, 1.0) * config.contrast)
    inputs = {
        port: relit(value, gain, contrast) if _is_image(value) else value
        for port, value in sample.inputs.items()
    }
    sample = sample._replace(inputs=inputs)
    sample = with_dropout(sample, rng.uniform(0.0, 1.0) * config.beam_dropout, rng)
    error = rng.normal(0.0, 1.0, 6)
    return jittered(
        sample, config.jitter_rotation * error[:3], config.jitter_translation * error[3:]
    )


def mirrored(sample: Sample) -> Sample:
    """The world seen in a mirror: left is right, colours stay with their cones.

    A blue cone looks blue in a mirror as well: what swaps are the sides of the track.

    Raises:
        ValueError: for an input or a label of a kind whose mirror image is not known.
    """
    truth, calibration, motion = sample.truth, sample.context.calibration, sample.context.motion
    flip = truth.positions.new_tensor([1.0, -1.0])
    return sample._replace(
        inputs={port: _mirrored_input(port, value) for port, value in sample.inputs.items()},
        context=FrameContext(
            None if calibration is None else _mirrored_calibration(calibration),
            None if motion is None else _mirrored_motion(motion),
        ),
        truth=truth._replace(positions=truth.positions * flip),
        labels=None if sample.labels is None else _mirrored_labels(sample),
    )


def relit(image: RgbImage, gain: float, contrast: float = 1.0) -> RgbImage:
    """Image of another exposure: values scale with ``gain``, and around grey by ``contrast``."""
    if gain == 1.0 and contrast == 1.0:
        return image
    levels = np.arange(256, dtype=np.float64) * gain
    table = (levels - 128.0) * contrast + 128.0
    changed: RgbImage = table.clip(0, 255).round().astype(np.uint8)[image]
    return changed


def with_dropout(sample: Sample, share: float, rng: np.random.Generator) -> Sample:
    """A share of all beams, at random places, loses its return."""
    inputs = dict(sample.inputs)
    for port, value in inputs.items():
        if isinstance(value, Scan):
            lost = torch.from_numpy(rng.random(len(value.ranges)) < share)
            inputs[port] = value._replace(ranges=value.ranges.masked_fill(lost, torch.nan))
    return sample._replace(inputs=inputs)


def jittered(sample: Sample, rotation: np.ndarray, translation: np.ndarray) -> Sample:
    """The fusion gets extrinsics that are slightly wrong, as those of a real car are.

    Args:
        sample: the sample.
        rotation: roll, pitch, yaw of the error in the LiDAR frame [rad].
        translation: of the error [m].
    """
    angles = torch.from_numpy(np.asarray(rotation, dtype=np.float64))
    error = mounting_matrix(torch.from_numpy(np.asarray(translation, np.float64)), *angles)
    if not rotation.any() and not translation.any():
        return sample
    calibration = sample.context.calibration
    if calibration is None:
        return sample
    camera_from_lidar = calibration.camera_from_lidar @ error.to(calibration.camera_from_lidar)
    changed = calibration._replace(camera_from_lidar=camera_from_lidar)
    return sample._replace(context=sample.context._replace(calibration=changed))


def _is_image(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 3


def _mirrored_input(port: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Scan):
        return _mirrored_scan(value)
    if _is_image(value):
        return np.ascontiguousarray(value[:, ::-1])
    raise ValueError(
        f"the input {port} is a {type(value).__name__}, which cannot be mirrored: expected an "
        "image or a scan, or the augmentation mirror = 0"
    )


def _mirrored_scan(scan: Scan) -> Scan:
    motions = scan.motions
    mirror = scan.ranges.new_tensor([1.0, -1.0, -1.0])
    return scan._replace(
        ranges=scan.ranges.flip(0),
        angles=-scan.angles.flip(0),
        times=None if scan.times is None else scan.times.flip(0),
        motions=None if motions is None else motions.flip(0) * mirror,
        profile=None if scan.profile is None else scan.profile.flip(1),
    )


def _mirrored_calibration(calibration: Calibration) -> Calibration:
    """Mirrors the optical frame along x and the LiDAR frame along y."""
    transform = calibration.camera_from_lidar
    right, left = _signs(transform, 0), _signs(transform, 1)
    return calibration._replace(
        camera=_mirrored_camera(calibration.camera),
        camera_from_lidar=right @ transform @ left,
    )


def _mirrored_camera(camera: CameraModel) -> CameraModel:
    intrinsics = camera.intrinsics.clone()
    # Pixel coordinates are edges: the image spans 0 to width.
    intrinsics[0, 2] = camera.width - intrinsics[0, 2]
    intrinsics[0, 1] = -intrinsics[0, 1]
    distortion = camera.distortion.clone()
    if camera.distortion_model in TANGENTIAL_MODELS:
        distortion[SECOND_TANGENTIAL] = -distortion[SECOND_TANGENTIAL]
    return camera._replace(intrinsics=intrinsics, distortion=distortion)


def _mirrored_motion(motion: Tensor) -> Tensor:
    if motion.shape == (3,):
        return motion * motion.new_tensor([1.0, -1.0, -1.0])
    left = _signs(motion, 1)
    return left @ motion @ left


def _mirrored_labels(sample: Sample) -> dict[str, Any]:
    """Labels of an image and of a scan; samples have one of each at most."""
    found: dict[str, Any] = {}
    for kind, label in (sample.labels or {}).items():
        if isinstance(label, BoxLabel):
            found[kind] = _mirrored_boxes(label, _image_width(sample))
        elif isinstance(label, Tensor) and label.dim() == 1:
            found[kind] = label.flip(0)
        else:
            raise ValueError(
                f"the label {kind} is a {type(label).__name__}, which cannot be mirrored: expected "
                "boxes or a value per beam, or the augmentation mirror = 0"
            )
    return found


def _image_width(sample: Sample) -> int:
    """Width of the image of a sample, also of one that was lost [px].

    Raises:
        ValueError: if nothing tells it.
    """
    widths = [value.shape[1] for value in sample.inputs.values() if _is_image(value)]
    if widths:
        return int(widths[0])
    if sample.context.calibration is None:
        raise ValueError(
            f"{sample.key} has labels of an image, but neither an image nor a calibration, "
            "expected one of them to mirror the labels, or the augmentation mirror = 0"
        )
    return sample.context.calibration.camera.width


def _mirrored_boxes(label: BoxLabel, width: int) -> BoxLabel:
    """Labels of cones by their boxes, in an image of a width [px]."""
    left, top, right, bottom = label.boxes_xyxy.unbind(-1)
    boxes = torch.stack([width - right, top, width - left, bottom], dim=-1)
    if not isinstance(label, TrueKeypoints):
        return label._replace(boxes_xyxy=boxes)
    u, v = label.positions[:, list(MIRRORED)].unbind(-1)
    positions, visible = torch.stack([width - u, v], dim=-1), label.visible[:, list(MIRRORED)]
    return label._replace(boxes_xyxy=boxes, positions=positions, visible=visible)


def _signs(like: Tensor, axis: int) -> Tensor:
    signs = like.new_ones(4)
    signs[axis] = -1.0
    return signs.diag()
