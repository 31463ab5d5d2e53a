"""Positions of cones from keypoints: exact, honest, robust, differentiable."""

import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.geometry.calibration import mounted_calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver import solve_positions
from conegrad_core.keypoints.solver_scalars import INITIAL_VALUES, SolverScalars, SolverValues

AS_THEY_ARE = {  # a perfect network sees cones as they are
    "seen_height": 1.0,
    "seen_width": 1.0,
    "deviation_scale": 1.0,
    "common_share": 0.5,
    "outlier_limit": 3.0,
    "tilt_noise": 0.004,
}


def solved(seen, **values):
    scalars = SolverScalars()
    scalars.set_values({**AS_THEY_ARE, **values})
    with torch.no_grad():
        return solve_positions(seen.keypoints, seen.detections, seen.calibration, scalars())


def errors(found, seen):
    return (found.positions - seen.truth).norm(dim=-1)


def nees(found, seen):
    error = (found.positions - seen.truth)[..., None]
    return (error.mT @ torch.linalg.solve(found.covariances, error))[:, 0, 0]


def test_exact_keypoints_give_exact_positions(seen):
    cones = ((4.0, 1.0, ConeClass.SMALL_ORANGE), (9.0, -2.0, ConeClass.BIG_ORANGE))
    scene = seen((*cones, (18.0, 4.0, ConeClass.BLUE)))
    assert errors(solved(scene), scene).max() < 1e-3


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [
        ("plumb_bob", [-0.2, 0.03, 0.001, 0.001, 0.0]),
        ("equidistant", [0.02, -0.01, 0.003, 0.0]),
    ],
)
def test_lens_and_mounting_are_taken_out(seen, model, coefficients):
    intrinsics = torch.tensor([[600.0, 0, 630], [0, 590, 350], [0, 0, 1]])
    camera = CameraModel(1280, 720, intrinsics, torch.tensor(coefficients), model)
    base_from_lidar = mounting_matrix(torch.tensor([1.0, 0.0, 0.2]), 0.0, 0.0, 0.1)
    base_from_camera = mounting_matrix(torch.tensor([-0.3, 0.1, 1.0]), 0.03, 0.2, 0.05)
    camera_from_base = optical_from_body() @ rigid_inverse(base_from_camera)
    calibration = mounted_calibration(camera, camera_from_base @ base_from_lidar, base_from_lidar)
    scene = seen(calibration=calibration)
    assert errors(solved(scene), scene).max() < 2e-3


def test_a_lidar_that_hangs_upside_down_changes_nothing(seen):
    camera = seen().calibration.camera
    base_from_camera = mounting_matrix(torch.tensor([-0.3, 0.0, 1.0]), 0.0, 0.1, 0.0)
    camera_from_base = optical_from_body() @ rigid_inverse(base_from_camera)
    found = []
    for roll in (0.0, math.pi):
        base_from_lidar = mounting_matrix(torch.tensor([1.0, 0.0, 0.2]), roll, 0.0, 0.0)
        calibration = mounted_calibration(
            camera, camera_from_base @ base_from_lidar, base_from_lidar
        )
        mirrored = tuple((x, y * calibration.up, kind) for x, y, kind in seen_rows(seen))
        scene = seen(mirrored, calibration=calibration)
        upright = scene.keypoints.positions
        if calibration.up < 0:  # left in the frame is right in the image
            upright = upright[:, [0, 2, 1, 4, 3, 6, 5]]
        scene = scene._replace(keypoints=scene.keypoints._replace(positions=upright))
        assert errors(solved(scene), scene).max() < 2e-3
        found.append(solved(scene).covariances[:, 0, 0])
    torch.testing.assert_close(*found, rtol=1e-2, atol=1e-7)


def seen_rows(seen):
    truth = seen().truth.tolist()
    return tuple((x, y, ConeClass.BLUE) for x, y in truth)


def test_the_tilt_of_the_car_is_found_by_all_cones_together(seen):
    scene = seen(tilt=(0.004, 0.008))
    together = errors(solved(scene), scene)
    alone = [
        errors(
            solved(
                scene._replace(
                    keypoints=Keypoints(*(values[i : i + 1] for values in scene.keypoints)),
                    detections=Detections(*(values[i : i + 1] for values in scene.detections)),
                )
            ),
            scene._replace(truth=scene.truth[i : i + 1]),
        )
        for i in range(len(scene.truth))
    ]
    assert together.max() < 0.5 * torch.cat(alone).max()
    assert together[:6].max() < 0.1  # within 8 m


def test_false_boxes_do_not_spoil_the_tilt(seen):
    scene = seen(tilt=(0.0, 0.006))
    posts = seen(((6.0, 4.0, ConeClass.BLUE),) * 8).keypoints.positions
    posts = posts + torch.tensor([0.0, 30.0])  # cones that float in the air
    mixed = scene._replace(
        keypoints=Keypoints(
            torch.cat([scene.keypoints.positions, posts]),
            torch.full((len(scene.truth) + 8, 7), math.log(0.5)),
        ),
        detections=Detections(
            torch.cat([scene.detections.boxes_xyxy, torch.zeros(8, 4)]),
            torch.cat([scene.detections.logits, torch.full((8, 4), -9.0)]),
        ),
    )
    found = solved(mixed)
    kept = type(found)(*(values[: len(scene.truth)] for values in found))
    torch.testing.assert_close(kept.positions, solved(scene).positions, atol=0.02, rtol=1e-3)


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_covariances_are_honest(seen, noise):
    scalars = {
        "common_share": 0.01,
        "height_error": 1e-3,
        "width_error": 1e-3,
        "ground_noise": 1e-3,
    }
    scalars |= {"position_floor": 1e-3, "range_error": 1e-4}
    values = []
    for seed in range(40):
        generator = torch.Generator().manual_seed(100 + seed)
        tilt = (0.004 * torch.randn(2, generator=generator)).tolist()
        scene = seen(noise=noise, deviation=noise, seed=seed, tilt=tuple(tilt))
        values.append(nees(solved(scene, **scalars), scene))
    # Squared error by covariance is chi-square with 2 degrees of freedom: mean 2.
    assert 1.2 < torch.cat(values).mean() < 2.6


def test_keypoints_of_a_cone_that_err_together_are_honest_too(seen):
    values, independent = [], []
    for seed in range(40):
        scene = seen(deviation=1.0)
        generator = torch.Generator().manual_seed(seed)
        shift = torch.randn(len(scene.truth), 1, 2, generator=generator)
        pixels = scene.keypoints.positions
        scale = 1 + torch.randn(len(pixels), 1, 1, generator=generator) / (
            pixels[:, 5:, 1].mean(1) - pixels[:, 0, 1]
        ).reshape(-1, 1, 1)
        middle = pixels.mean(1, keepdim=True)
        moved = middle + (pixels - middle) * scale + shift
        scene = scene._replace(keypoints=scene.keypoints._replace(positions=moved))
        values.append(nees(solved(scene, common_share=1.0), scene))
        independent.append(nees(solved(scene, common_share=0.01), scene))
    assert 0.8 < torch.cat(values).mean() < 3.0
    assert torch.cat(independent).mean() > 2 * torch.cat(values).mean()


def test_an_outlying_keypoint_counts_little(seen):
    scene = seen()
    pixels = scene.keypoints.positions.clone()
    pixels[:, 3] += 15.0
    moved = scene._replace(keypoints=scene.keypoints._replace(positions=pixels))
    assert (errors(solved(moved), moved) / scene.truth.norm(dim=-1)).max() < 0.02


def test_a_lying_cone_is_uncertain(seen):
    cones = ((6.0, 1.0, ConeClass.BLUE),)
    upright, lying = seen(cones), seen(cones, lying=True)
    sizes = [torch.linalg.det(solved(scene).covariances).sqrt() for scene in (upright, lying)]
    assert sizes[1] > 3 * sizes[0]  # of their ellipses


def test_a_cone_cut_by_the_border_is_uncertain(seen):
    scene = seen(((1.5, 0.0, ConeClass.BLUE), (8.0, 1.0, ConeClass.BLUE)))
    low = scene.keypoints.positions[0, :, 1]
    camera = scene.calibration.camera
    assert low.min() < 440 < low.max() < camera.height
    cropped = scene.calibration._replace(camera=camera._replace(height=440))
    scenes = (scene, scene._replace(calibration=cropped))
    whole, cut = (solved(each, position_floor=1e-3, range_error=1e-4) for each in scenes)
    sizes = [torch.linalg.det(found.covariances).sqrt() for found in (whole, cut)]
    assert sizes[1][0] > 1.3 * sizes[0][0]
    assert sizes[1][1] < 1.2 * sizes[0][1]
    assert errors(cut, scene).max() < 0.02


def test_an_unsure_class_makes_the_range_unsure(seen):
    scene = seen(((8.0, 0.0, ConeClass.BLUE),))
    logits = torch.full((1, 4), -6.0)
    logits[0, ConeClass.BLUE] = logits[0, ConeClass.BIG_ORANGE] = 2.0
    unsure = scene._replace(detections=scene.detections._replace(logits=logits))
    sure, found = solved(scene), solved(unsure)
    assert found.covariances[0, 0, 0] > 1.5 * sure.covariances[0, 0, 0]
    # The ground and the keypoints tell what the class does not.
    assert (found.positions - scene.truth).norm() < 0.5


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_detections(seen, count):
    scene = seen((*seen_rows(seen),) * 4)
    few = scene._replace(
        truth=scene.truth[:count],
        keypoints=Keypoints(*(values[:count] for values in scene.keypoints)),
        detections=Detections(*(values[:count] for values in scene.detections)),
    )
    found = solved(few)
    assert found.positions.shape == (count, 2)
    assert found.covariances.shape == (count, 2, 2)
    if count:
        assert errors(found, few).max() < 2e-3


def test_any_keypoints_give_finite_positions_and_true_covariances(seen):
    generator = torch.Generator().manual_seed(3)
    calibration = seen().calibration
    size = torch.tensor([calibration.camera.width, calibration.camera.height])
    pixels = (3 * torch.rand(200, 7, 2, generator=generator) - 1) * size
    pixels[0] = 5.0  # all in one point
    deviations = 8 * torch.randn(200, 7, generator=generator)
    keypoints = Keypoints(pixels, deviations)
    detections = Detections(torch.zeros(200, 4), 10 * torch.randn(200, 4, generator=generator))
    found = solve_positions(keypoints, detections, calibration, SolverScalars()())
    assert all(values.isfinite().all() for values in found)
    assert (torch.linalg.eigvalsh(found.covariances.detach().double()) > 0).all()
    found.positions.sum().backward()


def test_more_steps_change_nothing(seen, monkeypatch):
    scene = seen(tilt=(0.003, 0.006), noise=1.0, deviation=1.0)
    few = solved(scene)
    monkeypatch.setattr("conegrad_core.keypoints.solver.STEPS", 20)
    many = solved(scene)
    deviation = few.covariances.diagonal(dim1=-2, dim2=-1).sqrt()
    assert ((few.positions - many.positions).abs() < 0.05 * deviation).all()


def test_passes_gradcheck_in_everything(seen):
    scene = seen(noise=0.5, tilt=(0.002, 0.004))
    places = slice(1, 8, 3)
    calibration = scene.calibration
    camera = calibration.camera
    camera = camera._replace(
        intrinsics=camera.intrinsics.double(), distortion=camera.distortion.double()
    )
    values = torch.tensor(list(INITIAL_VALUES.values()), dtype=torch.float64)

    def outputs(positions, deviations, logits, camera_from_lidar, scalars):
        moved = calibration._replace(camera=camera, camera_from_lidar=camera_from_lidar)
        detections = Detections(scene.detections.boxes_xyxy[places].double(), logits)
        keypoints = Keypoints(positions, deviations)
        return tuple(solve_positions(keypoints, detections, moved, SolverValues(*scalars)))

    inputs = (
        *(values[places].double() for values in scene.keypoints),
        scene.detections.logits[places].double() / 3,
        calibration.camera_from_lidar.double(),
        values,
    )
    inputs = [value.clone().requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(outputs, inputs, atol=1e-5, rtol=1e-3)


def test_refuses_rows_of_other_detections(seen):
    scene = seen()
    fewer = scene.keypoints._replace(positions=scene.keypoints.positions[1:])
    with pytest.raises(ValueError, match=r"keypoints of the detections has shape \(9, 7, 2\)"):
        solve_positions(fewer, scene.detections, scene.calibration, SolverScalars()())


def test_refuses_a_camera_below_the_ground(seen):
    scene = seen()
    buried = scene.calibration._replace(lidar_height=-2.0)
    with pytest.raises(ValueError, match=r"camera is .* m above the ground"):
        solve_positions(scene.keypoints, scene.detections, buried, SolverScalars()())


def test_every_scalar_is_documented():
    for name in SolverValues._fields:
        assert f"{name}: " in SolverValues.__doc__
