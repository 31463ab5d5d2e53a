"""Camera candidates: where the cone of a box stands, and how sure that is."""

import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.monocular import camera_candidates
from conegrad_core.fusion.scalars import FusionScalars
from conegrad_core.geometry.camera import CameraModel

CONFIG = FuserConfig()


def candidates(detections, calibration, **values):
    scalars = FusionScalars()
    scalars.set_values(values)
    return camera_candidates(detections, calibration, scalars(), CONFIG)


def variances(found):
    """Along and across the line of sight ``(C, 2)``."""
    covariances = gaussians.as_matrices(found.covariances)
    across = torch.stack([-found.directions[:, 1], found.directions[:, 0]], dim=-1)
    axes = torch.stack([found.directions, across], dim=1)
    return (axes @ covariances @ axes.mT).diagonal(dim1=-2, dim2=-1)


def test_a_box_stands_where_its_cone_does(world):
    cones = (*world.track(), (7.0, 0.3, ConeClass.BIG_ORANGE))
    scene = world.scene(cones)
    found = candidates(scene.detections(cone_logit=9.0), scene.calibration)
    assert len(found.positions) == len(cones)
    assert (found.positions - scene.positions).norm(dim=-1).max() < 0.06


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [
        ("plumb_bob", [-0.2, 0.03, 0.001, 0.001, 0.0]),
        ("rational_polynomial", [0.2, 0.05, 0.0, 0.0, 0.01, 0.4, 0.1, 0.0]),
        ("equidistant", [0.02, -0.01, 0.003, 0.0]),
    ],
)
def test_the_lens_is_taken_out(world, model, coefficients):
    camera = CameraModel(
        1280, 720, torch.tensor([[600.0, 0, 630], [0, 590, 350], [0, 0, 1]]),
        torch.tensor(coefficients), model,
    )  # fmt: skip
    scene = world.scene(world.track(4.0, 11.0), calibration=world.calibration(camera=camera))
    found = candidates(scene.detections(cone_logit=9.0), scene.calibration)
    assert len(found.positions) == len(scene.cones)
    assert (found.positions - scene.positions).norm(dim=-1).max() < 0.08


@pytest.mark.parametrize("pitch", [0.0, 0.1, 0.3])
def test_the_pitch_of_the_camera_does_not_matter(world, pitch):
    scene = world.scene(((6.0, 0.5, ConeClass.BLUE),), calibration=world.calibration(pitch))
    found = candidates(scene.detections(), scene.calibration, base_radius=0.12)
    assert (found.positions - scene.positions).norm() < 0.03


def test_the_height_of_a_box_depends_on_its_class(world):
    # The same box is a small cone near by or a big one further away.
    scene = world.scene(((8.0, 0.0, ConeClass.BLUE),))
    boxes = scene.detections().boxes_xyxy.repeat(2, 1)
    logits = torch.full((2, 4), -20.0)
    logits[0, ConeClass.BLUE] = logits[1, ConeClass.BIG_ORANGE] = 5.0
    found = candidates(Detections(boxes, logits), scene.calibration)
    torch.testing.assert_close(found.cone_height, torch.tensor([0.325, 0.505]))
    assert found.positions[1, 0] > found.positions[0, 0] + 0.1


def test_the_error_stays_within_its_covariance_when_the_car_dips(world):
    scene = world.scene(world.track(4.0, 16.0))
    found = candidates(scene.detections(pitch_error=math.radians(0.5)), scene.calibration)
    error = found.positions - scene.positions
    along = (error * found.directions).sum(-1)
    assert (along.abs() < 2.5 * variances(found)[:, 0].sqrt()).all()


def test_uncertainty_grows_with_range_along_the_ray_most(world):
    scene = world.scene(((4.0, 0.0, ConeClass.BLUE), (16.0, 0.0, ConeClass.BLUE)))
    near, far = variances(candidates(scene.detections(), scene.calibration)).sqrt()
    assert far[0] > 5 * near[0]
    assert far[0] > 5 * far[1]


def test_a_box_cut_at_the_bottom_is_uncertain(world):
    scene = world.scene(((6.0, 0.0, ConeClass.BLUE),))
    whole = scene.detections()
    cut = whole._replace(boxes_xyxy=whole.boxes_xyxy + torch.tensor([0, 0, 0, 500.0]))
    cut = cut._replace(boxes_xyxy=cut.boxes_xyxy.clamp(max=719))
    found = candidates(cut, scene.calibration)
    assert variances(found)[0, 0].sqrt() > 0.3 * found.positions[0].norm()
    stated = FuserConfig().camera_angle_error
    assert found.slack[0, 1] > 2 * stated
    untouched = candidates(whole, scene.calibration).slack
    torch.testing.assert_close(untouched, torch.tensor([stated, stated, 0.0]).expand_as(untouched))


def test_a_box_cut_at_the_side_has_an_uncertain_column(world):
    scene = world.scene(((6.0, 0.0, ConeClass.BLUE),))
    box = scene.detections().boxes_xyxy
    shifted = box - torch.tensor([1.0, 0, 1, 0]) * (box[0, 0] - 0.5)
    detections = scene.detections()._replace(boxes_xyxy=shifted)
    inside = scene.detections()._replace(boxes_xyxy=shifted + torch.tensor([20.0, 0, 20, 0]))
    cut, whole = (variances(candidates(d, scene.calibration)) for d in (detections, inside))
    assert cut[0, 1] > 3 * whole[0, 1]


def test_boxes_above_the_horizon_stay_finite(world):
    boxes = torch.tensor([[10.0, 10, 30, 40], [10, 40, 30, 40], [10, 90, 30, 20]])
    found = candidates(Detections(boxes, torch.zeros(3, 4)), world.calibration())
    assert found.positions.isfinite().all()
    assert (variances(found) > 0).all()


def test_no_boxes_give_no_candidates(world):
    found = candidates(Detections(torch.zeros(0, 4), torch.zeros(0, 4)), world.calibration())
    assert found.positions.shape == (0, 2)


def test_passes_gradients_to_boxes_logits_and_calibration(world):
    scene = world.scene(world.track(4.0, 7.0))
    boxes, logits = (tensor.double() for tensor in scene.detections())
    camera = scene.calibration.camera
    camera = camera._replace(
        intrinsics=camera.intrinsics.double(), distortion=camera.distortion.double()
    )
    scalars = type(FusionScalars()())(*(value.double() for value in FusionScalars()()))

    def outputs(boxes, logits, camera_from_lidar, intrinsics):
        calibration = scene.calibration._replace(
            camera=camera._replace(intrinsics=intrinsics), camera_from_lidar=camera_from_lidar
        )
        found = camera_candidates(Detections(boxes, logits), calibration, scalars, CONFIG)
        return found.positions, found.covariances, found.evidence, found.colours

    inputs = (boxes, logits, scene.calibration.camera_from_lidar.double(), camera.intrinsics)
    assert torch.autograd.gradcheck(outputs, [t.clone().requires_grad_() for t in inputs])


def test_refuses_a_camera_below_the_ground(world):
    scene = world.scene(world.track())
    buried = scene.calibration._replace(lidar_height=-2.0)
    with pytest.raises(ValueError, match=r"camera is .* m above the ground"):
        candidates(scene.detections(), buried)
