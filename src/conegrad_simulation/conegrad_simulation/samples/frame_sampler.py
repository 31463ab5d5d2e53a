"""Training frames by seed: image, boxes, scan, beam labels and true cones of a random scene."""

import dataclasses
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.vehicle import LidarPreset, Vehicle, camera_from_lidar
from conegrad_simulation.lidar.planar_lidar import CastScan, LidarCaster
from conegrad_simulation.planar import Floats, Pose
from conegrad_simulation.render.camera import CameraRenderer, RenderedImage
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.samples.random_camera import (
    CAMERAS,
    Canvas,
    padded_model,
    random_canvas,
    vehicle_canvas,
)
from conegrad_simulation.samples.random_course import random_course
from conegrad_simulation.scene.clutter import furnished_scene, ring_of_walls
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

PADDING = 114  # grey around an image that does not fill its frame, as the detector pads
MIN_VISIBILITY = 0.3  # share of a cone that must be seen
MIN_BOX_HEIGHT = 4.0  # [px]
TRUTH_RANGE = 30.0  # [m]
LIDAR_HEIGHTS = (0.09, 0.2)  # [m]


class ImageSample(NamedTuple):
    """An image for the detector.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB of the requested size.
        boxes_xyxy: ``(N, 4)`` float32, cones that can be seen [px].
        classes: ``(N,)`` int64 :class:`conegrad_core.cones.ConeClass`.
        visibility: ``(N,)`` share of each cone that is inside the image and not hidden.
    """

    image: RgbImage
    boxes_xyxy: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float64]


class Frame(NamedTuple):
    """A paired frame of camera and LiDAR.

    Attributes:
        sample: image and boxes.
        ranges: ``(B,)`` float32 [m]; NaN where a beam has no return.
        angles: ``(B,)`` float32 [rad].
        labels: ``(B,)`` bool, the beam hit a cone.
        truth: cones within 30 m in the LiDAR frame.
        calibration: of the image of the requested size and the LiDAR.
    """

    sample: ImageSample
    ranges: npt.NDArray[np.float32]
    angles: npt.NDArray[np.float32]
    labels: npt.NDArray[np.bool_]
    truth: TrueCones
    calibration: Calibration


class Setting(NamedTuple):
    """Everything that a frame shows.

    Attributes:
        scene: in the map frame.
        pose: of the car in the map.
        world: looks, noise, and attitude of the car.
        canvas: the camera.
        lidar: the LiDAR.
    """

    scene: Scene
    pose: Pose
    world: World
    canvas: Canvas
    lidar: LidarPreset


def sample_image(
    seed: int, vehicle: Vehicle, level: str = "wide", size: tuple[int, int] = (640, 384)
) -> ImageSample:
    """The image of :func:`sample_frame` alone, which is faster."""
    setting = _setting(seed, vehicle, level, size)
    return _image(setting, _render(setting, seed), size)


def sample_frame(
    seed: int, vehicle: Vehicle, level: str = "varied", size: tuple[int, int] = (640, 384)
) -> Frame:
    """One random paired frame: a pure function of its arguments.

    Args:
        seed: of every draw.
        vehicle: sensors; ``wide`` replaces the camera's lens, height and pitch and the height
            of the LiDAR by random ones and keeps the number of beams.
        level: ``clear``, ``varied`` or ``wide``, see :meth:`World.sample`.
        size: width and height of the image [px]; the camera's picture is shrunk into it and
            padded with grey.
    """
    setting = _setting(seed, vehicle, level, size)
    return frame_of(setting, setting, seed, size)


def frame_of(real: Setting, believed: Setting, seed: int, size: tuple[int, int]) -> Frame:
    """The frame of a car whose sensors are not quite where its calibration says.

    Args:
        real: image and scan are made with its sensors.
        believed: the same car by its calibration: truth and calibration are told in its frames.
        seed: of the noise.
        size: width and height of the image [px].
    """
    rendered = _render(real, seed)
    scan = _caster(real.lidar).cast(real.scene, real.pose, real.world, seed)
    return Frame(
        _image(real, rendered, size),
        scan.ranges,
        real.lidar.angles().numpy(),
        scan.labels,
        _truth(believed, rendered, scan),
        _calibration(believed, size),
    )


def _setting(seed: int, vehicle: Vehicle, level: str, size: tuple[int, int]) -> Setting:
    rng = np.random.default_rng((seed, 0x5A3F))
    world = World.sample(rng, level)
    canvas, lidar = vehicle_canvas(vehicle, size), vehicle.lidar
    if level == "wide":
        canvas = random_canvas(int(rng.integers(CAMERAS)), vehicle.camera.mounting, size)
        height = round(float(rng.uniform(*LIDAR_HEIGHTS)), 2)
        lidar = dataclasses.replace(lidar, mounting=dataclasses.replace(lidar.mounting, z=height))
    focal = float(canvas.model.intrinsics[0, 0])
    half_view = math.atan(canvas.model.width / 2 / focal)
    positions, classes, pose = random_course(rng, half_view, vehicle.cone_spacing_scale, level)
    place = np.array([[pose.x, pose.y]])
    ahead = np.array([math.cos(pose.yaw), math.sin(pose.yaw)])
    keep_clear = place + np.linspace(-1.0, 3.0, 5)[:, None] * ahead
    scene = furnished_scene(positions, classes, keep_clear, world, seed)
    if world.surroundings in ("yard", "hall") and rng.random() < 0.75:
        radius = float(rng.uniform(5.0, 16.0))
        world = dataclasses.replace(world, backdrop_distance=radius)
        eye = view_from_pose(canvas.model, canvas.mounting, pose, world).position[:2]
        scene = ring_of_walls(scene, eye, radius)
    return Setting(scene, pose, world, canvas, lidar)


def _render(setting: Setting, seed: int) -> RenderedImage:
    renderer = CameraRenderer(setting.canvas.model, setting.canvas.mounting)
    return renderer.render(setting.scene, setting.pose, setting.world, seed)


@lru_cache(maxsize=64)
def _caster(preset: LidarPreset) -> LidarCaster:
    return LidarCaster(preset)


def _is_seen(rendered: RenderedImage) -> npt.NDArray[np.bool_]:
    heights = rendered.boxes_xyxy[:, 3] - rendered.boxes_xyxy[:, 1]
    return np.asarray((rendered.visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT))


def _image(setting: Setting, rendered: RenderedImage, size: tuple[int, int]) -> ImageSample:
    canvas = setting.canvas
    image = np.full((size[1], size[0], 3), PADDING, np.uint8)
    height, width = rendered.image.shape[:2]
    image[canvas.top : canvas.top + height, canvas.left : canvas.left + width] = rendered.image
    seen = _is_seen(rendered)
    offset = np.array([canvas.left, canvas.top] * 2, dtype=np.float32)
    return ImageSample(
        image,
        rendered.boxes_xyxy[seen] + offset,
        rendered.classes[seen],
        rendered.visibility[seen],
    )


def _truth(setting: Setting, rendered: RenderedImage, scan: CastScan) -> TrueCones:
    positions = _in_lidar(setting.scene.cone_positions, setting.pose, setting.lidar)
    count = len(positions)
    by_camera, by_lidar = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    by_camera[rendered.cones[_is_seen(rendered)]] = True
    by_lidar[np.unique(scan.cones[scan.cones >= 0])] = True
    near = np.linalg.norm(positions, axis=1) < TRUTH_RANGE
    return TrueCones(
        torch.from_numpy(positions[near].astype(np.float32)),
        torch.from_numpy(setting.scene.cone_classes[near]),
        torch.from_numpy(by_camera[near]),
        torch.from_numpy(by_lidar[near]),
    )


def _in_lidar(positions: Floats, pose: Pose, lidar: LidarPreset) -> Floats:
    """Map points ``(N, 2)`` in the frame of the LiDAR of a level car."""
    cosine, sine = math.cos(pose.yaw), math.sin(pose.yaw)
    offset = positions - [pose.x, pose.y]
    in_base = np.stack(
        [offset[:, 0] * cosine + offset[:, 1] * sine, offset[:, 1] * cosine - offset[:, 0] * sine],
        axis=1,
    )
    mounting = lidar.mounting
    cosine, sine = math.cos(mounting.yaw), math.sin(mounting.yaw)
    rest = in_base - [mounting.x, mounting.y]
    return np.stack(
        [rest[:, 0] * cosine + rest[:, 1] * sine, rest[:, 1] * cosine - rest[:, 0] * sine], axis=1
    )


def _calibration(setting: Setting, size: tuple[int, int]) -> Calibration:
    lidar = setting.lidar.mounting
    return Calibration(
        padded_model(setting.canvas, size),
        camera_from_lidar(setting.canvas.mounting, lidar),
        lidar.z,
    )
