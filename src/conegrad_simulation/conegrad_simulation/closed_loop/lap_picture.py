"""The whole drive in one top view."""

from pathlib import Path

import cv2
import numpy as np

from conegrad_core.drawing import INK, Rgb
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog
from conegrad_simulation.closed_loop.simulator import SensorConfig
from conegrad_simulation.closed_loop.top_view import (
    ALERT,
    LINE,
    Image,
    draw_car,
    draw_coloured_line,
    draw_cones,
    draw_line,
    draw_rings,
    draw_text,
    top_view_of,
)
from conegrad_simulation.planar import Pose
from conegrad_simulation.scene.scene_settings import SceneDescription
from conegrad_simulation.track.curve import closed

WIDTH = 1400  # [px]
MARGIN = 5.0  # [m], at full size
HEAD = 76  # [px] above the map, for text
LOST: Rgb = (154, 110, 220)


def save_lap_picture(
    description: SceneDescription, log: DriveLog, sensors: SensorConfig, path: Path
) -> None:
    """Write the driven line, coloured by speed, with cones, touched cones and lost sensors.

    Args:
        description: scene, track and vehicle.
        log: measurements of the drive; at least one point of its trace.
        sensors: times at which a sensor was lost.
        path: of the PNG file.
    """
    track, scale = description.track, description.scale
    view = top_view_of(track.positions, WIDTH, MARGIN * scale)
    line = closed(track.centre_line) if track.is_closed else track.centre_line
    draw_line(view, line, LINE, 0.1 * scale)
    driven = np.array([(point.x, point.y) for point in log.trace])
    for times in (sensors.camera_lost, sensors.lidar_lost):
        is_lost = [times[0] <= point.time < times[1] for point in log.trace]
        if any(is_lost):
            draw_line(view, driven[is_lost], LOST, 0.9 * scale)
    speeds = np.array([point.speed for point in log.trace])
    draw_coloured_line(view, driven, speed_colours(speeds, float(speeds.max())), 0.3 * scale)
    draw_cones(view, track.positions, track.classes, 0.35 * scale)
    touched = description.scene.cone_positions[log.touched]
    draw_rings(view, touched, 1.0 * scale, ALERT)
    last = log.trace[-1]
    if description.vehicle.chassis is not None:
        draw_car(view, Pose(last.x, last.y, last.yaw), description.vehicle.chassis)
    image = np.vstack([_head(description, log, sensors, float(speeds.max())), view.image])
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def speed_colours(speeds: np.ndarray, fastest: float) -> Image:
    """``(N, 3)`` uint8 RGB colours of ``(N,)`` speeds, from 0 to the fastest [m/s]."""
    levels = np.clip(255 * speeds / max(fastest, 1e-6), 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1])


def _head(
    description: SceneDescription, log: DriveLog, sensors: SensorConfig, fastest: float
) -> Image:
    head: Image = np.full((HEAD, WIDTH, 3), 255, dtype=np.uint8)
    laps = ", ".join(f"{value:.1f} s" for value in log.lap_times) or log.outcome
    laterals = log.laterals()
    first = f"{description.track.name}, {description.vehicle.name}: {laps}"
    second = (
        f"{len(log.touched)} cones touched, off the centre line {laterals.mean():.2f} m on "
        f"average, {laterals.max():.2f} m at most"
    )
    draw_text(head, first[:110], (16, 30), 0.75)
    draw_text(head, second + _losses(sensors), (16, 60), 0.55)
    ramp = speed_colours(np.linspace(0, fastest, 200), fastest)
    head[16:30, WIDTH - 220 : WIDTH - 20] = ramp
    cv2.rectangle(head, (WIDTH - 221, 15), (WIDTH - 20, 30), INK, 1)
    draw_text(head, "0", (WIDTH - 224, 50), 0.45)
    draw_text(head, f"{fastest:.1f} m/s", (WIDTH - 90, 50), 0.45)
    return head


def _losses(sensors: SensorConfig) -> str:
    parts = [
        f"; {name} lost from {times[0]:g} to {times[1]:g} s (violet)"
        for name, times in (("camera", sensors.camera_lost), ("LiDAR", sensors.lidar_lost))
        if times[1] > times[0]
    ]
    return "".join(parts)
