"""Measures the pose of the camera and the delay of its stamps by the true cones of a drive."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.fusion.extrinsic_correction import MAX_SHIFT, MAX_TURN
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import mounting_matrix, pose_matrix, rigid_inverse
from conegrad_evaluation.attribution.robust_fit import Fit, gauss_newton, mutual_pairs
from conegrad_evaluation.port_truths.scene import TrueScene, cone_outlines

MIN_SCORE = 0.25  # of a box that is compared
MAX_RANGE = 15.0  # [m], boxes of cones beyond say little
BORDER = 3.0  # [px] from the border of the image: a box there may be cut
PIXEL_NOISE, SIZE_NOISE = 1.5, 0.06  # [px] of an edge of a box, and as a share of its height
STARTS_TURN = (-0.035, 0.0, 0.035)  # [rad] of pitch and yaw
STARTS_TIME = (-0.12, -0.06, 0.0, 0.06, 0.12)  # [s]
CLOSE = 0.05  # starts whose scores are this near to the best one are fitted, too
MAX_STARTS = 2
PRIOR = (0.1, 0.1, 0.1, 0.06, 0.06, 0.06, 0.15)  # [m], [rad], [s]: how wrong they may be at all
LIMITS = (MAX_SHIFT,) * 3 + (MAX_TURN,) * 3 + (0.3,)
GATES = (6.0, 3.5, 2.5)  # widest misfit of a pair, in deviations, round by round


class Sight(NamedTuple):
    """What one frame says about the camera.

    Attributes:
        scene: by the given calibration and motion.
        detections: of its image.
        twist: ``(3,)`` velocity of the LiDAR; None: not known.
    """

    scene: TrueScene
    detections: Detections
    twist: Tensor | None


class CameraData(NamedTuple):
    """All frames as flat tensors (T true cones, B boxes, F frames), float64."""

    calibration: Calibration
    positions: Tensor  # (T, 2) in the LiDAR frame at the scan
    classes: Tensor  # (T,)
    cone_frames: Tensor  # (T,)
    edges: Tensor  # (B, 3) middle, top, bottom [px]
    heights: Tensor  # (B,) [px]
    box_frames: Tensor  # (B,)
    motions: Tensor  # (F, 4, 4) lidar_at_scan_from_lidar_at_image
    twists: Tensor  # (F, 3)
    knows_twist: bool


def camera_data(sights: Sequence[Sight]) -> CameraData | None:
    """Cones and boxes of all frames; None without any."""
    calibrations = [s.scene.calibration for s in sights if s.scene.calibration is not None]
    if not calibrations:
        return None
    parts: dict[str, list[Tensor]] = {name: [] for name in CameraData._fields[1:9]}
    for frame, (scene, detections, twist) in enumerate(sights):
        truth = scene.truth
        near = truth.visible_camera & (truth.positions.norm(dim=-1) <= MAX_RANGE)
        boxes = detections.boxes_xyxy.detach().double()
        camera = calibrations[0].camera
        inside = (boxes[:, :2] > BORDER).all(-1) & (boxes[:, 2] < camera.width - BORDER)
        inside &= boxes[:, 3] < camera.height - BORDER
        kept = boxes[inside & (detections.logits.detach().sigmoid().amax(-1) >= MIN_SCORE)]
        parts["positions"].append(truth.positions[near].double())
        parts["classes"].append(truth.classes[near])
        parts["cone_frames"].append(torch.full((int(near.sum()),), frame))
        middle = 0.5 * (kept[:, 0] + kept[:, 2])
        parts["edges"].append(torch.stack([middle, kept[:, 1], kept[:, 3]], dim=-1))
        parts["heights"].append(kept[:, 3] - kept[:, 1])
        parts["box_frames"].append(torch.full((len(kept),), frame))
        motion = torch.eye(4) if scene.motion is None else scene.motion
        if motion.shape == (3,):
            motion = pose_matrix(*motion.unbind())
        parts["motions"].append(motion.double()[None])
        parts["twists"].append((torch.zeros(3) if twist is None else twist).double()[None])
    joined = {name: torch.cat(tensors) for name, tensors in parts.items()}
    knows = any(sight.twist is not None for sight in sights)
    return CameraData(_in_double(calibrations[0]), **joined, knows_twist=knows)


def fit_camera(data: CameraData, free: Sequence[bool]) -> Fit:
    """Pose of the camera and delay of its stamps, with covariance.

    Args:
        data: of :func:`camera_data`.
        free: for each of shift (3), turn (3) and time (1), whether it is fitted.

    Returns:
        The best fit of several starts; its values are 0 where nothing is free.
    """
    starts, few = _starts(free), _thinned(data)
    scores = [(_score(few, start), place) for place, start in enumerate(starts)]
    best = sorted(scores)[:MAX_STARTS]
    chosen = [starts[place] for score, place in best if score <= best[0][0] + CLOSE]
    fits = [_fitted(data, start, free) for start in chosen]
    return min(fits, key=lambda fit: fit.cost)


def predicted_edges(data: CameraData, values: Tensor) -> Tensor:
    """``(T, 3)`` middle, top and bottom of each true cone in the picture [px]."""
    delay = values[6] * data.twists
    poses = data.motions @ _planar(delay)
    image_from_scan = rigid_inverse(poses)[data.cone_frames]
    turned = torch.einsum("tij,tj->ti", image_from_scan[:, :2, :2], data.positions)
    positions = turned + image_from_scan[:, :2, 3]
    there = mounting_matrix(values[:3], *values[3:6].unbind())
    camera_from_lidar = rigid_inverse(there) @ data.calibration.camera_from_lidar
    calibration = data.calibration
    boxes, in_front = cone_outlines(
        positions,
        data.classes,
        camera_from_lidar,
        calibration.camera,
        float(calibration.ground_z),
        calibration.up,
    )
    edges = torch.stack([0.5 * (boxes[:, 0] + boxes[:, 2]), boxes[:, 1], boxes[:, 3]], dim=-1)
    return torch.where(in_front[:, None], edges, torch.full_like(edges, -1e4))


def _planar(poses: Tensor) -> Tensor:
    """``(F, 4, 4)`` of ``(F, 3)`` arcs: way ahead, aside [m] and turn [rad] at even speed."""
    x, y, turn = poses.unbind(-1)
    half = 0.5 * turn
    chord = torch.sinc(half / math.pi)
    cos, sin = half.cos(), half.sin()
    return pose_matrix(chord * (cos * x - sin * y), chord * (sin * x + cos * y), turn)


def _misfits(data: CameraData, values: Tensor) -> Tensor:
    """``(T, B)`` misfit of cones and boxes in deviations; infinite between frames."""
    edges = predicted_edges(data, values)
    noise = (PIXEL_NOISE**2 + (SIZE_NOISE * data.heights) ** 2).sqrt()
    off = (edges[:, None] - data.edges).square().sum(-1).sqrt() / noise / math.sqrt(3.0)
    return torch.where(data.cone_frames[:, None] == data.box_frames, off, torch.inf)


def _score(data: CameraData, values: Tensor) -> float:
    """Mean robust misfit of the cones with their nearest boxes."""
    if not len(data.heights) or not len(data.positions):
        return 0.0
    nearest = _misfits(data, values).amin(1).clamp(max=8.0)
    return float((1 - (-0.125 * nearest.square()).exp()).mean()) + float(
        1e-3 * (values / values.new_tensor(PRIOR)).square().sum()
    )


def _thinned(data: CameraData) -> CameraData:
    """Every third frame, at least ten of them: enough to choose a start."""
    step = max(1, min(3, len(data.motions) // 10))
    cones, boxes = data.cone_frames % step == 0, data.box_frames % step == 0
    return data._replace(
        positions=data.positions[cones],
        classes=data.classes[cones],
        cone_frames=data.cone_frames[cones],
        edges=data.edges[boxes],
        heights=data.heights[boxes],
        box_frames=data.box_frames[boxes],
    )


def _starts(free: Sequence[bool]) -> list[Tensor]:
    """Values from which fits begin."""
    pitches = STARTS_TURN if free[3] else (0.0,)
    yaws = STARTS_TURN if free[4] else (0.0,)
    times = STARTS_TIME if free[6] else (0.0,)
    return [
        torch.tensor([0.0, 0.0, 0.0, pitch, yaw, 0.0, time], dtype=torch.float64)
        for pitch in pitches
        for yaw in yaws
        for time in times
    ]


def _fitted(data: CameraData, values: Tensor, free: Sequence[bool]) -> Fit:
    fit = Fit.nothing(values)
    for gate in GATES:
        cones, boxes = mutual_pairs(_misfits(data, fit.values), gate)
        noise = (PIXEL_NOISE**2 + (SIZE_NOISE * data.heights[boxes]) ** 2).sqrt()[:, None]
        part = data._replace(
            positions=data.positions[cones],
            classes=data.classes[cones],
            cone_frames=data.cone_frames[cones],
        )
        target = data.edges[boxes]

        def residuals(
            at: Tensor, part: CameraData = part, target: Tensor = target, noise: Tensor = noise
        ) -> Tensor:
            return (predicted_edges(part, at) - target) / noise

        fit = gauss_newton(
            residuals, fit.values, free, PRIOR, LIMITS, groups=data.cone_frames[cones]
        )
    missing = len(data.positions) - fit.rows
    return fit._replace(cost=fit.cost + missing * float(GATES[-1]))


def _in_double(calibration: Calibration) -> Calibration:
    camera = calibration.camera._replace(
        intrinsics=calibration.camera.intrinsics.detach().double(),
        distortion=calibration.camera.distortion.detach().double(),
    )
    transform = calibration.camera_from_lidar.detach().double()
    return calibration._replace(camera=camera, camera_from_lidar=transform)
