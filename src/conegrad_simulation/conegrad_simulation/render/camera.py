"""Camera renderer: images of a scene from a camera on the car, with exact boxes."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Floats, Pose
from conegrad_simulation.render.backdrop import paint_backdrop
from conegrad_simulation.render.cone_keypoints import ImageKeypoints, image_keypoints
from conegrad_simulation.render.cone_painter import (
    ConeRasterizer,
    ProjectedCones,
    cone_shadows,
    project_cones,
)
from conegrad_simulation.render.ego_vehicle import ego_vehicle_picture
from conegrad_simulation.render.ground import paint_ground
from conegrad_simulation.render.layers import MAX_CONES, Layers
from conegrad_simulation.render.obstacles import (
    draw_obstacle,
    draw_wall_piece,
    obstacle_shadows,
    project_obstacles,
    project_walls,
)
from conegrad_simulation.render.sensor_effects import apply_sensor_effects
from conegrad_simulation.render.view import View, view_from_pose
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.shade_bands import shade_outlines
from conegrad_simulation.scene.world import World


class RenderedImage(NamedTuple):
    """An image and its N cones, nearest last.

    Attributes:
        image: ``(H, W, 3)`` uint8, RGB.
        boxes_xyxy: ``(N, 4)`` float32 around each whole cone, clipped at the image border [px].
        classes: ``(N,)`` int64 :class:`conegrad_core.cones.ConeClass`.
        visibility: ``(N,)`` share of the cone's pixels that is inside the image and not hidden.
        cones: ``(N,)`` rows of the scene.
        keypoints: of each cone.
    """

    image: RgbImage
    boxes_xyxy: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float64]
    cones: npt.NDArray[np.int64]
    keypoints: ImageKeypoints


class CameraRenderer:
    """Renders scenes for one camera.

    Args:
        model: image size, intrinsics and distortion.
        mounting: of the camera on the car.
    """

    def __init__(self, model: CameraModel, mounting: Mounting) -> None:
        self.model = model
        self.mounting = mounting

    def render(self, scene: Scene, pose: Pose, world: World, seed: int) -> RenderedImage:
        """Render an image: a pure function of its arguments.

        Args:
            scene: cones, obstacles and walls in the map frame.
            pose: of ``base_link`` in the map.
            world: appearance, attitude of the car and sensor effects.
            seed: of the sensor noise.

        Raises:
            ValueError: if more than :data:`~conegrad_simulation.render.layers.MAX_CONES` cones
                are in the image.
        """
        view = view_from_pose(self.model, self.mounting, pose, world)
        cones = project_cones(scene, view, world)
        layers = _empty_layers(self.model)
        _paint_surroundings(layers, scene, cones, view, world)
        covered = draw_objects(layers, scene, cones, view, world)
        _draw_ego_vehicle(layers, world)
        image = apply_sensor_effects(
            layers.image, view, world, np.random.default_rng((seed, 0xCA3E))
        )
        return RenderedImage(
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB),
            _cut_boxes(cones, self.model),
            scene.cone_classes[cones.index],
            _visibility(layers, covered),
            cones.index,
            image_keypoints(scene, cones, view, layers.instances),
        )


def _empty_layers(model: CameraModel) -> Layers:
    size = (model.height, model.width)
    return Layers(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))


def _paint_surroundings(
    layers: Layers, scene: Scene, cones: ProjectedCones, view: View, world: World
) -> None:
    directions = view.coarse_directions()
    cast, contact = cone_shadows(cones, world)
    place = view.position[:2]
    shadows = [*shade_outlines(world, place), *obstacle_shadows(scene, world, place), *cast]
    paint_backdrop(layers.image, directions, view, world)
    paint_ground(layers.image, directions, view, world, shadows, contact)


def draw_objects(
    layers: Layers, scene: Scene, cones: ProjectedCones, view: View, world: World
) -> Floats:
    """Draw cones, obstacles and walls, farthest first.

    Args:
        layers: image and instances, drawn on in place.
        scene: obstacles and walls.
        cones: N projected cones.
        view: the camera.
        world: appearance.

    Returns:
        ``(N,)`` pixels that each whole cone covers, hidden ones included.

    Raises:
        ValueError: if there are more than :data:`~conegrad_simulation.render.layers.MAX_CONES`
            cones.
    """
    if len(cones.index) > MAX_CONES:
        raise ValueError(f"{len(cones.index)} cones in one image, expected at most {MAX_CONES}")
    covered, drawing = np.zeros(len(cones.index)), ConeRasterizer(cones, world)
    obstacles, walls = project_obstacles(scene, view), project_walls(scene, view)
    order = [(depth, 0, row) for row, depth in enumerate(cones.depths)]
    order += [(depth, 1, row) for row, depth in enumerate(obstacles.depths)]
    order += [(depth, 2, row) for row, depth in enumerate(walls.depths)]
    for _, kind, row in sorted(order, reverse=True):
        if kind == 0:
            covered[row] = drawing.draw(layers, row)
        elif kind == 1:
            draw_obstacle(layers, scene, obstacles, row, world)
        else:
            draw_wall_piece(layers, scene, walls, row, world)
    return covered


def _draw_ego_vehicle(layers: Layers, world: World) -> None:
    height, width = layers.instances.shape
    picture = ego_vehicle_picture(world.ego_vehicle, world.ego_vehicle_style, width, height)
    if picture is not None:
        layers.put(picture[0], 0, picture[1], 0)


def _visibility(layers: Layers, covered: Floats) -> Floats:
    counts = np.bincount(layers.instances.ravel(), minlength=len(covered) + 1)
    return np.asarray(np.minimum(counts[1 : len(covered) + 1] / np.maximum(covered, 1.0), 1.0))


def _cut_boxes(cones: ProjectedCones, model: CameraModel) -> npt.NDArray[np.float32]:
    limits = np.array([model.width, model.height] * 2, dtype=np.float32)
    return np.clip(cones.boxes_xyxy, 0, limits).astype(np.float32)
