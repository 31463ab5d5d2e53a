"""Clouds of random LiDARs carry exact labels."""

import math

import numpy as np
import pytest

from conegrad_simulation.lidar.clouds.beam_grid import SensorMotion
from conegrad_simulation.lidar.clouds.cloud_caster import CloudScene, CloudSensor, cast_cloud
from conegrad_simulation.lidar.clouds.cloud_sampler import sample_drive
from conegrad_simulation.lidar.clouds.label_errors import LabelErrors, imprecise_labels
from conegrad_simulation.lidar.clouds.patterns import PATTERNS, LidarPattern, lidar_pattern
from conegrad_simulation.lidar.clouds.solids import SolidRows
from conegrad_simulation.lidar.clouds.terrain import FLAT
from conegrad_simulation.lidar.lidar_noise import LidarNoise

SMALL = LidarPattern("small", tuple(np.linspace(-0.3, 0.1, 12).tolist()), 240)
CALM = LidarNoise(
    range_std=0.0, range_std_per_m=0.0, dropout=0.0, fading=1e6, ground_sine=1e-9,
    ground_roughness=0.0, mixed=0.0, specks=0.0, max_range=1e3,
)  # fmt: skip


@pytest.fixture(scope="module")
def drive():
    return sample_drive(3, 2, SMALL)


def test_rings_meet_flat_ground_where_their_elevation_says():
    motion = SensorMotion(0.0, 0.0, 0.0, 1.2, np.eye(3))
    scene = CloudScene(SolidRows().solids(), FLAT)
    cloud = cast_cloud(CloudSensor(SMALL, CALM), motion, scene, np.random.default_rng(0))
    np.testing.assert_allclose(cloud.points[:, 2], -1.2, atol=1e-5)
    lowest = np.hypot(*cloud.points[cloud.rings == 0, :2].T)
    np.testing.assert_allclose(lowest, 1.2 / math.tan(0.3), rtol=1e-5)


def test_labelled_returns_lie_on_their_cone(drive):
    for frame in drive.frames:
        rows = frame.cloud.cones[frame.cloud.labels]
        assert len(rows) > 0
        offset = frame.cloud.points[frame.cloud.labels] - frame.cone_positions[rows]
        moved = 0.1 * 16 + 0.5  # during the frame, and the size of the largest cone
        assert np.linalg.norm(offset, axis=1).max() < moved


def test_the_same_seed_gives_the_same_frames(drive):
    again = sample_drive(3, 2, SMALL)
    for one, two in zip(drive.frames, again.frames, strict=True):
        np.testing.assert_array_equal(one.cloud.points, two.cloud.points)


def test_imprecise_labels_without_error_cover_the_cones(drive):
    frame = drive.frames[0]
    exact = LabelErrors(frame_std=0.0, cone_std=0.0, radius=3.0, low=-9.0, high=9.0, missing=0.0)
    assert imprecise_labels(frame, exact, np.random.default_rng(0))[frame.cloud.labels].all()


def test_every_pattern_has_rising_elevations_and_a_possible_view():
    for pattern in PATTERNS.values():
        assert np.all(np.diff(pattern.elevations) > 0)
        assert pattern.step * (pattern.columns - 1) <= 2 * math.pi


def test_refuses_an_unknown_pattern():
    with pytest.raises(ValueError, match="LiDAR pattern is 'os9', expected one of os0-32"):
        lidar_pattern("os9")
