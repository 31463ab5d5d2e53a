"""Positions of cones on the ground from their keypoints; differentiable.

Per cone five unknowns: bearing, logarithm of the range, and as nuisances the logarithms of its
height and of its width against those of its class, and a vertical shift of all its keypoints
(uneven ground, errors that keypoints of a cone share). All cones of an image share two more: pitch
and roll of the car. A few steps of Gauss-Newton; the shared tilt is eliminated by its Schur
complement, and its uncertainty is part of every covariance.

Measurements are the two angles of the ray through each keypoint, lens and mounting taken out:
bearing about the vertical, and tangent of the depression. In these and in the inverse range the
problem is close to linear, so few steps do. Every step is part of the graph: the gradient is that
of what is computed, whether the steps converged or not.

Source:
    Triggs et al., Bundle Adjustment, 2000 (Schur complement, robust weights, nuisance parameters);
    Civera et al., Inverse Depth Parametrization, 2008.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CONE_HEIGHTS, ConePositions
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, undistort_pixels
from conegrad_core.geometry.ground import camera_rays
from conegrad_core.geometry.transforms import turned
from conegrad_core.keypoints.cone_model import BOTTOM_RADII, TOP_RADII, keypoint_places
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver_scalars import SolverValues
from conegrad_core.shapes import check_shape

STEPS = 4  # of Gauss-Newton
MIN_RANGE, MAX_RANGE = 0.3, 80.0  # [m]
MAX_STEP = 0.7  # of the logarithms in one step
MAX_SIZE = 1.0  # of the logarithms of height and width
MIN_DEVIATION = 0.05  # [px], no keypoint is known better
MAX_LOG_DEVIATION = 7.0  # logarithm of [px]
MIN_REACH = 1e-3  # horizontal length of a ray along which a camera can see a cone
MIN_SPREAD = 1e-4  # of the logarithm of a size, for its gradient
MAX_TILT = 0.1  # [rad]
EDGES = 6  # keypoints beside the axis
UNKNOWNS = 5  # of a cone
PRIOR = (4.0, 1.0, 1.0, 1.0, 1.0)  # information about the unknowns; little of bearing and range
FREEDOM = 10 / 14  # residuals of a cone beyond its unknowns, as a share of all


class _Sights(NamedTuple):
    """What an image says, as angles (K cones, 7 keypoints each) of a level camera.

    Attributes:
        eye: ``(2,)`` position of the camera [m].
        camera_height: ``()`` above the ground [m].
        forward: ``(K, 2)`` unit vectors to the middle of the keypoints: bearing 0 of each cone.
        bearings: ``(K, 7)`` counter-clockwise from there [rad].
        tangents: ``(K, 7)`` of the depression.
        bearing_noise, tangent_noise: ``(K, 7)`` standard deviations.
        leans: ``(K, 2)`` change of a cone's tangents by pitch and by roll of the car.
    """

    eye: Tensor
    camera_height: Tensor
    forward: Tensor
    bearings: Tensor
    tangents: Tensor
    bearing_noise: Tensor
    tangent_noise: Tensor
    leans: Tensor


class _Models(NamedTuple):
    """What is known of the cones before.

    Attributes:
        sides: ``(K, 7)`` of the keypoints, left of the line of sight [m].
        heights: ``(K, 7)`` above the ground [m].
        height: ``(K,)`` of the cones [m].
        radius: ``(K,)`` of the keypoints beside the axis, their mean [m].
        spread: ``(K,)`` standard deviation of the logarithm of the height by unsure class.
        existence: ``(K,)`` probability that it is a cone.
    """

    sides: Tensor
    heights: Tensor
    height: Tensor
    radius: Tensor
    spread: Tensor
    existence: Tensor


class _State(NamedTuple):
    """Unknowns ``(K,)``: bearing [rad], logs of range, height and width, shift; tilt ``(2,)``."""

    bearing: Tensor
    log_range: Tensor
    log_height: Tensor
    log_width: Tensor
    shift: Tensor
    tilt: Tensor


def solve_positions(
    keypoints: Keypoints, detections: Detections, calibration: Calibration, scalars: SolverValues
) -> ConePositions:
    """Axes of the cones on the ground, in the LiDAR frame, with covariances.

    Gradients flow to keypoints, deviations, class logits, calibration and scalars.

    Args:
        keypoints: of K cones.
        detections: of the same cones: their classes tell the size, their existence how much each
            of them says about the tilt of the car.
        calibration: of the vehicle.
        scalars: learned.

    Raises:
        ValueError: if a shape is wrong, or the camera not above the ground.
    """
    check_rows(keypoints, detections)
    rays = undistort_pixels(keypoints.positions, calibration.camera)
    return solve_rays(keypoints, rays, detections, calibration, scalars)


def solve_rays(
    keypoints: Keypoints,
    rays: Tensor,
    detections: Detections,
    calibration: Calibration,
    scalars: SolverValues,
) -> ConePositions:
    """As :func:`solve_positions`: tensors only, no step depends on their values.

    Args:
        keypoints: of K cones.
        rays: ``(K, 7, 2)`` ideal coordinates (x/z, y/z) of the keypoints.
        detections: of the same cones.
        calibration: of the vehicle.
        scalars: learned.
    """
    sights = _sights(keypoints, rays, calibration, scalars)
    models = _models(detections, calibration.up, scalars)
    state = _start(sights, models)
    for step in range(STEPS):
        state = _improved(state, _linearised(state, sights, models, scalars, robust=step > 0))
    return _positions(state, sights, _linearised(state, sights, models, scalars), scalars)


def check_rows(keypoints: Keypoints, detections: Detections) -> None:
    """Refuse keypoints that are not those of the detections.

    Raises:
        ValueError: naming the shape and that expected.
    """
    check_shape(detections.boxes_xyxy, None, 4, name="boxes_xyxy")
    count = len(detections.boxes_xyxy)
    check_shape(detections.logits, count, 4, name="logits")
    check_shape(keypoints.positions, count, 7, 2, name="keypoints of the detections")
    check_shape(keypoints.log_deviations, count, 7, name="log_deviations of the detections")


def _sights(
    keypoints: Keypoints, ends: Tensor, calibration: Calibration, scalars: SolverValues
) -> _Sights:
    camera = calibration.camera
    origin, rays = camera_rays(ends, calibration.camera_from_lidar)
    camera_height = calibration.up * origin[2] + calibration.lidar_height
    if not float(camera_height.detach()) > 0:
        raise ValueError(
            f"camera is {float(camera_height.detach()):.3f} m above the ground, expected a height "
            "above 0: check camera_from_lidar and lidar_height"
        )
    rotation = calibration.camera_from_lidar[:3, :3]
    flat, depression = rays[..., :2], -calibration.up * rays[..., 2]
    reach = flat.square().sum(-1).clamp(min=MIN_REACH**2).sqrt()
    ways = flat / reach[..., None]
    middle = ways.sum(1)
    forward = middle / middle.norm(dim=-1, keepdim=True).clamp(min=MIN_REACH)
    ahead = (flat * forward[:, None]).sum(-1)
    left = forward[:, None, 0] * flat[..., 1] - forward[:, None, 1] * flat[..., 0]
    # Change of both angles by a step of one along the columns and the rows of the image.
    beside = torch.stack([-ways[..., 1], ways[..., 0]], dim=-1)
    bearing_slopes = beside @ rotation[:2, :2].mT / reach[..., None]
    tangents = depression / reach
    tangent_slopes = -calibration.up * rotation[:2, 2] - tangents[..., None] * (
        ways @ rotation[:2, :2].mT
    )
    pixel = 2 / camera.intrinsics.diagonal()[:2].sum()
    noise = scalars.deviation_scale * pixel * _deviations(keypoints, camera)
    nose = rotation[2, :2] / rotation[2, :2].norm().clamp(min=MIN_REACH)
    side = torch.stack([-nose[1], nose[0]])
    return _Sights(
        origin[:2],
        camera_height,
        forward,
        torch.atan2(left, ahead),
        tangents,
        noise * bearing_slopes.norm(dim=-1),
        noise * tangent_slopes.norm(dim=-1) / reach,
        torch.stack([forward @ nose, forward @ side], dim=-1),
    )


def _deviations(keypoints: Keypoints, camera: CameraModel) -> Tensor:
    """Stated deviations ``(K, 7)`` [px]; outside the image, those of a guess."""
    limit = keypoints.positions.new_tensor([camera.width, camera.height])
    outside = (-keypoints.positions).clamp(min=0) + (keypoints.positions - limit).clamp(min=0)
    stated = keypoints.log_deviations.clamp(max=MAX_LOG_DEVIATION).exp()
    return (stated.square() + outside.square().sum(-1) + MIN_DEVIATION**2).sqrt()


def _models(detections: Detections, up: float, scalars: SolverValues) -> _Models:
    logits = detections.logits
    classes = (logits / scalars.class_temperature).softmax(-1)
    heights, bottoms, tops = map(classes.new_tensor, (CONE_HEIGHTS, BOTTOM_RADII, TOP_RADII))
    height = classes @ heights
    variance = (classes @ heights.square() - height.square()).clamp(min=0)
    ahead = torch.stack([torch.ones_like(height), torch.zeros_like(height)], dim=-1)
    places = keypoint_places(
        ahead,
        height * scalars.seen_height,
        classes @ bottoms * scalars.seen_width,
        classes @ tops * scalars.seen_width,
        heights.new_zeros(2),
    )
    sides = up * places[..., 1]
    spread = (variance / height.square() + MIN_SPREAD**2).sqrt()
    existence = logits.logsumexp(-1).sigmoid()
    radius = sides.abs().sum(-1) / EDGES
    return _Models(sides, places[..., 2], height, radius, spread, existence)


def _start(sights: _Sights, models: _Models) -> _State:
    """Flat ground, level car, size of the class: linear in bearing and inverse range."""
    weights = sights.tangent_noise.square().reciprocal()
    lever = sights.camera_height - models.heights
    inverse = (weights * lever * sights.tangents).sum(-1) / (weights * lever.square()).sum(-1)
    zeros = torch.zeros_like(inverse)
    weights = sights.bearing_noise.square().reciprocal()
    bearing = (weights * sights.bearings).sum(-1) / weights.sum(-1)
    log_range = -inverse.clamp(1 / MAX_RANGE, 1 / MIN_RANGE).log()
    return _State(bearing, log_range, zeros, zeros, zeros, zeros.new_zeros(2))


class _Linear(NamedTuple):
    """The problem about a state, whitened; unknowns of a cone in the order of _State.

    Attributes:
        solved: ``(K, 5, 5)`` by the inverse information of each cone: its coupling to the tilt (2
            columns), its gradient (1), and the unit vectors of bearing and log range (2).
        scales: ``(K, 5)`` physical value of a unit of each unknown.
        tilt_covariance: ``(2, 2)`` of the whitened tilt.
        tilt_step: ``(2,)`` whitened.
        tilt_scale: ``()`` [rad].
        inflation: ``(K,)`` factor of the covariance where model and keypoints disagree.
        shared: ``(K,)`` variance of the bearing that all keypoints of a cone share.
    """

    solved: Tensor
    scales: Tensor
    tilt_covariance: Tensor
    tilt_step: Tensor
    tilt_scale: Tensor
    inflation: Tensor
    shared: Tensor


def _linearised(
    state: _State, sights: _Sights, models: _Models, scalars: SolverValues, *, robust: bool = True
) -> _Linear:
    inverse = (-state.log_range).exp()
    shared_bearing = _shared_noise(sights.bearing_noise, scalars)
    shared_tangent = _shared_noise(sights.tangent_noise, scalars)
    shift_variance = (scalars.ground_noise * inverse).square() + shared_tangent
    spread = models.spread.square()
    height_variance = scalars.height_error.square() + spread
    height_variance = height_variance + shared_tangent / (models.height * inverse).square()
    width_variance = scalars.width_error.square() + spread
    width_variance = width_variance + shared_bearing / (models.radius * inverse).square()
    ones = torch.ones_like(inverse)
    variances = [ones, ones, height_variance, width_variance, shift_variance]
    scales = torch.stack(variances, dim=-1).sqrt()
    prior = torch.stack([state.log_height, state.log_width, state.shift], dim=-1) / scales[:, 2:]
    rows = _rows(state, sights, models, inverse, scales, scalars)
    square = rows[..., -1].square().unflatten(-1, (2, 7)).sum(1)  # (K, 7)
    weights, disagreement = torch.ones_like(square), prior.square().sum(-1)
    existence = models.existence
    if robust:
        limit = 2 * scalars.outlier_limit.square()
        weights = 1 / (1 + (square / limit).square())
        existence = existence / (1 + (disagreement / limit).square())
    moments = rows.mT @ (rows * torch.cat([weights, weights], dim=-1)[..., None])  # (K, 8, 8)
    information = moments[:, :UNKNOWNS, :UNKNOWNS] + torch.diag(moments.new_tensor(PRIOR))
    gradient = moments[:, :UNKNOWNS, -1] - torch.nn.functional.pad(prior, (2, 0))
    coupling = moments[:, :UNKNOWNS, UNKNOWNS:-1]
    units = torch.zeros_like(coupling) + torch.eye(UNKNOWNS, 2).to(coupling)
    right = torch.cat([coupling, gradient[..., None], units], dim=-1)
    solved = torch.cholesky_solve(right, torch.linalg.cholesky_ex(information).L)
    of_tilt = moments[:, UNKNOWNS:-1, UNKNOWNS:] - coupling.mT @ solved[..., :3]  # (K, 2, 3)
    total = (existence[:, None, None] * of_tilt).sum(0)
    tilt_covariance = torch.linalg.inv(total[:, :2] + torch.eye(2).to(total))
    tilt_step = tilt_covariance @ (total[:, 2] - state.tilt / scalars.tilt_noise)
    misfit = (weights * square).sum(-1) / weights.sum(-1) / (2 * FREEDOM)
    inflation = misfit.clamp(min=1.0) * disagreement.clamp(min=1.0)
    return _Linear(
        solved, scales, tilt_covariance, tilt_step, scalars.tilt_noise, inflation, shared_bearing
    )


def _shared_noise(noise: Tensor, scalars: SolverValues) -> Tensor:
    """Variance ``(K,)`` that all keypoints of a cone share, by that of a good one of them."""
    return scalars.common_share.square() / noise.square().reciprocal().mean(-1)


def _rows(
    state: _State,
    sights: _Sights,
    models: _Models,
    inverse: Tensor,
    scales: Tensor,
    scalars: SolverValues,
) -> Tensor:
    """Whitened Jacobian and residuals ``(K, 14, 8)``: bearings, then tangents.

    Columns: five unknowns of the cone, two of the tilt, the residual.
    """
    beside = models.sides * (state.log_width.exp() * inverse)[:, None]
    height = models.heights * (state.log_height.exp() * inverse)[:, None]
    near = 1 / (1 + beside.square())
    slant = near.sqrt()
    drop = sights.camera_height * inverse[:, None] - height
    bearings = state.bearing[:, None] + beside.atan()
    tangents = drop * slant + (state.shift + sights.leans @ state.tilt)[:, None]
    turn = beside * near
    sink = drop * slant * near
    ones, zeros = torch.ones_like(beside), torch.zeros_like(beside)
    height_scale, width_scale, shift_scale = scales[:, 2:, None].unbind(1)
    leans = (scalars.tilt_noise * sights.leans)[:, None].expand(-1, 7, 2)
    residuals = sights.bearings - bearings, sights.tangents - tangents
    of_bearings = (ones, -turn, zeros, turn * width_scale, zeros, zeros, zeros, residuals[0])
    of_tangents = (
        zeros,
        -sink,
        -height * slant * height_scale,
        -sink * beside.square() * width_scale,
        shift_scale.expand(-1, 7),
        *leans.unbind(-1),
        residuals[1],
    )
    rows = torch.cat([torch.stack(of_bearings, dim=-1), torch.stack(of_tangents, dim=-1)], dim=1)
    noise = torch.cat([sights.bearing_noise, sights.tangent_noise], dim=-1)
    return rows / noise[..., None]


def _improved(state: _State, linear: _Linear) -> _State:
    """The state after one step, which is limited."""
    change = (linear.solved[..., 2] - linear.solved[..., :2] @ linear.tilt_step) * linear.scales
    bearing, log_range, height, width, shift = change.clamp(-MAX_STEP, MAX_STEP).unbind(-1)
    return _State(
        state.bearing + bearing,
        (state.log_range + log_range).clamp(math.log(MIN_RANGE), math.log(MAX_RANGE)),
        (state.log_height + height).clamp(-MAX_SIZE, MAX_SIZE),
        (state.log_width + width).clamp(-MAX_SIZE, MAX_SIZE),
        state.shift + shift,
        (state.tilt + linear.tilt_scale * linear.tilt_step).clamp(-MAX_TILT, MAX_TILT),
    )


def _positions(
    state: _State, sights: _Sights, linear: _Linear, scalars: SolverValues
) -> ConePositions:
    """Positions and covariances of the final state."""
    lever = linear.solved[:, :2, :2]
    marginal = linear.solved[:, :2, 3:] + lever @ linear.tilt_covariance @ lever.mT
    marginal = 0.5 * (marginal + marginal.mT) * linear.inflation[:, None, None]
    extra = torch.stack([linear.shared, scalars.range_error.square().expand_as(linear.shared)], -1)
    distance = state.log_range.exp()
    along = turned(sights.forward, state.bearing)
    across = torch.stack([-along[:, 1], along[:, 0]], dim=-1)
    basis = distance[:, None, None] * torch.stack([across, along], dim=-1)
    floor = scalars.position_floor.square() * torch.eye(2).to(distance)
    return ConePositions(
        sights.eye + distance[:, None] * along,
        basis @ (marginal + torch.diag_embed(extra)) @ basis.mT + floor,
    )
