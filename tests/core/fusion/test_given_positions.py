"""Positions and colours of other stages in the fusion."""

import dataclasses
import math

import pytest
import torch

from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConeClass, ConePositions
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.transforms import pose_matrix, transform_points


@pytest.fixture(scope="module")
def scene(world):
    return world.scene((*world.track(4.0, 10.0), (7.0, 0.3, ConeClass.BIG_ORANGE)))


def positions_of(scene, deviation=0.05) -> ConePositions:
    count = len(scene.detections().boxes_xyxy)
    assert count == len(scene.cones)
    covariances = deviation**2 * torch.tensor([[2.0, 0.3], [0.3, 1.0]]).repeat(count, 1, 1)
    return ConePositions(scene.positions + 0.01, covariances)


EXACT = FuserConfig(camera_angle_error=0.0, camera_range_error=0.0, odometry_error=0.0)


def test_the_camera_alone_stands_where_it_is_told(scene):
    positions = positions_of(scene)
    cones = Fuser(EXACT)(None, scene.detections(), scene.calibration, positions=positions)
    torch.testing.assert_close(cones.positions, positions.positions)
    torch.testing.assert_close(cones.covariances, positions.covariances, rtol=1e-5, atol=1e-8)


def test_existence_does_not_depend_on_positions(scene):
    plain = Fuser()(None, scene.detections(), scene.calibration)
    given = Fuser()(None, scene.detections(), scene.calibration, positions=positions_of(scene))
    assert torch.equal(plain.existence_logits, given.existence_logits)
    assert torch.equal(plain.colours, given.colours)


def test_certain_positions_pull_their_segments(scene):
    scan, detections, calibration = scene.scan(), scene.detections(), scene.calibration
    apart = [
        (
            Fuser(EXACT)(scan, detections, calibration, positions=positions_of(scene, deviation))
            .positions[: len(scene.cones)]
            .unsqueeze(1)
            - positions_of(scene).positions
        )
        .norm(dim=-1)
        .amin(1)
        .mean()
        for deviation in (0.001, 1.0)
    ]
    assert apart[0] < 0.005 < apart[1]


def test_positions_move_with_the_car(scene):
    positions = positions_of(scene)
    motion = pose_matrix(-0.5, 0.1, 0.2)
    scan = scene.scan()
    nothing = scan._replace(ranges=torch.full_like(scan.ranges, torch.nan))
    cones = Fuser(EXACT)(nothing, scene.detections(), scene.calibration, motion, positions)
    points = torch.nn.functional.pad(positions.positions, (0, 1))
    expected = transform_points(motion, points)[:, :2]
    torch.testing.assert_close(cones.positions, expected, atol=1e-5, rtol=1e-5)
    rotation = motion[:2, :2]
    turned = rotation @ positions.covariances @ rotation.mT
    torch.testing.assert_close(cones.covariances, turned, atol=1e-7, rtol=1e-4)


def test_positions_follow_a_learned_turn_of_the_camera_about_the_vertical(world):
    scene = world.scene(world.track(4.0, 10.0), calibration=world.calibration(pitch=0.0))
    fuser = Fuser()
    fuser.mounting.set_values({"camera_turn_y": math.radians(1.0)})
    cones = fuser(None, scene.detections(), scene.calibration, positions=positions_of(scene))
    eye = torch.tensor([-1.6, 0.0])
    turn = math.radians(-1.0)  # y of the optical frame points down
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    expected = (positions_of(scene).positions - eye) @ rotation.mT + eye
    torch.testing.assert_close(cones.positions, expected, atol=1e-4, rtol=1e-4)


def test_colours_join_the_class_logits(scene):
    fuser, detections = Fuser(), scene.detections()
    fuser.scalars.set_values({"classifier_gain": 2.0, "colour_temperature": 0.5})
    logits = torch.randn(len(scene.cones), 4, generator=torch.Generator().manual_seed(0))
    cones = fuser(None, detections, scene.calibration, colours=ConeColours(logits))
    expected = (detections.logits / 0.5 + 2.0 * logits).softmax(-1)
    torch.testing.assert_close(cones.colours[:, :4], expected)


def test_the_recorded_fusion_finds_the_same_cones(scene):
    fuser = Fuser()
    traced = TracedFuser(fuser)
    generator = torch.Generator().manual_seed(1)
    positions = positions_of(scene)
    colours = ConeColours(torch.randn(len(scene.cones), 4, generator=generator))
    scan, detections, calibration = scene.scan(), scene.detections(), scene.calibration
    motion = torch.tensor([-0.1, 0.02, 0.01])
    with torch.inference_mode():
        for extras in [
            (motion, positions, colours),
            (None, positions, None),
            (motion, None, colours),
            (None, None, None),
            (motion, positions, colours),
        ]:
            for given in (scan, None):
                expected = fuser(given, detections, calibration, *extras)
                found = traced(given, detections, calibration, *extras)
                for values, wanted in zip(found, expected, strict=True):
                    torch.testing.assert_close(values, wanted)


@pytest.mark.parametrize("make", [Fuser, lambda: TracedFuser(Fuser())])
def test_refuses_rows_of_other_detections(scene, make):
    fuser, detections, calibration = make(), scene.detections(), scene.calibration
    few = ConePositions(*(values[1:] for values in positions_of(scene)))
    with pytest.raises(ValueError, match=r"positions of the detections has shape \(6, 2\)"):
        fuser(None, detections, calibration, positions=few)
    with pytest.raises(ValueError, match=r"colours of the detections has shape \(2, 4\)"):
        fuser(scene.scan(), detections, calibration, colours=ConeColours(torch.zeros(2, 4)))


def test_gradients_reach_positions_covariances_and_colours(scene):
    positions = ConePositions(*(values.requires_grad_() for values in positions_of(scene)))
    colours = ConeColours(torch.zeros(len(scene.cones), 4, requires_grad=True))
    cones = Fuser()(scene.scan(), scene.detections(), scene.calibration, None, positions, colours)
    loss = cones.positions.square().sum() + cones.covariances.sum() + cones.colours[:, 0].sum()
    loss.backward()
    for values in (*positions, *colours):
        assert values.grad.abs().sum() > 0


def test_stated_errors_of_calibration_and_odometry_widen_the_covariances(scene):
    positions, motion = positions_of(scene), pose_matrix(-0.5, 0.0, 0.1)
    scan = scene.scan()
    nothing = scan._replace(ranges=torch.full_like(scan.ranges, torch.nan))

    def covariances(motion=None, **stated):
        fuser = Fuser(dataclasses.replace(EXACT, **stated))
        return fuser(nothing, scene.detections(), scene.calibration, motion, positions).covariances

    exact, angle = covariances(), covariances(camera_angle_error=0.01)
    offsets = (
        positions.positions
        + scene.calibration.camera_from_lidar[:3, :3].T[:2]
        @ scene.calibration.camera_from_lidar[:3, 3]
    )
    square = offsets.square().sum(-1)
    added = (angle - exact).diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(added, 1e-4 * square, rtol=1e-3, atol=1e-7)
    scale = covariances(camera_range_error=0.02) - exact
    along = offsets / square.sqrt()[:, None]
    found = torch.einsum("ni,nij,nj->n", along, scale, along)
    torch.testing.assert_close(found, 4e-4 * square, rtol=1e-3, atol=1e-7)
    moved = covariances(motion, odometry_error=0.1) - covariances(motion)
    assert (moved.diagonal(dim1=-2, dim2=-1).sum(-1) > 2 * (0.1 * 0.5) ** 2).all()
