"""Cones in the image: boxes, shadows, and each cone drawn finer than the pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.cone_mesh import BANDS, BODY, PLATE, SIDES, ConeMeshes, cone_meshes
from conegrad_simulation.layers import Layers
from conegrad_simulation.scene import Floats, Scene
from conegrad_simulation.view import Singles, View
from conegrad_simulation.world import World

Ints = npt.NDArray[np.int64]

NEAREST = 0.3  # [m], depth below which a cone is not drawn
FARTHEST = 60.0  # [m]
MARGIN = 64  # [px] around the image within which cones are drawn at all
SUBPIXEL = 4


@dataclass(frozen=True)
class ProjectedCones:
    """The cones of a scene that reach into an image, nearest last.

    Attributes:
        index: ``(N,)`` rows of the scene.
        depths: ``(N,)`` [m].
        meshes: geometry and paint.
        pixels: ``(N, V, 2)`` all vertices: body from the ground up, then the plate.
        boxes_xyxy: ``(N, 4)`` around the whole cone, not cut at the image border [px].
    """

    index: Ints
    depths: Floats
    meshes: ConeMeshes
    pixels: Singles
    boxes_xyxy: Singles


def project_cones(scene: Scene, view: View, world: World) -> ProjectedCones:
    """Mesh and project the cones that can be in the image."""
    index = _in_view(scene, view)
    depths = _depths(scene, view)
    index = index[np.argsort(-depths[index], kind="stable")]
    meshes = cone_meshes(scene, world, index)
    vertices = np.concatenate(
        [meshes.rings.reshape(len(index), BODY, 3), meshes.plates.reshape(len(index), PLATE, 3)],
        axis=1,
    )
    pixels, visible = view.project(vertices.reshape(-1, 3))
    whole = visible.reshape(len(index), BODY + PLATE).all(axis=1)
    pixels = pixels.reshape(len(index), BODY + PLATE, 2)
    boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
    overlaps = (boxes[:, 2] > 0) & (boxes[:, 0] < view.model.width)
    overlaps &= (boxes[:, 3] > 0) & (boxes[:, 1] < view.model.height)
    keep = np.flatnonzero(whole & overlaps)
    return ProjectedCones(
        index[keep], depths[index[keep]], _rows(meshes, keep), pixels[keep], boxes[keep]
    )


def _depths(scene: Scene, view: View) -> Floats:
    places = np.column_stack([scene.cone_positions, np.full(len(scene.cone_classes), 0.15)])
    return view.depths(places)


def _in_view(scene: Scene, view: View) -> Ints:
    """Cones in a wedge around the field of view, by the widest ray of the image."""
    depths = _depths(scene, view)
    offset = scene.cone_positions - view.position[:2]
    across = np.abs(offset @ [-np.sin(view.heading), np.cos(view.heading)])
    widest = 0.5 * view.model.width / view.focal * 1.3
    near = (depths > NEAREST) & (depths < FARTHEST)
    return np.flatnonzero(near & (across < widest * (np.abs(depths) + 0.5) + 1.0))


def _rows(meshes: ConeMeshes, keep: Ints) -> ConeMeshes:
    return ConeMeshes(
        meshes.rings[keep],
        meshes.plates[keep],
        meshes.paint[keep],
        meshes.plate_paint[keep],
        meshes.cap_paint[keep],
    )


def cone_shadows(cones: ProjectedCones, world: World) -> tuple[list[Floats], list[Floats]]:
    """Outlines on the ground of what the sun does not reach, and of the contact shadows."""
    meshes = cones.meshes
    parts = [meshes.rings[:, [0, -1]].reshape(len(cones.index), 2 * SIDES, 3)]
    parts.append(meshes.plates.reshape(len(cones.index), PLATE, 3))
    points = np.concatenate(parts, axis=1)
    length = min(1.0 / np.tan(world.sun_elevation), 6.0)
    away = -length * np.array([np.cos(world.sun_azimuth), np.sin(world.sun_azimuth)])
    cast = points[..., :2] + points[..., 2:] * away
    plate = meshes.plates[:, 0, :, :2]
    middle = plate.mean(axis=1, keepdims=True)
    contact = middle + (plate - middle) * 1.12
    return [_hull(outline) for outline in cast], list(contact)


def _hull(points: Floats) -> Floats:
    return np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], dtype=np.float64)


def draw_cone(layers: Layers, cones: ProjectedCones, row: int, fog: Floats | None) -> float:
    """Draw one cone over what is there.

    Returns:
        Pixels that the whole cone covers, those outside the image included.
    """
    left, top, right, bottom = cones.boxes_xyxy[row]
    height, width = layers.owners.shape
    x0, y0 = max(int(left) - 1, -MARGIN), max(int(top) - 1, -MARGIN)
    x1, y1 = min(int(right) + 2, width + MARGIN), min(int(bottom) + 2, height + MARGIN)
    finer = _supersampling(bottom - top)
    patch = np.zeros(((y1 - y0) * finer, (x1 - x0) * finer, 4), np.uint8)
    _draw_facets(patch, cones, row, (cones.pixels[row] - [x0 - 0.5, y0 - 0.5]) * finer, fog)
    if finer > 1:
        patch = cv2.resize(patch, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    seen = (right - left) * (bottom - top) / max((x1 - x0) * (y1 - y0), 1)
    covered = float(np.count_nonzero(patch[..., 3] > 127)) * max(1.0, float(seen))
    layers.put(patch, x0, y0, row + 1)
    return covered


def _supersampling(height: float) -> int:
    return 6 if height < 14 else 4 if height < 40 else 3 if height < 90 else 2


def _draw_facets(
    patch: npt.NDArray[np.uint8],
    cones: ProjectedCones,
    row: int,
    pixels: Floats,
    fog: Floats | None,
) -> None:
    # Corners sit half a sample before the centre of the first sample.
    fixed = np.round((pixels - 0.5) * (1 << SUBPIXEL)).astype(np.int32)
    rings, plate = fixed[:BODY].reshape(BANDS + 1, SIDES, 2), fixed[BODY:].reshape(2, 4, 2)
    meshes = cones.meshes
    paint, cap = meshes.paint[row], meshes.cap_paint[row]
    plate_paint = meshes.plate_paint[row]
    if fog is not None:
        share, tone = fog[0], fog[1:]
        paint, cap, plate_paint = (p + share * (tone - p) for p in (paint, cap, plate_paint))
    paint = np.clip(paint, 0, 255)
    cv2.fillConvexPoly(
        patch, cv2.convexHull(plate.reshape(-1, 2)), (*plate_paint[0].tolist(), 255), 8, SUBPIXEL
    )
    cv2.fillConvexPoly(patch, plate[1], (*plate_paint[1].tolist(), 255), 8, SUBPIXEL)
    after = np.roll(rings, -1, axis=1)
    quads = np.stack([rings[:-1], after[:-1], after[1:], rings[1:]], axis=2)
    across, along = quads[:, :, 2] - quads[:, :, 0], quads[:, :, 3] - quads[:, :, 1]
    in_front = (across[..., 0] * along[..., 1] - across[..., 1] * along[..., 0]) < 0
    colours = paint.tolist()
    for band, side in zip(*np.nonzero(in_front), strict=True):
        cv2.fillConvexPoly(patch, quads[band, side], (*colours[band][side], 255), 8, SUBPIXEL)
    rim = rings[-1] - rings[-1].mean(axis=0, dtype=np.int32)
    # The rim turns one way round seen from above, the other way from below.
    if np.sum(rim[:-1, 0] * rim[1:, 1] - rim[:-1, 1] * rim[1:, 0]) < 0:
        cv2.fillConvexPoly(patch, rings[-1], (*np.clip(cap, 0, 255).tolist(), 255), 8, SUBPIXEL)
