"""A small synthetic world: ideal boxes by projecting cones, scans by casting rays."""

import math
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass, Cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.geometry.transforms import (
    mounting_matrix,
    optical_from_body,
    pose_matrix,
    rigid_inverse,
    transform_points,
)
from conegrad_core.lidar.scan import SegmentedScan

LIDAR_HEIGHT = 0.15
ANGLES = torch.linspace(-math.radians(135), math.radians(135), 1081)
CAMERA = CameraModel(
    1280,
    720,
    torch.tensor([[640.0, 0, 640], [0, 640, 360], [0, 0, 1]]),
    torch.tensor([-0.05, 0.01, 0.0005, -0.0003, 0.0]),
    "plumb_bob",
)


def calibration(pitch: float = math.radians(12), camera: CameraModel = CAMERA) -> Calibration:
    """Camera on the roll hoop, 1.1 m high, 1.6 m behind the LiDAR in the nose."""
    lidar_from_camera = mounting_matrix(torch.tensor([-1.6, 0.0, 0.95]), 0.0, pitch, 0.0)
    return Calibration(camera, optical_from_body() @ rigid_inverse(lidar_from_camera), LIDAR_HEIGHT)


@dataclass(frozen=True)
class Scene:
    """Cones (x, y, class), round posts (x, y, radius) and walls (x0, y0, x1, y1) [m]."""

    cones: tuple[tuple[float, float, ConeClass], ...]
    posts: tuple[tuple[float, float, float], ...] = ()
    walls: tuple[tuple[float, float, float, float], ...] = ()
    calibration: Calibration = field(default_factory=calibration)

    @property
    def positions(self) -> Tensor:
        return torch.tensor([cone[:2] for cone in self.cones]).reshape(-1, 2)

    def scan(self, cone_logit: float = 4.0, other_logit: float = -4.0) -> SegmentedScan:
        """Noiseless ranges; beams on cones have ``cone_logit``."""
        rays = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)
        nearest = torch.full_like(ANGLES, math.inf)
        on_cone = torch.zeros_like(ANGLES, dtype=torch.bool)
        for x, y, kind in self.cones:
            radius = 0.4 * CONE_WIDTHS[kind] * (1 - LIDAR_HEIGHT / CONE_HEIGHTS[kind])
            hit = _circle(rays, x, y, radius)
            on_cone = torch.where(hit < nearest, True, on_cone)
            nearest = torch.minimum(nearest, hit)
        for hit in [_circle(rays, *post) for post in self.posts] + [
            _wall(rays, *wall) for wall in self.walls
        ]:
            on_cone = torch.where(hit < nearest, False, on_cone)
            nearest = torch.minimum(nearest, hit)
        ranges = torch.where(nearest < 30, nearest, torch.nan)
        return SegmentedScan(ranges, ANGLES, torch.where(on_cone, cone_logit, other_logit))

    def detections(self, cone_logit: float = 2.0, pitch_error: float = 0.0) -> Detections:
        """Exact boxes of the cones in view, as seen by a car that dips by ``pitch_error``."""
        camera = self.calibration.camera
        dip = mounting_matrix(torch.zeros(3), 0.0, pitch_error, 0.0)
        camera_from_lidar = self.calibration.camera_from_lidar @ rigid_inverse(dip)
        boxes, logits = [], []
        for x, y, kind in self.cones:
            outline = _outline(x, y, kind)
            pixels, visible = project(outline, camera_from_lidar, camera)
            box = torch.cat([pixels.amin(0), pixels.amax(0)])
            limit = torch.tensor([camera.width, camera.height] * 2) - 1.0
            cut = torch.minimum(box.clamp(min=0), limit)
            if visible.all() and (cut[2:] - cut[:2] > 3).all():
                boxes.append(cut)
                row = torch.full((4,), -4.0)
                row[kind] = cone_logit
                logits.append(row)
        if not boxes:
            return Detections(torch.zeros(0, 4), torch.zeros(0, 4))
        return Detections(torch.stack(boxes), torch.stack(logits))

    def moved(self, x: float, y: float, yaw: float) -> "Scene":
        """The same world from a car that moved by x, y, yaw."""
        new_from_old = rigid_inverse(pose_matrix(x, y, yaw))
        points = torch.nn.functional.pad(self.positions, (0, 1))
        points = transform_points(new_from_old, points).tolist()
        cones = tuple((p[0], p[1], cone[2]) for p, cone in zip(points, self.cones, strict=True))
        return replace(self, cones=cones)


def _circle(rays: Tensor, x: float, y: float, radius: float) -> Tensor:
    along = rays[:, 0] * x + rays[:, 1] * y
    root = along**2 - (x * x + y * y - radius**2)
    hit = (root > 0) & (along > 0)
    return torch.where(hit, along - root.clamp(min=0).sqrt(), math.inf)


def _wall(rays: Tensor, x0: float, y0: float, x1: float, y1: float) -> Tensor:
    dx, dy = x1 - x0, y1 - y0
    determinant = rays[:, 1] * dx - rays[:, 0] * dy
    distance = (y0 * dx - x0 * dy) / determinant
    share = (rays[:, 0] * y0 - rays[:, 1] * x0) / -determinant
    hit = (distance > 0) & (share >= 0) & (share <= 1)
    return torch.where(hit, distance, math.inf)


def _outline(x: float, y: float, kind: ConeClass) -> Tensor:
    turn = torch.linspace(0, 2 * math.pi, 33)
    radius = 0.5 * CONE_WIDTHS[kind]
    base = torch.stack(
        [x + radius * turn.cos(), y + radius * turn.sin(), torch.full_like(turn, -LIDAR_HEIGHT)], -1
    )
    tip = torch.tensor([[x, y, CONE_HEIGHTS[kind] - LIDAR_HEIGHT]])
    return torch.cat([base, tip])


def track(start: float = 3.0, end: float = 14.0) -> tuple[tuple[float, float, ConeClass], ...]:
    """Blue cones on the left, yellow ones on the right, every 3 m."""
    steps = [start + 3.0 * index for index in range(int((end - start) / 3) + 1)]
    left = tuple((x, 1.7, ConeClass.BLUE) for x in steps)
    right = tuple((x + 0.4, -1.6, ConeClass.YELLOW) for x in steps)
    return left + right


def found(cones: Cones, x: float, y: float, within: float = 0.1) -> Cones | None:
    """The cone at a place, or None."""
    distance = (cones.positions.detach() - torch.tensor([x, y])).norm(dim=-1)
    if not len(distance) or distance.min() > within:
        return None
    return cones.rows(distance.argmin())


@dataclass(frozen=True)
class World:
    """What the tests of the fusion build their scenes from."""

    scene: type[Scene] = Scene
    calibration: object = staticmethod(calibration)
    track: object = staticmethod(track)
    found: object = staticmethod(found)


@pytest.fixture(scope="session")
def world() -> World:
    """Builders of synthetic scenes."""
    return World()
