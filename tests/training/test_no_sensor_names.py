"""conegrad_training speaks of stages and ports: sensors are named in few places, listed here."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src/conegrad_training/conegrad_training"
NAMES = re.compile(r"camera|lidar", re.IGNORECASE)
EXCEPTED = {
    "supervised": "trainings and losses of the car's own networks",
    "crops": "trainings of the networks over crops of camera images",
    "aliases.py": "names of version 0.1",
    "remote/training_camera_node.py": "the node of the car's detector",
    "remote/training_lidar_node.py": "the node of the car's segmenter",
    "programs.py": "these programs",
    "comparison/scenarios.py": "names of the conditions of the published experiments",
}
# What belongs to a car and not to the training: its calibration, its recordings, its truth.
GEOMETRY = re.compile(
    r"camera_from_lidar|base_from_lidar|lidar_from_\w+|odom_from_lidar|lidar_at_\w+|"
    r"lidar_offset_ns|lidar_motion|lidar_frame|visible_camera|visible_lidar|camera_height|lidar_height|"
    r"calibration\.camera\b|conegrad_core\.(geometry\.)?camera[\w.]*|conegrad_core\.lidar[\w.]*|"
    r"CameraModel|LiDAR frame|frame of the LiDAR|_mirrored_camera|\bcamera\.\w+|"
    r"camera: CameraModel|camera=|conegrad_simulation\.lidar[\w.]*|in the LiDAR|LiDAR node|"
    r"lidar\.angle_increment|of the LiDAR within"
)


def sources() -> list[Path]:
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return sorted(p for p in paths if not {str(p), p.parts[0]} & EXCEPTED.keys())


@pytest.mark.parametrize("path", sources(), ids=str)
def test_no_sensor_is_named(path: Path):
    lines = (PACKAGE / path).read_text().splitlines()
    found = [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if NAMES.search(GEOMETRY.sub("", line))
    ]
    assert found == []


def test_every_exception_is_needed():
    for name in EXCEPTED:
        files = [PACKAGE / name] if name.endswith(".py") else list((PACKAGE / name).rglob("*.py"))
        assert any(NAMES.search(file.read_text()) for file in files), name
