"""Sensors of the car in SDF, mounted on the frames of the same names."""

import math
from xml.etree.ElementTree import Element

import numpy as np

from conegrad_core.vehicle import CameraPreset, CloudLidarPreset, LidarPreset
from conegrad_simulation.gazebo import topics
from conegrad_simulation.gazebo.xml_text import child

ALL_VISIBLE = 0x0FFFFFFF  # user bits of ogre2, which warns about a camera with other bits
OWN_CAR = 0x2  # flag of the car's visuals, excluded from the mask of its LiDAR
NEAR, FAR = 0.05, 300.0  # [m], what a camera shows
RANGE_NOISE = 0.01  # [m], standard deviation
PIXEL_NOISE = 0.007  # of the full scale, standard deviation
IMU_RATE = 100.0  # [Hz]
# A GPU LiDAR samples six square images around it. A beam that is exactly on the edge of two of them
# reads past the end of one: the range of its other end, 90 degrees away.
IMAGE_EDGE = math.pi / 4  # [rad], and every quarter turn from there
EDGE_SHARES = (0.0, 0.1, -0.1, 0.2)  # of the step between two beams, by which all are turned
EDGE_MARGIN = 0.05  # of that step


def add_camera(link: Element, preset: CameraPreset) -> None:
    """Add a camera without distortion, which ogre2 does not render; camera_info has none either.

    It is mounted on ``camera``, along x, and its messages are in ``camera_optical``.
    """
    sensor = _sensor(link, "camera", "camera", preset.rate, topics.IMAGE, frame="camera_optical")
    camera = child(sensor, "camera", name="camera")
    child(camera, "camera_info_topic", topics.CAMERA_INFO)
    child(camera, "visibility_mask", ALL_VISIBLE)
    fx, fy, cx, cy = _pinhole(preset)
    child(camera, "horizontal_fov", 2 * math.atan(preset.width / 2 / fx))
    image = child(camera, "image")
    child(image, "width", preset.width)
    child(image, "height", preset.height)
    child(image, "format", "R8G8B8")
    clip = child(camera, "clip")
    child(clip, "near", NEAR)
    child(clip, "far", FAR)
    intrinsics = child(child(camera, "lens"), "intrinsics")
    for tag, value in (("fx", fx), ("fy", fy), ("cx", cx), ("cy", cy), ("s", 0.0)):
        child(intrinsics, tag, value)
    _add_noise(camera, PIXEL_NOISE)


def add_lidar(link: Element, preset: LidarPreset | CloudLidarPreset) -> None:
    """Add a planar LiDAR, or one with rings; its beams pass through the car."""
    is_planar = isinstance(preset, LidarPreset)
    topic = topics.SCAN if is_planar else topics.CLOUD
    sensor = _sensor(link, "lidar", "gpu_lidar", preset.rate, topic, frame="lidar")
    lidar = child(sensor, "lidar")
    scan = child(lidar, "scan")
    if isinstance(preset, LidarPreset):
        first = off_image_edges(preset.angle_min, preset.angle_increment, preset.beams)
        last = first + (preset.beams - 1) * preset.angle_increment
        _add_fan(scan, "horizontal", preset.beams, first, last)
        _add_fan(scan, "vertical", 1, 0.0, 0.0)
    else:
        step = 2 * math.pi / preset.columns
        first = off_image_edges(-math.pi, step, preset.columns)
        _add_fan(scan, "horizontal", preset.columns, first, first + (preset.columns - 1) * step)
        _add_fan(scan, "vertical", preset.rings, preset.elevation_min, preset.elevation_max)
    limits = child(lidar, "range")
    child(limits, "min", preset.range_min)
    child(limits, "max", preset.range_max)
    child(lidar, "visibility_mask", ALL_VISIBLE & ~OWN_CAR)
    _add_noise(lidar, RANGE_NOISE)


def off_image_edges(first: float, step: float, count: int) -> float:
    """Angle of the first beam from which none lies on the edge of an image [rad].

    Args:
        first: wanted angle of the first beam [rad].
        step: between two beams [rad].
        count: of the beams.
    """

    def margin(share: float) -> float:
        angles = first + share * step + step * np.arange(count)
        edges = (angles - IMAGE_EDGE) / (math.pi / 2)
        return float(np.abs(edges - edges.round()).min() * math.pi / 2 / abs(step))

    fitting = [share for share in EDGE_SHARES if margin(share) >= EDGE_MARGIN]
    share = fitting[0] if fitting else max(EDGE_SHARES, key=margin)
    return first + share * step


def add_imu(link: Element) -> None:
    """Add an IMU in the frame of the link."""
    _sensor(link, "imu", "imu", IMU_RATE, topics.IMU, frame="base_link", place="base_link")


def _sensor(
    link: Element,
    name: str,
    kind: str,
    rate: float,
    topic: str,
    *,
    frame: str,
    place: str | None = None,
) -> Element:
    """A sensor at the frame ``place``, by default that of its name, publishing in ``frame``."""
    sensor = child(link, "sensor", name=name, type=kind)
    pose = child(sensor, "pose", (0.0,) * 6)
    pose.set("relative_to", place or name)
    child(sensor, "topic", topic)
    child(sensor, "update_rate", rate)
    child(sensor, "always_on", True)
    child(sensor, "visualize", False)
    # Read by gz-sensors though SDF does not list it; without it the frame is a scoped name.
    child(sensor, "gz_frame_id", frame)
    return sensor


def _pinhole(preset: CameraPreset) -> tuple[float, float, float, float]:
    (fx, _, cx), (_, fy, cy), _ = preset.model().intrinsics.tolist()
    return fx, fy, cx, cy


def _add_fan(scan: Element, name: str, samples: int, first: float, last: float) -> None:
    fan = child(scan, name)
    child(fan, "samples", samples)
    child(fan, "resolution", 1)
    child(fan, "min_angle", first)
    child(fan, "max_angle", last)


def _add_noise(element: Element, deviation: float) -> None:
    noise = child(element, "noise")
    child(noise, "type", "gaussian")
    child(noise, "mean", 0.0)
    child(noise, "stddev", deviation)
