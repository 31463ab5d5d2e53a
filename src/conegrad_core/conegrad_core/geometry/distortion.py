"""Lens distortion: OpenCV's models on normalised image coordinates, forth and back."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.shapes import check_shape

FloatArray: TypeAlias = npt.NDArray[np.float64]
Array = TypeVar("Array", Tensor, FloatArray)
Coefficients: TypeAlias = Tensor | Sequence[Tensor] | Sequence[float]

COEFFICIENTS = {
    "none": (0,),
    "plumb_bob": (4, 5),
    "rational_polynomial": (8,),
    "equidistant": (4,),
}  # by name of sensor_msgs/CameraInfo, the allowed numbers of coefficients

MAX_TANGENT = 60.0  # rays further than 89 degrees from the optical axis are cut to this
NEWTON_STEPS = 20
MAX_STEP = 0.5  # of a Newton step, in units of 1 + |x|: keeps unsolvable points from flying off
SOLVED = 1e-8  # residual at which the search ends
MAX_RESIDUAL = 1e-3  # beyond it no ideal ray reaches the point
MIN_DETERMINANT = 1e-3  # of a Jacobian that can be inverted


def check_distortion(distortion: Tensor, distortion_model: str) -> None:
    """Refuse an unknown model or a wrong number of coefficients.

    Raises:
        ValueError: naming the value and what is supported.
    """
    if distortion_model not in COEFFICIENTS:
        supported = ", ".join(COEFFICIENTS)
        raise ValueError(f"distortion_model is {distortion_model!r}, expected one of: {supported}")
    allowed = COEFFICIENTS[distortion_model]
    if distortion.dim() != 1 or len(distortion) not in allowed:
        expected = " or ".join(f"({count},)" for count in allowed)
        raise ValueError(
            f"distortion of model {distortion_model!r} has shape {tuple(distortion.shape)}, "
            f"expected {expected}"
        )


def distort_points(normalized: Tensor, distortion: Tensor, distortion_model: str) -> Tensor:
    """Where the lens puts ideal rays.

    Differentiable in points and coefficients.

    Args:
        normalized: ``(..., 2)`` ideal coordinates (x/z, y/z) in the optical frame.
        distortion: ``(D,)`` coefficients in OpenCV's order.
        distortion_model: key of :data:`COEFFICIENTS`.

    Returns:
        ``(..., 2)`` distorted normalised coordinates; pixels are ``K @ (x, y, 1)``.

    Raises:
        ValueError: if the model is unknown or a shape is wrong.

    Source:
        OpenCV, modules calib3d ("Detailed Description") and fisheye.
    """
    check_shape(normalized, 2, name="normalized")
    check_distortion(distortion, distortion_model)
    if distortion_model == "none":
        return normalized
    if distortion_model == "equidistant":
        radius = _safe_radius(normalized)
        return normalized * (_distorted_angle(radius.atan(), distortion) / radius)
    return _distort_polynomial(normalized, _eight(distortion))


def undistort_points(distorted: Tensor, distortion: Tensor, distortion_model: str) -> Tensor:
    """Inverse of :func:`distort_points` by Newton's method.

    Differentiable in points and coefficients: the solution is found without a graph, then, where
    a gradient is asked for, one more Newton step is taken with it, whose gradient is that of the
    implicit function. Points that no ideal ray reaches come out finite and mean nothing.

    Args:
        distorted: ``(..., 2)`` distorted normalised coordinates.
        distortion: ``(D,)`` coefficients in OpenCV's order.
        distortion_model: key of :data:`COEFFICIENTS`.

    Returns:
        ``(..., 2)`` ideal coordinates (x/z, y/z).

    Raises:
        ValueError: if the model is unknown or a shape is wrong.
    """
    check_shape(distorted, 2, name="distorted")
    check_distortion(distortion, distortion_model)
    if distortion_model == "none" or _is_zero(distortion, distortion_model):
        return distorted
    if distortion_model == "equidistant":
        return _undistort_equidistant(distorted, distortion)
    return _undistort_polynomial(distorted, _eight(distortion))


def distortion_limit(distortion: Tensor, distortion_model: str) -> float:
    """Largest ideal radius (tangent of the angle off the axis) the model is monotonic up to.

    Polynomial models fold back beyond it: points there would appear inside the image.

    Raises:
        ValueError: if the model is unknown or the number of coefficients wrong.
    """
    check_distortion(distortion, distortion_model)
    if distortion_model == "none":
        return MAX_TANGENT
    return _monotonic_limit(tuple(distortion.detach().tolist()), distortion_model)


@lru_cache(maxsize=64)
def _monotonic_limit(coefficients: tuple[float, ...], distortion_model: str) -> float:
    angle = torch.linspace(0.0, 1.55, 311, dtype=torch.float64)
    k = torch.tensor(coefficients, dtype=torch.float64)
    if distortion_model == "equidistant":
        image_radius = _distorted_angle(angle, k)
    else:
        radius = angle.tan()
        above, below = _radial(radius * radius, _eight(k))
        image_radius = radius * (above / below)
    folds = (image_radius.diff() <= 0).nonzero()
    return float(angle[folds[0, 0]].tan()) if len(folds) else MAX_TANGENT


def _is_zero(distortion: Tensor, distortion_model: str) -> bool:
    polynomial = distortion_model in ("plumb_bob", "rational_polynomial")
    return polynomial and not distortion.requires_grad and not bool(distortion.any())


def _eight(distortion: Tensor) -> Coefficients:
    """Coefficients (k1, k2, p1, p2, k3, k4, k5, k6) of the polynomial models.

    Plain numbers where nobody asks for their gradient and no graph is recorded: tensors would be
    indexed one by one, but numbers would become constants of the recording.
    """
    padded = torch.nn.functional.pad(distortion, (0, 8 - len(distortion)))
    if distortion.requires_grad or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return padded
    return padded.tolist()


def _numbers(k: Coefficients) -> Sequence[float]:
    return k.tolist() if isinstance(k, Tensor) else [float(value) for value in k]


def _wants_gradient(points: Tensor, k: Coefficients) -> bool:
    learned = points.requires_grad or (isinstance(k, Tensor) and k.requires_grad)
    return torch.is_grad_enabled() and learned


# The formulas below are plain arithmetic: tensors inside the graph, arrays while searching.
def _radial(square: Array, k: Coefficients) -> tuple[Array, Array]:
    """Numerator and denominator of the radial factor at a squared radius."""
    above = 1 + square * (k[0] + square * (k[1] + square * k[4]))
    below = 1 + square * (k[5] + square * (k[6] + square * k[7]))
    return above, below


def _radial_slope(square: Array, k: Coefficients) -> tuple[Array, Array]:
    """Radial factor at a squared radius, and its derivative by the squared radius."""
    above, below = _radial(square, k)
    above_slope = k[0] + square * (2 * k[1] + square * (3 * k[4]))
    below_slope = k[5] + square * (2 * k[6] + square * (3 * k[7]))
    factor = above / below
    return factor, (above_slope - factor * below_slope) / below


def _polynomial(x: Array, y: Array, k: Coefficients) -> tuple[Array, Array]:
    square = x * x + y * y
    above, below = _radial(square, k)
    factor = above / below
    cross = 2 * x * y
    return (
        x * factor + k[2] * cross + k[3] * (square + 2 * x * x),
        y * factor + k[2] * (square + 2 * y * y) + k[3] * cross,
    )


def _jacobian(x: Array, y: Array, k: Coefficients) -> tuple[Array, Array, Array]:
    """Entries (xx, xy, yy) of the symmetric Jacobian of :func:`_polynomial`."""
    factor, slope = _radial_slope(x * x + y * y, k)
    return (
        factor + 2 * x * x * slope + 2 * k[2] * y + 6 * k[3] * x,
        2 * x * y * slope + 2 * k[2] * x + 2 * k[3] * y,
        factor + 2 * y * y * slope + 6 * k[2] * y + 2 * k[3] * x,
    )


def _distorted_angle(angle: Array, k: Coefficients) -> Array:
    square = angle * angle
    return angle * (1 + square * (k[0] + square * (k[1] + square * (k[2] + square * k[3]))))


def _angle_slope(angle: Array, k: Coefficients) -> Array:
    square = angle * angle
    inner = 3 * k[0] + square * (5 * k[1] + square * (7 * k[2] + square * (9 * k[3])))
    return 1 + square * inner


def _distort_polynomial(normalized: Tensor, k: Coefficients) -> Tensor:
    x, y = normalized.unbind(-1)
    each = k.unbind() if isinstance(k, Tensor) else k
    return torch.stack(_polynomial(x, y, each), dim=-1)


def _undistort_polynomial(distorted: Tensor, k: Coefficients) -> Tensor:
    fixed = _numbers(k)
    solution = torch.from_numpy(_search_polynomial(_array(distorted), fixed)).to(distorted)
    if not _wants_gradient(distorted, k):
        return solution
    u, v = (distorted - _distort_polynomial(solution, k)).unbind(-1)
    x, y = solution.unbind(-1)
    xx, xy, yy = _jacobian(x, y, fixed)
    determinant = xx * yy - xy * xy
    solved = ((u.abs() + v.abs()).detach() < MAX_RESIDUAL) & (determinant > MIN_DETERMINANT)
    scale = solved / torch.where(solved, determinant, torch.ones_like(determinant))
    return solution + torch.stack([(yy * u - xy * v) * scale, (xx * v - xy * u) * scale], dim=-1)


def _search_polynomial(target: FloatArray, k: Coefficients) -> FloatArray:
    """Newton's method with limited steps; ideal points ``(..., 2)``."""
    u, v = np.clip(target, -MAX_TANGENT, MAX_TANGENT).T
    x, y = u, v
    for _ in range(NEWTON_STEPS):
        reached_u, reached_v = _polynomial(x, y, k)
        du, dv = u - reached_u, v - reached_v
        if np.abs(du).max(initial=0.0) + np.abs(dv).max(initial=0.0) < SOLVED:
            break
        xx, xy, yy = _jacobian(x, y, k)
        determinant = xx * yy - xy * xy
        determinant = np.where(np.abs(determinant) < MIN_DETERMINANT, MIN_DETERMINANT, determinant)
        dx, dy = (yy * du - xy * dv) / determinant, (xx * dv - xy * du) / determinant
        limit = MAX_STEP * (1 + np.hypot(x, y))
        shrink = np.minimum(1.0, limit / np.maximum(np.hypot(dx, dy), 1e-12))
        x = np.clip(x + shrink * dx, -MAX_TANGENT, MAX_TANGENT)
        y = np.clip(y + shrink * dy, -MAX_TANGENT, MAX_TANGENT)
    solution: FloatArray = np.stack([x, y]).T
    return solution


def _undistort_equidistant(distorted: Tensor, k: Tensor) -> Tensor:
    radius = _safe_radius(distorted)
    fixed = k.tolist()
    angle = torch.from_numpy(_search_angle(_array(radius), fixed)).to(distorted)
    if not _wants_gradient(distorted, k):
        return distorted * (angle.tan() / radius)
    residual = radius - _distorted_angle(angle, k)
    slope = _angle_slope(angle, fixed)
    solved = (residual.detach().abs() < MAX_RESIDUAL) & (slope > MIN_DETERMINANT)
    step = residual * (solved / torch.where(solved, slope, torch.ones_like(slope)))
    return distorted * ((angle + step).tan() / radius)


def _search_angle(radius: FloatArray, k: Coefficients) -> FloatArray:
    """Newton's method; angles off the optical axis [rad]."""
    steepest = np.pi / 2 - 1 / MAX_TANGENT
    angle = np.minimum(radius, steepest)
    for _ in range(NEWTON_STEPS):
        residual = radius - _distorted_angle(angle, k)
        step = residual / np.maximum(_angle_slope(angle, k), MIN_DETERMINANT)
        angle = np.clip(angle + np.clip(step, -MAX_STEP, MAX_STEP), 1e-9, steepest)
        if np.abs(residual).max(initial=0.0) < SOLVED:
            break
    return angle


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().cpu().double().numpy()
    return array


def _safe_radius(points: Tensor) -> Tensor:
    """Length with a floor, so that the centre has a gradient."""
    return (points * points).sum(dim=-1, keepdim=True).clamp(min=1e-16).sqrt()
