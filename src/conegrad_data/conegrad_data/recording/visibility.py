"""Which cones of a map the sensors could see, by geometry."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass, TrueCones
from conegrad_core.geometry.camera import CameraModel, project

CAMERA_RANGE = 25.0  # [m], a small cone is 8 px high there at 640 px over 60 degrees
HIDDEN_SHARE = 0.7  # of a cone's outline behind one other cone, from which it counts as unseen


@dataclass(frozen=True)
class SensorViews:
    """What the sensors can see of a map, in the frame of the LiDAR.

    Attributes:
        ground_z: of the ground in the frame of the LiDAR [m].
        angle_low: first angle of the scan [rad].
        angle_high: last angle of the scan [rad].
        lidar_range: longest range of the scan [m].
        camera: None where there is no camera, or its place is unknown.
        camera_from_lidar: ``(4, 4)``, with ``camera``.
        camera_range: farthest cone that the camera is asked for [m].
        up: z of the upward direction in the frame of the LiDAR: 1, or -1 where it hangs.
    """

    ground_z: float
    angle_low: float
    angle_high: float
    lidar_range: float
    camera: CameraModel | None = None
    camera_from_lidar: Tensor | None = None
    camera_range: float = CAMERA_RANGE
    up: float = 1.0


def with_visibility(truth: TrueCones, views: SensorViews) -> TrueCones:
    """Truth with the marks of the sensors that could see each cone; only cones hide cones."""
    distances, angles = truth.positions.norm(dim=-1), torch.atan2(*truth.positions.mT.flip(0))
    in_scan = (angles >= views.angle_low) & (angles <= views.angle_high)
    return truth._replace(
        visible_lidar=in_scan & (distances <= views.lidar_range) & ~_hidden_from_lidar(truth),
        visible_camera=_in_picture(truth.positions, views) & ~_hidden_from_camera(truth, views),
    )


def _hidden_from_lidar(truth: TrueCones) -> Tensor:
    """Cones whose centre lies behind a nearer cone, seen from the LiDAR."""
    widths = torch.tensor((*CONE_WIDTHS, CONE_WIDTHS[ConeClass.BLUE]), dtype=torch.float64)
    distances = truth.positions.double().norm(dim=-1).clamp(min=1e-3)
    angles = torch.atan2(truth.positions[:, 1], truth.positions[:, 0]).double()
    apart = (angles[:, None] - angles[None] + math.pi) % (2 * math.pi) - math.pi
    covers = torch.atan2(widths[truth.classes] / 2, distances)[None]
    hidden: Tensor = ((apart.abs() < covers) & (distances[None] < distances[:, None])).any(dim=1)
    return hidden


def _in_picture(positions: Tensor, views: SensorViews) -> Tensor:
    if views.camera is None or views.camera_from_lidar is None:
        return torch.zeros(len(positions), dtype=torch.bool)
    ground = torch.full((len(positions), 1), views.ground_z, dtype=torch.float64)
    feet = torch.cat([positions.double(), ground], dim=-1)
    camera = views.camera._replace(
        intrinsics=views.camera.intrinsics.double(), distortion=views.camera.distortion.double()
    )
    pixels, in_front = project(feet, views.camera_from_lidar.double(), camera)
    size = torch.tensor([camera.width, camera.height], dtype=torch.float64)
    inside = ((pixels >= 0) & (pixels < size)).all(dim=-1)
    seen: Tensor = inside & in_front & (positions.norm(dim=-1) <= views.camera_range)
    return seen


def _hidden_from_camera(truth: TrueCones, views: SensorViews) -> Tensor:
    """``(N,)`` mask of cones whose outline lies mostly behind one nearer cone."""
    if views.camera is None or views.camera_from_lidar is None:
        return torch.zeros(len(truth.positions), dtype=torch.bool)
    boxes, depth = _outlines(truth, views, views.camera, views.camera_from_lidar.float())
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6).prod(-1)
    nearer = (depth[None] < depth[:, None]) & (depth[None] > 0)
    # A cone fills two thirds of its box, so a covered box must be nearly whole.
    hidden: Tensor = (nearer & (overlap / area[:, None] > HIDDEN_SHARE)).any(dim=1)
    return hidden


def _outlines(
    truth: TrueCones, views: SensorViews, camera: CameraModel, camera_from_lidar: Tensor
) -> tuple[Tensor, Tensor]:
    """Boxes ``(N, 4)`` of the upright cones in the image [px] and their depth ``(N,)`` [m]."""
    small = ConeClass.BLUE
    heights = torch.tensor((*CONE_HEIGHTS, CONE_HEIGHTS[small]))[truth.classes]
    widths = torch.tensor((*CONE_WIDTHS, CONE_WIDTHS[small]))[truth.classes]
    foot = torch.nn.functional.pad(truth.positions.float(), (0, 1), value=views.ground_z)
    top = foot + torch.nn.functional.pad(views.up * heights[:, None], (2, 0))
    low, _ = project(foot, camera_from_lidar, camera)
    high, _ = project(top, camera_from_lidar, camera)
    depth = (foot @ camera_from_lidar[:3, :3].mT + camera_from_lidar[:3, 3])[:, 2]
    half = 0.5 * widths * camera.intrinsics[0, 0] / depth.clamp(min=0.1)
    boxes = torch.stack([low[:, 0] - half, high[:, 1], low[:, 0] + half, low[:, 1]], dim=-1)
    return boxes, depth
