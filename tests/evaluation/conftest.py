"""A small drive with published cones, written into a bag without any perception."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones, TrueCones
from conegrad_core.drawing import draw_cones_on_image
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse
from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags import messages
from conegrad_data.bags.writer import BagWriter
from conegrad_data.recording.visibility import SensorViews, with_visibility

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
RADIUS, LANE = 12.0, 3.4


@dataclass(frozen=True)
class Plan:
    """What the bag holds and how good its cones are."""

    frames: int = 40
    images: bool = True
    scans: bool = True
    truth: bool = True
    odom: bool = True
    body: str = "base_link"
    latency: bool = True
    truth_every: int = 1
    perfect: bool = False
    empty: bool = False
    seed: int = 0


@pytest.fixture(scope="session")
def make_drive(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Plan], Path]:
    """Function that writes the bag of a plan and gives its path."""

    def make(plan: Plan) -> Path:
        path = tmp_path_factory.mktemp("bags") / "drive"
        write_drive(path, plan)
        return path

    return make


@pytest.fixture(scope="session")
def plan() -> type[Plan]:
    """What the bag holds and how good its cones are."""
    return Plan


@pytest.fixture(name="track")
def track_fixture() -> tuple[np.ndarray, np.ndarray]:
    """Positions and classes of the cones that the drive passes."""
    return track()


def track() -> tuple[np.ndarray, np.ndarray]:
    """Cones of a circle driven counter-clockwise: blue inside (left), yellow outside (right)."""
    angles = np.arange(24) * (2 * np.pi / 24)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inner, outer = circle * (RADIUS - LANE / 2), circle * (RADIUS + LANE / 2)
    classes = [ConeClass.BLUE] * 24 + [ConeClass.YELLOW] * 24
    for index in (0, 24):
        classes[index] = ConeClass.BIG_ORANGE
    return np.concatenate([inner, outer]), np.array(classes, dtype=np.int64)


def write_drive(path: Path, plan: Plan) -> None:
    """Write the bag of a plan."""
    vehicle = load_vehicle("formula_student")
    calibration = Calibration(
        vehicle.camera.model(), vehicle.camera_from_lidar(), vehicle.lidar_height
    )
    random = np.random.default_rng(plan.seed)
    with BagWriter(path) as bag:
        _write_static(bag, vehicle)
        for index in range(plan.frames):
            stamp = START_NS + index * STEP_NS
            angle = index * 0.045
            pose = (RADIUS * np.cos(angle), RADIUS * np.sin(angle), angle + np.pi / 2)
            true = truth_at(pose, vehicle, calibration)
            _write_frame(bag, plan, index, stamp, pose, true, vehicle, calibration, random)


def truth_at(pose: tuple[float, float, float], vehicle: Any, calibration: Calibration) -> TrueCones:
    """Truth in the LiDAR frame at a pose of the car."""
    positions, classes = track()
    base = pose_matrix(*(torch.tensor(v, dtype=torch.float64) for v in pose))
    lidar_from_odom = rigid_inverse(base @ vehicle.lidar.mounting.base_from_sensor())
    inside = torch.from_numpy(positions) @ lidar_from_odom[:2, :2].T + lidar_from_odom[:2, 3]
    nobody = torch.zeros(len(classes), dtype=torch.bool)
    views = SensorViews(
        -vehicle.lidar_height, -2.356, 2.356, 30.0, calibration.camera,
        calibration.camera_from_lidar, 25.0,
    )  # fmt: skip
    return with_visibility(TrueCones(inside, torch.from_numpy(classes), nobody, nobody), views)


def _write_static(bag: BagWriter, vehicle: Any) -> None:
    base_from_lidar = vehicle.lidar.mounting.base_from_sensor()
    lidar_from_camera = rigid_inverse(vehicle.camera_from_lidar().double())
    transforms = [
        ("base_link", "lidar", base_from_lidar.numpy()),
        ("lidar", "camera_optical", lidar_from_camera.numpy()),
    ]
    msg = messages.transforms_msg(START_NS, transforms)
    bag.write("/tf_static", "tf2_msgs/msg/TFMessage", START_NS, msg)


def _pose_of(body, pose, vehicle):
    """Planar pose of a body of a car whose base is at ``pose``."""
    if body != "lidar":
        return pose
    mounting = vehicle.lidar.mounting
    cos, sin = np.cos(pose[2]), np.sin(pose[2])
    x = pose[0] + cos * mounting.x - sin * mounting.y
    return (x, pose[1] + sin * mounting.x + cos * mounting.y, pose[2] + mounting.yaw)


def _write_frame(bag, plan, index, stamp, pose, true, vehicle, calibration, random):
    cones = _published(true, plan, random)
    if plan.odom:
        msg = messages.odometry_msg(stamp, _pose_of(plan.body, pose, vehicle))
        msg.child_frame_id = plan.body
        bag.write("/odom", "nav_msgs/msg/Odometry", stamp, msg)
    if plan.images:
        _write_image(bag, stamp, true, calibration, random)
    if plan.scans:
        _write_scan(bag, stamp, true, vehicle, random)
    if plan.truth and index % plan.truth_every == 0:
        msg = messages.truth_msg(stamp, "lidar", true, -vehicle.lidar_height)
        bag.write("/truth", "conegrad_msgs/msg/TruthCones", stamp, msg)
    delay = int(1e9 * (0.035 + 0.01 * random.gamma(1.0)))
    if plan.latency:
        data = messages.make("std_msgs/msg/Float64", data=1e-9 * delay)
        bag.write("/fusion_node/pipeline_latency", "std_msgs/msg/Float64", stamp + delay, data)
    msg = cones_msg(stamp, cones, plan)
    bag.write("/cones", "conegrad_msgs/msg/ConeArray", stamp + delay, msg)


def _published(true: TrueCones, plan: Plan, random: np.random.Generator) -> Cones:
    seen = (true.visible_camera | true.visible_lidar) & (true.positions.norm(dim=-1) < 18)
    if plan.empty:
        seen = torch.zeros_like(seen)
    if plan.perfect or plan.empty:
        positions, classes = true.positions[seen], true.classes[seen].clone()
        return _cones(positions, classes, np.full(len(classes), 0.99), 0.02)
    found = seen & torch.from_numpy(random.random(len(seen)) < 0.93)
    positions, classes = true.positions[found], true.classes[found].clone()
    distances = positions.norm(dim=-1, keepdim=True)
    noise = torch.from_numpy(random.normal(size=positions.shape)) * (0.03 + 0.006 * distances)
    wrong = random.random(len(classes))
    classes[torch.from_numpy(wrong < 0.04)] = ConeClass.YELLOW
    classes[torch.from_numpy(wrong > 0.97)] = ConeClass.UNKNOWN
    false = torch.from_numpy(random.uniform((1, -8), (12, 8), size=(random.poisson(0.4), 2)))
    positions = torch.cat([positions + noise, false])
    classes = torch.cat([classes, torch.zeros(len(false), dtype=torch.int64)])
    existence = random.beta(9, 1, len(classes)).clip(0.5, 0.999)
    return _cones(positions, classes, existence, 0.06)


def _cones(positions, classes, existence, deviation):
    colours = torch.nn.functional.one_hot(classes, 5).double()
    radial = positions / positions.norm(dim=-1, keepdim=True).clamp(min=0.1)
    across = torch.stack([-radial[:, 1], radial[:, 0]], dim=-1)
    covariance = (2.0 * deviation) ** 2 * radial[:, :, None] * radial[:, None]
    covariance = covariance + deviation**2 * across[:, :, None] * across[:, None]
    source = 1 + (torch.arange(len(classes)) % 3)
    return Cones(
        positions, covariance, colours, torch.from_numpy(np.asarray(existence)).logit(), source
    )


def cones_msg(stamp: int, cones: Cones, plan: Plan) -> Any:
    """conegrad_msgs/ConeArray."""
    make, nothing = messages.make, messages.time_msg(0)
    rows = []
    for row in range(len(cones.positions)):
        x, y = cones.positions[row].tolist()
        colour = COLOUR_NAMES[int(cones.colours[row].argmax())]
        probabilities = dict(zip(COLOUR_NAMES, cones.colours[row].tolist(), strict=True))
        rows.append(
            make(
                "conegrad_msgs/msg/Cone",
                position=make("geometry_msgs/msg/Point", x=x, y=y, z=-0.15),
                covariance=cones.covariances[row].reshape(4).numpy(),
                colour=messages.colour_number(colour.upper()),
                existence=float(cones.existence_logits[row].sigmoid()),
                source=int(cones.source[row]),
                id=0,
                camera_evidence=0.0,
                lidar_evidence=0.0,
                lidar_share=0.0,
                **{f"probability_{name}": value for name, value in probabilities.items()},
            )
        )
    return make(
        "conegrad_msgs/msg/ConeArray",
        header=messages.header_msg(stamp, "lidar"),
        cones=rows,
        camera_used=plan.images,
        lidar_used=plan.scans,
        camera_stamp=messages.time_msg(stamp) if plan.images else nothing,
        lidar_stamp=messages.time_msg(stamp) if plan.scans else nothing,
        degraded=False,
        reasons=[],
    )


def _write_image(bag, stamp, true, calibration, random):
    camera = calibration.camera
    image = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
    rows = np.linspace(0, 1, camera.height)[:, None]
    image[:] = (70 + 60 * rows[..., None]).astype(np.uint8)
    image[: camera.height // 3] = (150, 180, 205)
    standing = Cones(
        true.positions,
        torch.eye(2).expand(len(true.classes), 2, 2),
        torch.nn.functional.one_hot(true.classes, 5).double(),
        torch.full((len(true.classes),), 9.0),
        torch.full((len(true.classes),), 3),
    )
    image = draw_cones_on_image(image, standing, calibration)
    bag.write("/image_raw", "sensor_msgs/msg/Image", stamp,
              messages.image_msg(stamp, "camera_optical", image))  # fmt: skip
    info = messages.camera_info_msg(
        stamp, "camera_optical", (camera.width, camera.height), camera.intrinsics.numpy(),
        camera.distortion.tolist(), camera.distortion_model,
    )  # fmt: skip
    bag.write("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, info)
    _write_boxes(bag, stamp, true, calibration, random)


def _write_boxes(bag, stamp, true, calibration, random):
    from conegrad_core.drawing import _outlines

    image = np.empty((calibration.camera.height, calibration.camera.width, 3), dtype=np.uint8)
    outlines = _outlines(true.positions, true.classes, calibration, image, with_tip=True)
    rows = []
    for outline, cone in zip(outlines, true.classes.tolist(), strict=True):
        if outline is None or random.random() < 0.1:
            continue
        low, high = outline.reshape(-1, 2).min(axis=0), outline.reshape(-1, 2).max(axis=0)
        logits = np.full(4, -4.0, dtype=np.float32)
        logits[cone] = random.normal(2.0, 1.0)
        centre, size = (low + high) / 2, high - low
        rows.append(
            messages.make(
                "conegrad_msgs/msg/ConeDetection",
                center_u=float(centre[0]),
                center_v=float(centre[1]),
                width=float(size[0]),
                height=float(size[1]),
                class_logits=logits,
                score=float(1 / (1 + np.exp(-logits.max()))),
            )
        )
    msg = messages.make(
        "conegrad_msgs/msg/ConeDetectionArray",
        header=messages.header_msg(stamp, "camera_optical"),
        image_width=image.shape[1], image_height=image.shape[0],
        class_names=list(COLOUR_NAMES[:4]), detections=rows, alarms=[],
    )  # fmt: skip
    bag.write("/detections", "conegrad_msgs/msg/ConeDetectionArray", stamp, msg)


def _write_scan(bag, stamp, true, vehicle, random):
    angles = vehicle.lidar.angles().numpy()
    ranges = np.full(len(angles), np.nan, dtype=np.float32)
    logits = np.full(len(angles), -4.0, dtype=np.float32)
    for x, y in true.positions[true.visible_lidar].tolist():
        distance, bearing = np.hypot(x, y), np.arctan2(y, x)
        hit = np.abs(angles - bearing) < np.arctan(0.09 / distance)
        ranges[hit] = distance - 0.08 + random.normal(0, 0.02, hit.sum())
        logits[hit] = random.normal(3, 1, hit.sum())
    wall = np.isnan(ranges) & (angles > 0.9)
    ranges[wall] = (7.5 / np.sin(np.maximum(angles, 0.9)))[wall]
    scan = messages.scan_msg(
        stamp, "lidar", ranges, angle_min=vehicle.lidar.angle_min,
        angle_increment=vehicle.lidar.angle_increment, range_min=0.06, range_max=30.0,
        scan_time=0.025,
    )  # fmt: skip
    bag.write("/scan", "sensor_msgs/msg/LaserScan", stamp, scan)
    msg = messages.make(
        "conegrad_msgs/msg/ScanSegmentation",
        header=messages.header_msg(stamp, "lidar"),
        angle_min=vehicle.lidar.angle_min, angle_increment=vehicle.lidar.angle_increment,
        range_min=0.06, range_max=30.0, ranges=ranges, logits=logits,
        times=np.zeros(0, dtype=np.float32), alarms=[],
    )  # fmt: skip
    bag.write("/segmentation", "conegrad_msgs/msg/ScanSegmentation", stamp, msg)
