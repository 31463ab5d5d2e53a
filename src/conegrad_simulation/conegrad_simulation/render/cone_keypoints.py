"""Keypoints of the cones of an image: where they are, and which of them the image shows."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.keypoints.cone_model import LEVELS, SIDES, keypoint_places
from conegrad_simulation.planar import Floats
from conegrad_simulation.render.cone_mesh import turned
from conegrad_simulation.render.cone_painter import ProjectedCones
from conegrad_simulation.render.view import Singles, View
from conegrad_simulation.scene.scene import Scene

Instances = npt.NDArray[np.uint8]

INWARDS = 0.25  # share of the way to the axis at which an edge is looked for in the image
SEARCH = 1  # [px] around it


class ImageKeypoints(NamedTuple):
    """The keypoints of N cones, in the order of :data:`conegrad_core.keypoints.cone_model.NAMES`.

    Attributes:
        pixels: ``(N, 7, 2)`` float32, also outside the image and behind other things [px].
        visible: ``(N, 7)`` bool, the image shows the cone there. It is known to a pixel: a pixel
            belongs to the thing that covers most of it. Glare, fog and the blur of the camera
            hide nothing.
    """

    pixels: Singles
    visible: npt.NDArray[np.bool_]


def image_keypoints(
    scene: Scene, cones: ProjectedCones, view: View, instances: Instances
) -> ImageKeypoints:
    """Keypoints of projected cones, from their true dimensions, lean and the true camera.

    The edges of a cone that leans are those of an upright one that is turned with its axis.

    Args:
        scene: dimensions of the cones.
        cones: N cones in the image.
        view: the camera.
        instances: ``(H, W)`` row of the cone that each pixel shows, plus one; 0: something else.
    """
    places = _places(scene, cones, view)
    pixels, in_front = view.project(places.reshape(-1, 3))
    pixels, in_front = pixels.reshape(*places.shape[:2], 2), in_front.reshape(places.shape[:2])
    return ImageKeypoints(pixels, in_front & _shown(pixels, instances))


def _places(scene: Scene, cones: ProjectedCones, view: View) -> Floats:
    """``(N, 7, 3)`` in the map."""
    rows, positions = cones.index, scene.cone_positions[cones.index]
    sizes = (scene.cone_heights, scene.cone_bottom_radii, scene.cone_top_radii)
    heights, bottoms, tops = (torch.from_numpy(size[rows]) for size in sizes)
    axes, eye = torch.from_numpy(positions), torch.from_numpy(view.position[:2].copy())
    places = keypoint_places(axes, heights, bottoms, tops, eye).numpy()
    places[..., :2] -= positions[:, None]
    places = turned(places, scene.cone_leans[rows])
    places[..., :2] += positions[:, None]
    # A cone that leans is lifted until nothing of it is below the ground.
    places[..., 2] += cones.meshes.rings[:, 0, :, 2].mean(axis=1, keepdims=True)
    return np.asarray(places)


def _shown(pixels: Singles, instances: Instances) -> npt.NDArray[np.bool_]:
    """Whether a pixel of the cone lies at each keypoint, which has to be inside the image."""
    height, width = instances.shape
    own = np.arange(1, len(pixels) + 1)[:, None]
    found = np.zeros(pixels.shape[:2], dtype=bool)
    places = _rounded(pixels + np.float32(INWARDS) * (_on_axis(pixels) - pixels))
    for shift in np.ndindex(2 * SEARCH + 1, 2 * SEARCH + 1):
        u, v = np.moveaxis(places + np.array(shift) - SEARCH, -1, 0)
        inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
        found |= inside & (instances[v.clip(0, height - 1), u.clip(0, width - 1)] == own)
    column, row = np.moveaxis(_rounded(pixels), -1, 0)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return np.asarray(found & inside)


def _rounded(pixels: Singles) -> npt.NDArray[np.int64]:
    return np.asarray(np.rint(pixels.clip(-1e6, 1e6)), dtype=np.int64)


def _on_axis(pixels: Singles) -> Singles:
    """The middle between both edges at the level of each keypoint; the tip is on the axis."""
    other = [_partner(place) for place in range(len(LEVELS))]
    return np.asarray((pixels + pixels[:, other]) / 2)


def _partner(place: int) -> int:
    """The keypoint at the same level on the other side of the axis."""
    return next(
        other
        for other in range(len(LEVELS))
        if LEVELS[other] == LEVELS[place] and SIDES[other] == -SIDES[place]
    )
