"""Cones: their classes, true dimensions, and the containers that carry them on the ground."""

from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor


class ConeClass(IntEnum):
    """Index of a cone colour in every class dimension of the core.

    Messages and foreign data sets are converted by *name*, never by number.
    """

    BLUE = 0
    YELLOW = 1
    SMALL_ORANGE = 2
    BIG_ORANGE = 3
    UNKNOWN = 4


CLASS_NAMES = ("blue", "yellow", "small_orange", "big_orange")
COLOUR_NAMES = (*CLASS_NAMES, "unknown")
LABEL_VALUES_PER_CONE = 3  # x, y and colour, as a person measures them

# True dimensions by class (blue, yellow, small orange, big orange), Formula Student rules.
CONE_HEIGHTS = (0.325, 0.325, 0.325, 0.505)  # [m]
CONE_WIDTHS = (0.228, 0.228, 0.228, 0.285)  # [m], side of the square base


class Cones(NamedTuple):
    """Fused cone candidates of one frame (M rows) in the frame of the LiDAR, on the ground.

    Gradients flow through the first four tensors. The last three are None where nobody states them.

    Attributes:
        positions: ``(M, 2)`` x forward, y left [m].
        covariances: ``(M, 2, 2)`` [m^2].
        colours: ``(M, 5)`` probabilities in the order of :data:`COLOUR_NAMES`; rows sum to 1.
        existence_logits: ``(M,)`` log-odds that the cone exists.
        source: ``(M,)`` int64: 1 camera, 2 LiDAR, 3 both.
        lidar_evidence: ``(M,)`` what the LiDAR adds to ``existence_logits``, negative where it
            speaks against the cone; the rest is :attr:`camera_evidence`.
        lidar_share: ``(M,)`` in [0, 1], of the information on the position that the LiDAR gives;
            the rest is the camera's.
        ids: ``(M,)`` int64 above 0, the same number in all frames in which a cone is tracked; 0 has
            no identity.
    """

    positions: Tensor
    covariances: Tensor
    colours: Tensor
    existence_logits: Tensor
    source: Tensor
    lidar_evidence: Tensor | None = None
    lidar_share: Tensor | None = None
    ids: Tensor | None = None

    @property
    def camera_evidence(self) -> Tensor | None:
        """``(M,)`` what the camera adds to ``existence_logits``; None without provenance."""
        return None if self.lidar_evidence is None else self.existence_logits - self.lidar_evidence

    def rows(self, chosen: Tensor) -> "Cones":
        """Some of the cones.

        Args:
            chosen: ``(K,)`` indices or ``(M,)`` mask.
        """
        return Cones._make(None if tensor is None else tensor[chosen] for tensor in self)


class ConePositions(NamedTuple):
    """Positions of the K detections of an image on the ground, in the frame of the LiDAR.

    They hold at the stamp of the image; gradients flow to both tensors.

    Attributes:
        positions: ``(K, 2)`` of the cones' axes, x forward, y left [m].
        covariances: ``(K, 2, 2)`` [m^2].
    """

    positions: Tensor
    covariances: Tensor


class TrueCones(NamedTuple):
    """Ground truth of one frame (N cones) in the frame of the LiDAR.

    Attributes:
        positions: ``(N, 2)`` x forward, y left [m].
        classes: ``(N,)`` int64 :class:`ConeClass`; UNKNOWN where the colour was not recorded.
        visible_camera: ``(N,)`` bool, the camera could see the cone.
        visible_lidar: ``(N,)`` bool, the planar scan could hit the cone.
        deviations: ``(N,)`` standard deviation of x and of y, as of a survey [m]; None where the
            positions are exact, or nobody states how exact.
    """

    positions: Tensor
    classes: Tensor
    visible_camera: Tensor
    visible_lidar: Tensor
    deviations: Tensor | None = None

    def variances(self, default: float = 0.0) -> Tensor:
        """``(N,)`` variance of x and of y [m^2].

        Args:
            default: standard deviation where none is stated [m].
        """
        if self.deviations is None:
            return self.positions.new_full(self.positions.shape[:1], default * default)
        return self.deviations.to(self.positions).square()


class UnusableConesError(ValueError):
    """Cones that nobody may act on."""


def check_cones(cones: Cones) -> None:
    """Refuse cones with a value that is not finite, or a covariance that is none.

    Raises:
        UnusableConesError: naming the field and the value.
    """
    for name, values in zip(cones._fields, cones, strict=True):
        if values is not None and not bool(torch.isfinite(values).all()):
            raise UnusableConesError(f"{name} of cones are not finite")
    variances = cones.covariances.diagonal(dim1=-2, dim2=-1)
    determinants = torch.linalg.det(cones.covariances.double())
    if not bool((variances > 0).all() and (determinants > 0).all()):
        raise UnusableConesError("a covariance of a cone is not positive definite")
