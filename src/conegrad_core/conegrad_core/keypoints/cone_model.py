"""Where the keypoints of a cone are: its tip and the edges of its body at three heights.

The body of a cone is round, so the edges that a camera sees lie beside its axis whichever way the
base plate is turned; corners of the plate and, among manufacturers, edges of the stripe do not
have known places.
"""

import torch
from torch import Tensor

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS

NAMES = (
    "tip",
    "upper_left",
    "upper_right",
    "middle_left",
    "middle_right",
    "foot_left",
    "foot_right",
)
LEVELS = (1.0, 0.7, 0.7, 0.4, 0.4, 0.1, 0.1)  # heights of the keypoints as shares of the cone's
SIDES = (0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0)  # 0: on the axis, 1: left as the camera sees it
MIRRORED = (0, 2, 1, 4, 3, 6, 5)  # keypoint that each one becomes in a mirrored image
BOTTOM_RADIUS, TOP_RADIUS = 0.40, 0.12  # of the body at ground and top, as shares of the width
BOTTOM_RADII = tuple(BOTTOM_RADIUS * width for width in CONE_WIDTHS)  # [m], by class
TOP_RADII = tuple(TOP_RADIUS * width for width in CONE_WIDTHS)  # [m], by class
HEIGHTS = CONE_HEIGHTS  # [m], by class


def keypoint_places(
    positions: Tensor, heights: Tensor, bottom_radii: Tensor, top_radii: Tensor, eye: Tensor
) -> Tensor:
    """Keypoints of upright cones in space; differentiable in every argument.

    An edge lies at the radius of the body, at a right angle to the line of sight on the ground.

    Args:
        positions: ``(K, 2)`` of the axes on the ground [m].
        heights: ``(K,)`` of the cones [m].
        bottom_radii: ``(K,)`` of the bodies at the ground [m].
        top_radii: ``(K,)`` at the top [m]; linear in between.
        eye: ``(2,)`` position of the camera above the ground [m], in the same frame.

    Returns:
        ``(K, 7, 3)`` x, y and height above the ground [m].
    """
    levels, sides = positions.new_tensor(LEVELS), positions.new_tensor(SIDES)
    sight = positions - eye
    sight = sight / sight.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    left = torch.stack([-sight[:, 1], sight[:, 0]], dim=-1)
    radii = bottom_radii[:, None] + (top_radii - bottom_radii)[:, None] * levels
    places = positions[:, None] + (sides * radii)[..., None] * left[:, None]
    return torch.cat([places, (heights[:, None] * levels)[..., None]], dim=-1)
