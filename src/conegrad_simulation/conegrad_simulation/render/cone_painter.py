"""Cones in the image: boxes, shadows, and supersampled drawing."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.planar import Floats
from conegrad_simulation.render.backdrop import sky_colours
from conegrad_simulation.render.cone_mesh import BANDS, BODY, PLATE, SIDES, ConeMeshes, cone_meshes
from conegrad_simulation.render.layers import Layers
from conegrad_simulation.render.texture import Bytes
from conegrad_simulation.render.view import Singles, View
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

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
    """Meshes and pixels of the cones of a scene that reach into the image."""
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
    """Outlines ``(K, 2)`` on the ground [m] of the cast shadows, and of the contact shadows."""
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


class ConeRasterizer:
    """Draws the cones of an image one by one, from arrays computed for all of them."""

    def __init__(self, cones: ProjectedCones, world: World) -> None:
        self.boxes = cones.boxes_xyxy
        self.rings = cones.pixels[:, :BODY].reshape(-1, BANDS + 1, SIDES, 2)
        self.plates = cones.pixels[:, BODY:].reshape(-1, 2, 4, 2)
        after = np.roll(self.rings, -1, axis=2)
        self.quads = np.stack(
            [self.rings[:, :-1], after[:, :-1], after[:, 1:], self.rings[:, 1:]], axis=3
        )
        self.in_front = _turns_left(self.quads) < 0
        # The rim has another orientation seen from above than from below.
        self.shows_top = _turns_left(self.rings[:, -1, [0, 3, 5, 8]]) < 0
        self._tint(cones, world)

    def _tint(self, cones: ProjectedCones, world: World) -> None:
        meshes = cones.meshes
        share = 1.0 - (1.0 - world.fog) ** (cones.depths / 20.0)
        tone = sky_colours(world)[1]

        def behind_fog(paint: Floats) -> Floats:
            fog = share.reshape(-1, *[1] * (paint.ndim - 1))
            return np.clip(paint + fog * (tone - paint), 0, 255)

        self.paint = behind_fog(meshes.paint)
        self.plate_paint = behind_fog(meshes.plate_paint)
        self.cap_paint = behind_fog(meshes.cap_paint)

    def draw(self, layers: Layers, row: int) -> float:
        """Draw one cone over the image.

        Returns:
            Pixels that the whole cone covers, those outside the image included.
        """
        left, top, right, bottom = self.boxes[row].tolist()
        height, width = layers.instances.shape
        x0, y0 = max(int(left) - 1, -MARGIN), max(int(top) - 1, -MARGIN)
        x1, y1 = min(int(right) + 2, width + MARGIN), min(int(bottom) + 2, height + MARGIN)
        finer = _supersampling(bottom - top)
        patch = np.zeros(((y1 - y0) * finer, (x1 - x0) * finer, 4), np.uint8)
        self._draw_facets(patch, row, (x0 - 0.5, y0 - 0.5), finer)
        if finer > 1:
            patch = cv2.resize(patch, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        layers.put(patch, x0, y0, row + 1)
        # A cone that is cut at the margin counts as equally dense in the rest of its box.
        hidden = (right - left) * (bottom - top) / max((x1 - x0) * (y1 - y0), 1)
        return float(np.count_nonzero(patch[..., 3] > 127) * max(1.0, hidden))

    def _draw_facets(self, patch: Bytes, row: int, corner: tuple[float, float], finer: int) -> None:
        def fixed(pixels: Singles) -> npt.NDArray[np.int32]:
            # Polygons end at the centres of samples, half a sample from the corner of the first.
            samples = (pixels - np.array(corner, dtype=np.float32)) * np.float32(
                finer
            ) - np.float32(0.5)
            return np.asarray(np.rint(samples * np.float32(1 << SUBPIXEL)), dtype=np.int32)

        plate = fixed(self.plates[row])
        sides, top = self.plate_paint[row].tolist()
        hull = cv2.convexHull(plate.reshape(-1, 2))
        cv2.fillConvexPoly(patch, hull, (*sides, 255), cv2.LINE_8, SUBPIXEL)
        cv2.fillConvexPoly(patch, plate[1], (*top, 255), cv2.LINE_8, SUBPIXEL)
        seen = self.in_front[row]
        quads, colours = fixed(self.quads[row][seen]), self.paint[row][seen].tolist()
        for quad, colour in zip(quads, colours, strict=True):
            cv2.fillConvexPoly(patch, quad, (*colour, 255), cv2.LINE_8, SUBPIXEL)
        if self.shows_top[row]:
            cap = (*self.cap_paint[row].tolist(), 255)
            cv2.fillConvexPoly(patch, fixed(self.rings[row, -1]), cap, cv2.LINE_8, SUBPIXEL)


def _supersampling(height: float) -> int:
    return 6 if height < 14 else 4 if height < 40 else 3 if height < 90 else 2


def _turns_left(quads: Singles) -> Singles:
    """Signed area of the diagonals of quadrilaterals ``(..., 4, 2)``."""
    first, second = quads[..., 2, :] - quads[..., 0, :], quads[..., 3, :] - quads[..., 1, :]
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])
