import dataclasses

import numpy as np
import pytest
import torch

from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import DOMAINS, Domain, MountingOffset
from conegrad_simulation.scene.world import PRESETS

SIZE = (160, 96)


@pytest.fixture(scope="module")
def vehicle() -> Vehicle:
    return load_vehicle("formula_student")


def test_a_frame_is_a_pure_function_of_its_place(vehicle: Vehicle):
    made = [DriveFrames(vehicle, DOMAINS["sodium_evening"], 5, 4, SIZE).frame(2) for _ in range(2)]
    assert (made[0].sample.image == made[1].sample.image).all()
    np.testing.assert_array_equal(made[0].ranges, made[1].ranges)
    assert torch.equal(made[0].truth.positions, made[1].truth.positions)


def test_the_calibration_ignores_the_offsets_of_the_sensors(vehicle: Vehicle):
    still = Domain(PRESETS["clear"])
    moved = dataclasses.replace(
        still, camera_offset=MountingOffset(pitch=0.03), lidar_offset=MountingOffset(yaw=0.05)
    )
    frames = [DriveFrames(vehicle, domain, 5, 4, SIZE).frame(1) for domain in (still, moved)]
    for camera_from_lidar in (frame.calibration.camera_from_lidar for frame in frames):
        torch.testing.assert_close(camera_from_lidar, vehicle.camera_from_lidar())
    assert torch.equal(frames[0].truth.positions, frames[1].truth.positions)
    # A camera pitched down sees cones higher up; a LiDAR turned left sees them further right.
    tops = [float(frame.sample.boxes_xyxy[:, 3].mean()) for frame in frames]
    assert tops[1] < tops[0] - 1
    bearings = [frame.angles[frame.labels & (frame.ranges < 8)].mean() for frame in frames]
    assert bearings[0] - bearings[1] == pytest.approx(0.05, abs=0.02)


def test_a_cone_of_the_map_is_the_same_cone_in_every_frame(vehicle: Vehicle):
    frames = DriveFrames(vehicle, DOMAINS["fair"], 5, 3, SIZE)
    seen = []
    for place in (0, 1, 3):
        truth = frames.frame(place).truth.positions
        cones = frames.cones_of_map(place, truth.numpy())
        assert len(set(cones)) == len(truth)  # no two points are one cone
        seen.append(set(cones))
    assert len(seen[0] & seen[1]) > 5  # 4 m further on most cones are still near
    assert not seen[0] & seen[2]  # the next drive has a map of its own


def test_an_offset_adds_to_the_mounting(vehicle: Vehicle):
    moved = Domain(PRESETS["clear"], camera_offset=MountingOffset(x=0.1, yaw=-0.2)).actual_vehicle(
        vehicle
    )
    assert moved.camera.mounting.x == pytest.approx(vehicle.camera.mounting.x + 0.1)
    assert moved.camera.mounting.yaw == pytest.approx(vehicle.camera.mounting.yaw - 0.2)
    assert moved.lidar == vehicle.lidar
