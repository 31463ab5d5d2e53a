"""Lens distortion: OpenCV's models on normalised image coordinates, forth and back."""

from functools import lru_cache

import torch
from torch import Tensor

from conegrad_core.shapes import check_shape

COEFFICIENTS = {
    "none": (0,),
    "plumb_bob": (4, 5),
    "rational_polynomial": (8,),
    "equidistant": (4,),
}  # by name of sensor_msgs/CameraInfo, the allowed numbers of coefficients

MAX_TANGENT = 60.0  # rays further than 89 degrees from the optical axis are cut to this
NEWTON_STEPS = 12
MAX_STEP = 0.5  # of a Newton step, in units of 1 + |x|: keeps unsolvable points from flying off


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

    Differentiable in points and coefficients: the solution is found without a graph, then one
    more Newton step is taken with it, whose gradient is that of the implicit function. Points
    that no ideal ray reaches come out finite and mean nothing.

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
        image_radius = radius * _radial(radius * radius, _eight(k))[0]
    folds = (image_radius.diff() <= 0).nonzero()
    return float(angle[folds[0, 0]].tan()) if len(folds) else MAX_TANGENT


def _is_zero(distortion: Tensor, distortion_model: str) -> bool:
    polynomial = distortion_model in ("plumb_bob", "rational_polynomial")
    return polynomial and not distortion.requires_grad and not bool(distortion.any())


def _eight(distortion: Tensor) -> Tensor:
    """Coefficients (k1, k2, p1, p2, k3, k4, k5, k6) of the polynomial models."""
    return torch.nn.functional.pad(distortion, (0, 8 - len(distortion)))


def _radial(square: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Radial factor at a squared radius, and its derivative by the squared radius."""
    above = 1 + square * (k[0] + square * (k[1] + square * k[4]))
    below = 1 + square * (k[5] + square * (k[6] + square * k[7]))
    above_slope = k[0] + square * (2 * k[1] + square * 3 * k[4])
    below_slope = k[5] + square * (2 * k[6] + square * 3 * k[7])
    factor = above / below
    return factor, (above_slope - factor * below_slope) / below


def _distort_polynomial(normalized: Tensor, k: Tensor) -> Tensor:
    x, y = normalized.unbind(-1)
    square = x * x + y * y
    factor, _ = _radial(square, k)
    cross = 2 * x * y
    distorted_x = x * factor + k[2] * cross + k[3] * (square + 2 * x * x)
    distorted_y = y * factor + k[2] * (square + 2 * y * y) + k[3] * cross
    return torch.stack([distorted_x, distorted_y], dim=-1)


def _newton_step(normalized: Tensor, residual: Tensor, k: Tensor) -> Tensor:
    """Step that solves the linearised model; its 2x2 Jacobian is symmetric."""
    x, y = normalized.unbind(-1)
    factor, slope = _radial(x * x + y * y, k)
    a = factor + 2 * x * x * slope + 2 * k[2] * y + 6 * k[3] * x
    b = 2 * x * y * slope + 2 * k[2] * x + 2 * k[3] * y
    d = factor + 2 * y * y * slope + 6 * k[2] * y + 2 * k[3] * x
    determinant = a * d - b * b
    determinant = torch.where(determinant.abs() < 1e-3, 1e-3, determinant)
    u, v = residual.unbind(-1)
    return torch.stack([(d * u - b * v) / determinant, (a * v - b * u) / determinant], dim=-1)


def _undistort_polynomial(distorted: Tensor, k: Tensor) -> Tensor:
    with torch.no_grad():
        target = distorted.clamp(-MAX_TANGENT, MAX_TANGENT)
        solution = target.clone()
        for _ in range(NEWTON_STEPS):
            step = _newton_step(solution, target - _distort_polynomial(solution, k), k)
            limit = MAX_STEP * (1 + solution.norm(dim=-1, keepdim=True))
            step = step * (limit / step.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1.0)
            solution = (solution + step).clamp(-MAX_TANGENT, MAX_TANGENT)
    residual = distorted - _distort_polynomial(solution, k)
    last = _newton_step(solution, residual, k.detach())
    solved = residual.detach().norm(dim=-1, keepdim=True) < 1e-3
    return solution + torch.where(solved, last, last * 0)


def _distorted_angle(angle: Tensor, k: Tensor) -> Tensor:
    square = angle * angle
    return angle * (1 + square * (k[0] + square * (k[1] + square * (k[2] + square * k[3]))))


def _undistort_equidistant(distorted: Tensor, k: Tensor) -> Tensor:
    radius = _safe_radius(distorted)
    steepest = torch.pi / 2 - 1 / MAX_TANGENT
    with torch.no_grad():
        angle = radius.clamp(max=steepest)
        for _ in range(NEWTON_STEPS):
            step = (radius - _distorted_angle(angle, k)) / _angle_slope(angle, k)
            angle = (angle + step.clamp(-MAX_STEP, MAX_STEP)).clamp(1e-9, steepest)
    residual = radius - _distorted_angle(angle, k)
    last = residual / _angle_slope(angle, k.detach())
    solved = residual.detach().abs() < 1e-3
    return distorted * ((angle + torch.where(solved, last, last * 0)).tan() / radius)


def _angle_slope(angle: Tensor, k: Tensor) -> Tensor:
    square = angle * angle
    slope = 1 + square * (3 * k[0] + square * (5 * k[1] + square * (7 * k[2] + square * 9 * k[3])))
    return slope.clamp(min=1e-2)


def _safe_radius(points: Tensor) -> Tensor:
    """Length with a floor, so that the centre has a gradient."""
    return (points * points).sum(dim=-1, keepdim=True).clamp(min=1e-16).sqrt()
