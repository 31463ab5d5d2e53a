"""Corrections of a calibration that is a little off."""

import math

import pytest
import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.extrinsic_correction import ExtrinsicCorrection
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.transforms import (
    mounting_matrix,
    pose_matrix,
    rigid_inverse,
    transform_points,
)
from conegrad_core.losses import EndLoss

KNOCK = {"camera_x": 0.03, "camera_turn_x": math.radians(1.5), "camera_turn_y": math.radians(-0.7)}


def cones_at(points):
    count = len(points)
    covariances = torch.eye(2, dtype=points.dtype).expand(count, 2, 2) * torch.tensor([1.0, 2.0])
    zeros = points.new_zeros(count)
    return Cones(points, covariances, points.new_zeros(count, 5), zeros, zeros.long())


def test_nothing_is_corrected_before_it_is_learned(world):
    scene = world.scene(world.track())
    mounting = ExtrinsicCorrection()
    mounting.requires_grad_(requires_grad=False)
    assert mounting.corrected(scene.calibration) is scene.calibration


def test_the_camera_is_where_its_corrections_say(world):
    # 5 cm further right and 2 cm ahead, and turned by 0.1 rad about the axis to its right: up.
    mounting = ExtrinsicCorrection()
    mounting.set_values({"camera_x": 0.05, "camera_z": 0.02, "camera_turn_x": 0.1})
    nominal = world.calibration().camera_from_lidar
    point = torch.tensor([5.0, 1.0, 0.2, 1.0])
    x, y, z, _ = (nominal @ point).tolist()
    x, z = x - 0.05, z - 0.02
    expected = [x, y * math.cos(0.1) + z * math.sin(0.1), -y * math.sin(0.1) + z * math.cos(0.1)]
    found = mounting.corrected(world.calibration()).camera_from_lidar @ point
    torch.testing.assert_close(found[:3], torch.tensor(expected))
    assert found[1] > y  # what it sees is further down in a picture of a camera that looks up


def test_a_turned_lidar_moves_along_its_own_axes():
    # A car that drives straight ahead: in the frame of a LiDAR turned left, ahead is to the right.
    mounting = ExtrinsicCorrection()
    mounting.requires_grad_(requires_grad=False)
    motion = torch.tensor([1.5, 0.0, 0.0])
    assert mounting.carried(motion) is motion
    turn = math.radians(5)
    mounting.set_values({"lidar_turn": turn, "lidar_x": 0.1})
    expected = pose_matrix(1.5 * math.cos(turn), -1.5 * math.sin(turn), 0.0)
    torch.testing.assert_close(mounting.carried(motion), expected)
    torch.testing.assert_close(mounting.carried(pose_matrix(*motion)), expected)


def test_the_motions_of_beams_are_carried_like_any_motion():
    mounting = ExtrinsicCorrection()
    mounting.requires_grad_(requires_grad=False)
    motions = torch.tensor([[1.5, 0.2, 0.1], [0.0, 0.0, 0.0], [-1.0, 0.0, -0.3]])
    assert mounting.carried_beams(motions) is motions
    mounting.set_values({"lidar_turn": math.radians(5), "lidar_x": 0.1, "lidar_y": -0.2})
    found = mounting.carried_beams(motions)
    for row, motion in zip(found, motions, strict=True):
        torch.testing.assert_close(pose_matrix(*row), mounting.carried(motion))
    assert found[1].tolist() == [0.0, 0.0, 0.0]


def test_cones_of_a_turned_lidar_are_turned_back(world):
    scene = world.scene(world.track())
    fuser = Fuser()
    with torch.no_grad():
        before = fuser(scene.scan(), None, scene.calibration)
        fuser.mounting.set_values({"lidar_x": 0.1, "lidar_turn": math.pi / 90})
        after = fuser(scene.scan(), None, scene.calibration)
    points = torch.nn.functional.pad(before.positions, (0, 1))
    expected = transform_points(pose_matrix(0.1, 0.0, math.pi / 90), points)[:, :2]
    torch.testing.assert_close(after.positions, expected)
    traces = after.covariances.diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(traces, before.covariances.diagonal(dim1=-2, dim2=-1).sum(-1))


def test_passes_gradients_to_all_corrections(world):
    calibration = world.calibration()
    matrix = calibration.camera_from_lidar.double()
    mounting = ExtrinsicCorrection().double()
    points = torch.rand(3, 2, dtype=torch.float64)

    def outputs(stored):
        module = ExtrinsicCorrection().double()
        del module.stored
        module.stored = stored
        corrected = module.corrected(calibration._replace(camera_from_lidar=matrix))
        cones = cones_at(points)
        return (corrected.camera_from_lidar, *module.placed(cones)[:2])

    stored = (0.1 * torch.rand_like(mounting.stored)).requires_grad_()
    assert torch.autograd.gradcheck(outputs, (stored,))


def test_a_knocked_camera_and_lidar_are_found_back(world):
    scene = world.scene(world.track())
    knocked = mounting_matrix(
        torch.tensor([0.03, 0.0, 0.0]), math.radians(1.5), math.radians(-0.7), 0.0
    )
    real = scene.calibration._replace(
        camera_from_lidar=rigid_inverse(knocked) @ scene.calibration.camera_from_lidar
    )
    detections = world.scene(scene.cones, calibration=real).detections()
    lidar = pose_matrix(0.02, 0.03, math.radians(-0.7))
    points = transform_points(lidar, torch.nn.functional.pad(scene.positions, (0, 1)))[:, :2]
    count = len(points)
    seen = torch.ones(count, dtype=torch.bool)
    truth = TrueCones(points, torch.tensor([cone[2] for cone in scene.cones]), seen, seen)
    fuser = Fuser()
    fuser.scalars.requires_grad_(requires_grad=False)
    optimizer = torch.optim.Adam(fuser.mounting.parameters(), lr=5e-3)
    criterion = EndLoss()
    for _ in range(200):
        losses = criterion(fuser(scene.scan(), detections, scene.calibration), truth)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
    values = fuser.mounting.values()
    assert values["camera_turn_x"] == pytest.approx(KNOCK["camera_turn_x"], abs=math.radians(0.3))
    assert values["camera_turn_y"] == pytest.approx(KNOCK["camera_turn_y"], abs=math.radians(0.3))
    assert values["lidar_turn"] == pytest.approx(math.radians(-0.7), abs=math.radians(0.1))
    with torch.no_grad():
        found = select_cones(fuser(scene.scan(), detections, scene.calibration)).positions
    assert torch.cdist(points, found).min(1).values.max() < 0.03


def test_the_recorded_fusion_corrects_alike(world):
    scene = world.scene(world.track())
    fuser = Fuser()
    fuser.mounting.set_values({**KNOCK, "lidar_turn": 0.01})
    with torch.inference_mode():
        expected = fuser(scene.scan(), scene.detections(), scene.calibration)
    found = TracedFuser(fuser)(scene.scan(), scene.detections(), scene.calibration)
    torch.testing.assert_close(found.positions, expected.positions)


def test_what_is_learned_stays_within_what_can_be_loaded(tmp_path):
    fuser = Fuser()
    with torch.no_grad():
        fuser.mounting.stored.fill_(9.0)
    assert "at the limit, measure the calibration anew: camera_x" in fuser.mounting.describe()
    fuser.save(tmp_path / "fusion.safetensors")
    loaded = Fuser(FuserConfig(weights=str(tmp_path / "fusion.safetensors")))
    assert loaded.mounting.values()["lidar_y"] == pytest.approx(0.3)
    assert "limit" not in Fuser().mounting.describe()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lidar_x": 0.5}, "lidar_x is 0.5 m, expected at most 0.3 m"),
        ({"camera_turn_z": -0.2}, "camera_turn_z is -0.2 rad, expected at most 0.175 rad"),
        ({"lidar_z": 0.1}, "correction 'lidar_z' is unknown"),
    ],
)
def test_refuses_what_no_knock_explains(values, message):
    with pytest.raises(ValueError, match=message):
        ExtrinsicCorrection().set_values(values)
