"""Attacks ``image_patch`` and ``image_sticker``: one printed picture beside a cone, or on it.

Its texture is one for the whole drive, found over its frames and over small changes of place and
light (expectation over transformation: Athalye et al., Synthesizing Robust Adversarial Examples,
ICML 2018; printed patches: Brown et al., Adversarial Patch, 2017). In each frame it is at the
nearest cone that the camera sees, so that a drive is attacked as if one lay at every cone, of which
only the nearest is in the picture.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.image import (
    ImageLevels,
    RgbImage,
    image_from_levels,
    levels_from_image,
)
from conegrad_core.geometry.calibration import Calibration, moved_calibration
from conegrad_evaluation.attacks.attack import Attack, Budget
from conegrad_evaluation.attacks.image_pgd import IMAGE
from conegrad_evaluation.attacks.perturbation import Perturbation
from conegrad_evaluation.attacks.printed_patch import PatchPlace, with_patch
from conegrad_evaluation.samples.sample import Sample

DARKEST, BRIGHTEST = 13.0, 242.0  # levels that a printer reaches
CELLS = 32  # of a texture, to each side
NEAREST, FARTHEST = 2.0, 10.0  # [m] ahead, cones that count
BESIDE = 0.2  # [m] between the axis of a cone and the edge of a patch on the ground
STICKER_HEIGHT = 0.14  # [m] of its centre above the ground, on a small cone
BEFORE = 0.1  # [m] of a sticker before the axis of its cone
SHIFT, TURN, LIGHT = 0.05, math.radians(10), 0.2  # [m], [rad], share: changes that it survives

Placed = Callable[[Sample, Calibration, float], PatchPlace | None]


class Texture:
    """The printed picture that all frames share.

    Attributes:
        leaf: ``(3, S, S)`` levels.
    """

    radius = (BRIGHTEST - DARKEST) / 2

    def __init__(self, draws: np.random.Generator) -> None:
        values = draws.uniform(DARKEST, BRIGHTEST, size=(3, CELLS, CELLS))
        self.leaf: Tensor = torch.from_numpy(values).float()

    def ascend(self, gradient: Tensor, share: float) -> None:
        """A step of the same length for each cell."""
        moved = self.leaf.detach() + share * self.radius * gradient.sign()
        self.leaf = moved.clamp(DARKEST, BRIGHTEST)

    def picture(self) -> RgbImage:
        """The texture as an image."""
        return image_from_levels(self.leaf.permute(1, 2, 0))


class PatchedImage(Perturbation):
    """An image with the shared picture in it; unchanged where no cone is in reach.

    Args:
        sample: that is attacked, with calibration and truth.
        image: of it.
        side: of the picture [m].
        texture: shared.
        placed: finds its place.

    Raises:
        ValueError: without a calibration.
    """

    is_shared = True

    def __init__(
        self, sample: Sample, image: RgbImage, side: float, texture: Texture, placed: Placed
    ) -> None:
        calibration = sample.context.calibration
        if calibration is None:
            raise ValueError(f"{sample.key} has no calibration, expected one to place a patch")
        if sample.context.motion is not None:
            calibration = moved_calibration(calibration, sample.context.motion)
        self._levels, self._texture = levels_from_image(image), texture
        self._image, self._calibration = image, calibration
        self._place = placed(sample, calibration, side)
        self._draws: np.random.Generator | None = None

    @property
    def leaf(self) -> Tensor | None:  # type: ignore[override]
        """That of the texture; None where it is not in the picture."""
        return None if self._place is None else self._texture.leaf

    def start(self, draws: np.random.Generator) -> None:
        """Place and light vary from now on."""
        self._draws = draws

    def randomize(self, draws: np.random.Generator) -> None:
        """The texture is random already."""

    def value(self) -> ImageLevels:
        """The image with the picture, its place and light a little changed."""
        if self._place is None or self._draws is None:
            return self._shown(self._place, 1.0)
        light = 1.0 + float(self._draws.uniform(-LIGHT, LIGHT))
        return self._shown(_varied(self._place, self._draws), light)

    def delivered(self) -> RgbImage:
        """The image with the picture where it is, of 8 bits."""
        if self._place is None:
            return self._image
        return image_from_levels(self._shown(self._place, 1.0))

    def ascend(self, gradient: Tensor, share: float) -> None:
        """A step of the texture."""
        self._texture.ascend(gradient, share)

    def _shown(self, place: PatchPlace | None, light: float) -> ImageLevels:
        if place is None:
            return self._levels
        texture = (self._texture.leaf * light).clamp(0.0, 255.0)
        calibration = self._calibration
        return with_patch(
            self._levels, texture, place, calibration.camera, calibration.camera_from_lidar
        )


def _varied(place: PatchPlace, draws: np.random.Generator) -> PatchPlace:
    """A place that is shifted in its plane and turned in it."""
    turn, shift = float(draws.uniform(-TURN, TURN)), draws.uniform(-SHIFT, SHIFT, size=2)
    across, along = (axis / axis.norm() for axis in (place.right, place.top))
    width, height = float(place.right.norm()), float(place.top.norm())
    cos, sin = math.cos(turn), math.sin(turn)
    return PatchPlace(
        place.centre + across * float(shift[0]) + along * float(shift[1]),
        width * (cos * across + sin * along),
        height * (cos * along - sin * across),
    )


def nearest_cone(sample: Sample) -> Tensor | None:
    """``(2,)`` position of the nearest cone in reach that the camera sees; None without one."""
    truth = sample.truth
    distance = truth.positions.norm(dim=-1)
    usable = truth.visible_camera & (truth.positions[:, 0] >= NEAREST) & (distance <= FARTHEST)
    if not bool(usable.any()):
        return None
    return truth.positions[int(torch.where(usable, distance, math.inf).argmin())].double()


def beside_cone(sample: Sample, calibration: Calibration, side: float) -> PatchPlace | None:
    """A square on the ground, on the side of the nearest cone that is away from the car's path."""
    cone = nearest_cone(sample)
    if cone is None:
        return None
    outward = 1.0 if cone[1] >= 0 else -1.0
    y = float(cone[1]) + outward * (BESIDE + side / 2)
    zero = cone.new_zeros(())
    return PatchPlace(
        cone.new_tensor([float(cone[0]), y, calibration.ground_z]),
        torch.stack([zero, zero - side / 2, zero]),
        torch.stack([zero + side / 2, zero, zero]),
    )


def on_cone(sample: Sample, calibration: Calibration, side: float) -> PatchPlace | None:
    """An upright square before the nearest cone, facing the LiDAR."""
    cone = nearest_cone(sample)
    if cone is None:
        return None
    ahead = cone / cone.norm()
    x, y = (cone - BEFORE * ahead).tolist()
    z = calibration.ground_z + calibration.up * STICKER_HEIGHT
    zero = cone.new_zeros(())
    return PatchPlace(
        cone.new_tensor([x, y, z]),
        torch.stack([ahead[1], -ahead[0], zero]) * side / 2,
        torch.stack([zero, zero, zero + calibration.up]) * side / 2,
    )


def _share(_: Budget, draws: np.random.Generator) -> Texture:
    return Texture(draws)


def _patch(sample: Sample, image: Any, budget: Budget, texture: Any) -> Perturbation:
    return PatchedImage(sample, image, budget["side"], texture, beside_cone)


def _sticker(sample: Sample, image: Any, budget: Budget, texture: Any) -> Perturbation:
    return PatchedImage(sample, image, budget["side"], texture, on_cone)


IMAGE_PATCH = Attack(
    "image_patch", IMAGE, "a printed square on the ground beside the nearest cone: its side [m]",
    [{"side": 0.3}, {"side": 0.6}, {"side": 1.0}], {"side": (0.05, 5.0)}, _patch, _share,
)  # fmt: skip
IMAGE_STICKER = Attack(
    "image_sticker", IMAGE, "a printed square on the nearest cone: its side [m]",
    [{"side": 0.06}, {"side": 0.1}, {"side": 0.14}], {"side": (0.02, 0.5)}, _sticker, _share,
)  # fmt: skip
