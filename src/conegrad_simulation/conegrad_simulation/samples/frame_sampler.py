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
from conegrad_simulation.lidar.scene_targets import FALLEN
from conegrad_simulation.planar import Floats, Pose
from conegrad_simulation.render.camera import CameraRenderer, RenderedImage
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.samples.random_camera import (
    CAMERAS,
    RANGES,
    PaddedCamera,
    padded_model,
    padded_vehicle_camera,
    random_camera,
)
from conegrad_simulation.samples.random_course import random_course
from conegrad_simulation.samples.visibility import is_visible
from conegrad_simulation.scene.clutter import cluttered_scene, ring_of_walls
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

PADDING = 114  # grey around an image that does not fill its frame, as the detector pads
TRUTH_RANGE = 30.0  # [m]
LIDAR_HEIGHTS = (0.09, 0.2)  # [m]


class ImageSample(NamedTuple):
    """An image for the detector.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB of the requested size.
        boxes_xyxy: ``(N, 4)`` float32, visible cones [px].
        classes: ``(N,)`` int64 :class:`conegrad_core.cones.ConeClass`.
        visibility: ``(N,)`` share of each cone that is inside the image and not hidden.
        keypoints: ``(N, 7, 2)`` float32, also those that are not visible [px].
        keypoints_visible: ``(N, 7)`` bool, see
            :class:`conegrad_simulation.render.cone_keypoints.ImageKeypoints`.
        stands: ``(N,)`` bool, the cone has not fallen over.
    """

    image: RgbImage
    boxes_xyxy: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float64]
    keypoints: npt.NDArray[np.float32]
    keypoints_visible: npt.NDArray[np.bool_]
    stands: npt.NDArray[np.bool_]


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


class FrameSetup(NamedTuple):
    """Scene, car and sensors of a frame.

    Attributes:
        scene: in the map frame.
        pose: of the car in the map.
        world: appearance, noise, and attitude of the car.
        camera: the camera.
        lidar: the LiDAR.
    """

    scene: Scene
    pose: Pose
    world: World
    camera: PaddedCamera
    lidar: LidarPreset


def sample_image(
    seed: int, vehicle: Vehicle, level: str = "wide", size: tuple[int, int] = (640, 384)
) -> ImageSample:
    """The image of :func:`sample_frame` alone, which is faster; arguments as there."""
    setup = _frame_setup(seed, vehicle, level, size)
    return _image(setup, _render(setup, seed), size, level)


def sample_frame(
    seed: int, vehicle: Vehicle, level: str = "varied", size: tuple[int, int] = (640, 384)
) -> Frame:
    """One random paired frame: a pure function of its arguments.

    Args:
        seed: of all random draws.
        vehicle: sensors; ``wide`` and ``hard`` replace the camera's lens, height and
            pitch and the height of the LiDAR by random ones and keep the number of beams.
        level: ``clear``, ``varied``, ``wide`` or ``hard``, see :meth:`World.sample`.
        size: width and height of the image [px]; the camera's picture is shrunk into it and
            padded with grey.
    """
    setup = _frame_setup(seed, vehicle, level, size)
    return frame_of(setup, setup, seed, size)


def frame_of(actual: FrameSetup, calibrated: FrameSetup, seed: int, size: tuple[int, int]) -> Frame:
    """The frame of a car whose actual mountings differ from its calibration.

    Args:
        actual: setup with the mountings that make image and scan.
        calibrated: the same setup with the calibrated mountings, the frames of truth and
            calibration.
        seed: of the noise.
        size: width and height of the image [px].
    """
    rendered = _render(actual, seed)
    scan = _caster(actual.lidar).cast(actual.scene, actual.pose, actual.world, seed)
    return Frame(
        _image(actual, rendered, size),
        scan.ranges,
        actual.lidar.angles().numpy(),
        scan.labels,
        _truth(calibrated, rendered, scan),
        _calibration(calibrated, size),
    )


def _frame_setup(seed: int, vehicle: Vehicle, level: str, size: tuple[int, int]) -> FrameSetup:
    rng = np.random.default_rng((seed, 0x5A3F))
    world = World.sample(rng, level)
    camera, lidar = padded_vehicle_camera(vehicle, size), vehicle.lidar
    if level in RANGES:
        index, mounting = int(rng.integers(CAMERAS)), vehicle.camera.mounting
        camera = random_camera(index, mounting, size, RANGES[level])
        height = round(float(rng.uniform(*LIDAR_HEIGHTS)), 2)
        lidar = dataclasses.replace(lidar, mounting=dataclasses.replace(lidar.mounting, z=height))
    focal = float(camera.model.intrinsics[0, 0])
    half_view = math.atan(camera.model.width / 2 / focal)
    positions, classes, pose = random_course(rng, half_view, vehicle.cone_spacing_scale, level)
    place = np.array([[pose.x, pose.y]])
    ahead = np.array([math.cos(pose.yaw), math.sin(pose.yaw)])
    keep_clear = place + np.linspace(-1.0, 3.0, 5)[:, None] * ahead
    scene = cluttered_scene(positions, classes, keep_clear, world, seed)
    if world.surroundings in ("yard", "hall") and rng.random() < 0.75:
        radius = float(rng.uniform(5.0, 16.0))
        world = dataclasses.replace(world, backdrop_distance=radius)
        eye = view_from_pose(camera.model, camera.mounting, pose, world).position[:2]
        scene = ring_of_walls(scene, eye, radius)
    return FrameSetup(scene, pose, world, camera, lidar)


def _render(setup: FrameSetup, seed: int) -> RenderedImage:
    renderer = CameraRenderer(setup.camera.model, setup.camera.mounting)
    return renderer.render(setup.scene, setup.pose, setup.world, seed)


@lru_cache(maxsize=64)
def _caster(preset: LidarPreset) -> LidarCaster:
    return LidarCaster(preset)


def _image(
    setup: FrameSetup,
    rendered: RenderedImage,
    size: tuple[int, int],
    level: str = "",
) -> ImageSample:
    camera = setup.camera
    image = np.full((size[1], size[0], 3), PADDING, np.uint8)
    height, width = rendered.image.shape[:2]
    image[camera.top : camera.top + height, camera.left : camera.left + width] = rendered.image
    visible = is_visible(rendered, level)
    corner = np.array([camera.left, camera.top], dtype=np.float32)
    leans = np.hypot(*setup.scene.cone_leans[rendered.cones[visible]].T)
    return ImageSample(
        image,
        rendered.boxes_xyxy[visible] + np.tile(corner, 2),
        rendered.classes[visible],
        rendered.visibility[visible],
        rendered.keypoints.pixels[visible] + corner,
        rendered.keypoints.visible[visible],
        leans <= FALLEN,
    )


def _truth(setup: FrameSetup, rendered: RenderedImage, scan: CastScan) -> TrueCones:
    positions = _in_lidar(setup.scene.cone_positions, setup.pose, setup.lidar)
    count = len(positions)
    by_camera, by_lidar = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    by_camera[rendered.cones[is_visible(rendered)]] = True
    by_lidar[np.unique(scan.cones[scan.cones >= 0])] = True
    near = np.linalg.norm(positions, axis=1) < TRUTH_RANGE
    return TrueCones(
        torch.from_numpy(positions[near].astype(np.float32)),
        torch.from_numpy(setup.scene.cone_classes[near]),
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


def _calibration(setup: FrameSetup, size: tuple[int, int]) -> Calibration:
    lidar = setup.lidar.mounting
    return Calibration(
        padded_model(setup.camera, size),
        camera_from_lidar(setup.camera.mounting, lidar),
        lidar.z,
    )
