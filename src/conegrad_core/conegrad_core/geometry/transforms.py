"""Rigid transforms: ``a_from_b`` maps coordinates in frame b to coordinates in frame a."""

import torch
from torch import Tensor

from conegrad_core.shapes import check_shape

# Body axes (x forward, y left, z up) to optical axes (x right, y down, z forward), REP-103.
OPTICAL_FROM_BODY = (
    (0.0, -1.0, 0.0, 0.0),
    (0.0, 0.0, -1.0, 0.0),
    (1.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 1.0),
)


def optical_from_body(dtype: torch.dtype = torch.float32) -> Tensor:
    """``(4, 4)`` rotation from a camera's body frame into its optical frame."""
    return torch.tensor(OPTICAL_FROM_BODY, dtype=dtype)


def pose_matrix(x: Tensor | float, y: Tensor | float, yaw: Tensor | float) -> Tensor:
    """Planar pose as a ``(..., 4, 4)`` matrix ``parent_from_child``.

    Differentiable; tensor arguments broadcast.

    Args:
        x: position of the child in the parent frame [m].
        y: likewise [m].
        yaw: heading of the child, counter-clockwise [rad].
    """
    east, north, turn = torch.broadcast_tensors(*_tensors(x, y, yaw))
    cos, sin, zero, one = turn.cos(), turn.sin(), torch.zeros_like(turn), torch.ones_like(turn)
    rotation = _square((cos, -sin, zero), (sin, cos, zero), (zero, zero, one))
    return rigid_matrix(rotation, torch.stack([east, north, zero], dim=-1))


def turned(vectors: Tensor, angles: Tensor) -> Tensor:
    """``(..., 2)`` vectors, each turned counter-clockwise by its angle ``(...)`` [rad].

    Differentiable; an angle of 0 keeps a vector exactly.
    """
    cos, sin = angles.cos(), angles.sin()
    x, y = vectors.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1)


def mounting_matrix(
    translation: Tensor, roll: Tensor | float, pitch: Tensor | float, yaw: Tensor | float
) -> Tensor:
    """Mounting of a child frame as a ``(4, 4)`` matrix ``parent_from_child``.

    Differentiable. Positive pitch points the child's x axis down (REP-103).

    Args:
        translation: ``(3,)`` origin of the child in the parent frame [m].
        roll: rotation about x [rad], applied first.
        pitch: rotation about y [rad], applied second.
        yaw: rotation about z [rad], applied last.

    Raises:
        ValueError: if ``translation`` has another shape.
    """
    check_shape(translation, 3, name="translation")
    roll, pitch, yaw = (angle.to(translation) for angle in _tensors(roll, pitch, yaw))
    one, zero = torch.ones_like(roll), torch.zeros_like(roll)
    about_x = _square(
        (one, zero, zero), (zero, roll.cos(), -roll.sin()), (zero, roll.sin(), roll.cos())
    )
    about_y = _square(
        (pitch.cos(), zero, pitch.sin()), (zero, one, zero), (-pitch.sin(), zero, pitch.cos())
    )
    about_z = _square(
        (yaw.cos(), -yaw.sin(), zero), (yaw.sin(), yaw.cos(), zero), (zero, zero, one)
    )
    return rigid_matrix(about_z @ about_y @ about_x, translation)


def rigid_matrix(rotation: Tensor, translation: Tensor) -> Tensor:
    """``(..., 4, 4)`` matrix of a ``(..., 3, 3)`` rotation and a ``(..., 3)`` translation.

    Raises:
        ValueError: if an argument has another shape.
    """
    check_shape(rotation, 3, 3, name="rotation")
    check_shape(translation, 3, name="translation")
    top = torch.cat([rotation, translation[..., None]], dim=-1)
    bottom = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
    return torch.cat([top, bottom], dim=-2)


def rigid_inverse(a_from_b: Tensor) -> Tensor:
    """``b_from_a`` of a ``(..., 4, 4)`` rigid transform, without a general matrix inverse.

    Raises:
        ValueError: if ``a_from_b`` has another shape.
    """
    check_shape(a_from_b, 4, 4, name="a_from_b")
    rotation = a_from_b[..., :3, :3].mT
    return rigid_matrix(rotation, -(rotation @ a_from_b[..., :3, 3:])[..., 0])


def transform_points(a_from_b: Tensor, points: Tensor) -> Tensor:
    """Points of frame b in frame a; differentiable in both arguments.

    Args:
        a_from_b: ``(..., 4, 4)`` rigid transform.
        points: ``(..., N, 3)`` points in frame b [m].

    Returns:
        ``(..., N, 3)`` points in frame a [m].

    Raises:
        ValueError: if an argument has another shape.
    """
    check_shape(a_from_b, 4, 4, name="a_from_b")
    check_shape(points, None, 3, name="points")
    return points @ a_from_b[..., :3, :3].mT + a_from_b[..., None, :3, 3]


def rotation_from_quaternion(quaternion: Tensor) -> Tensor:
    """``(..., 3, 3)`` rotation of a ``(..., 4)`` quaternion (x, y, z, w).

    The quaternion need not be normalised; gradients flow through its normalisation.

    Raises:
        ValueError: if it has another shape or (nearly) no length.
    """
    check_shape(quaternion, 4, name="quaternion")
    norm = quaternion.norm(dim=-1, keepdim=True)
    if not bool((norm > 1e-6).all()):
        raise ValueError(f"quaternion is {quaternion.tolist()}, expected a length above 0")
    x, y, z, w = (quaternion / norm).unbind(-1)
    return _square(
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )


def quaternion_from_rotation(rotation: Tensor) -> Tensor:
    """Unit quaternion (x, y, z, w), w >= 0, ``(..., 4)`` of a ``(..., 3, 3)`` rotation.

    Differentiable; of four equivalent formulas the best conditioned one is taken per rotation.

    Raises:
        ValueError: if ``rotation`` has another shape.
    """
    check_shape(rotation, 3, 3, name="rotation")
    (r00, r01, r02), (r10, r11, r12), (r20, r21, r22) = (
        row.unbind(-1) for row in rotation.unbind(-2)
    )
    candidates = torch.stack(
        [
            torch.stack([1 + r00 - r11 - r22, r01 + r10, r02 + r20, r21 - r12], dim=-1),
            torch.stack([r01 + r10, 1 - r00 + r11 - r22, r12 + r21, r02 - r20], dim=-1),
            torch.stack([r02 + r20, r12 + r21, 1 - r00 - r11 + r22, r10 - r01], dim=-1),
            torch.stack([r21 - r12, r02 - r20, r10 - r01, 1 + r00 + r11 + r22], dim=-1),
        ],
        dim=-2,
    )
    best = candidates.diagonal(dim1=-2, dim2=-1).argmax(-1)
    chosen = candidates.gather(-2, best[..., None, None].expand(*best.shape, 1, 4))[..., 0, :]
    chosen = torch.where(chosen[..., 3:] < 0, -chosen, chosen)
    length: Tensor = chosen.norm(dim=-1, keepdim=True)
    return chosen / length


def matrix_from_translation_quaternion(translation: Tensor, quaternion: Tensor) -> Tensor:
    """``(..., 4, 4)`` matrix of a translation [m] and a quaternion (x, y, z, w).

    Raises:
        ValueError: if an argument has another shape, or the quaternion no length.
    """
    return rigid_matrix(rotation_from_quaternion(quaternion), translation)


def translation_quaternion_from_matrix(a_from_b: Tensor) -> tuple[Tensor, Tensor]:
    """Translation ``(..., 3)`` [m] and unit quaternion (x, y, z, w) of a rigid transform.

    Raises:
        ValueError: if ``a_from_b`` has another shape.
    """
    check_shape(a_from_b, 4, 4, name="a_from_b")
    return a_from_b[..., :3, 3], quaternion_from_rotation(a_from_b[..., :3, :3])


def _square(*rows: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _tensors(*values: Tensor | float) -> list[Tensor]:
    given = [value for value in values if isinstance(value, Tensor)]
    dtype = given[0].dtype if given else torch.float32
    return [torch.as_tensor(value, dtype=dtype) for value in values]
