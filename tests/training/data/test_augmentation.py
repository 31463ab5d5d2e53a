import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import ConeClass, TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_training.data.augmentation import (
    UNCHANGED,
    AugmentationConfig,
    augmented,
    jittered,
    mirrored,
    relit,
    with_dropout,
)

WIDTH, HEIGHT = 320, 192
CONES = torch.tensor([[5.0, 1.5], [6.0, -1.0], [9.0, 0.5]])


def made_sample(distortion_model: str = "plumb_bob") -> Sample:
    """Camera off the middle, turned and distorted; one white pixel where each cone stands."""
    place = torch.tensor([-0.5, 0.1, 1.0], dtype=torch.float64)
    turn = torch.tensor([0.02, 0.17, -0.05], dtype=torch.float64)
    lidar_from_camera = mounting_matrix(place, *turn)
    camera_from_lidar = (
        optical_from_body(torch.float64) @ rigid_inverse(lidar_from_camera)
    ).float()
    coefficients = {
        "plumb_bob": [-0.2, 0.05, 0.003, -0.004, 0.0],
        "equidistant": [0.02, -0.01, 0.0, 0.0],
    }
    camera = CameraModel(
        WIDTH,
        HEIGHT,
        torch.tensor([[200.0, 0.0, 150.0], [0.0, 205.0, 90.0], [0.0, 0.0, 1.0]]),
        torch.tensor(coefficients[distortion_model]),
        distortion_model,
    )
    calibration = Calibration(camera, camera_from_lidar.float(), 0.15)
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for u, v in feet(CONES, calibration).tolist():
        image[int(v), int(u)] = 255
    angles = torch.linspace(-2.0, 2.2, 43)
    ranges = torch.where(torch.arange(43) == 30, 5.0, torch.nan)
    truth = TrueCones(
        CONES,
        torch.tensor([ConeClass.BLUE, ConeClass.YELLOW, ConeClass.BIG_ORANGE]),
        torch.tensor([True, True, True]),
        torch.tensor([True, False, True]),
    )
    motion = torch.tensor([0.3, -0.05, 0.02])
    inputs = {"image": image, "scan": Scan(ranges, angles)}
    context = FrameContext(calibration, motion)
    return Sample(inputs, context, truth, SampleKey("made", 0, 0))


def feet(positions: torch.Tensor, calibration: Calibration) -> torch.Tensor:
    """Pixels where cones stand on the ground."""
    points = torch.nn.functional.pad(positions, (0, 1), value=-calibration.lidar_height)
    pixels, visible = project(points, calibration.camera_from_lidar, calibration.camera)
    assert visible.all()
    return pixels


@pytest.mark.parametrize("distortion_model", ["plumb_bob", "equidistant"])
def test_true_cones_project_onto_the_mirrored_pixels(distortion_model: str):
    sample = made_sample(distortion_model)
    mirror = mirrored(sample)
    before = feet(sample.truth.positions, sample.context.calibration)
    after = feet(mirror.truth.positions, mirror.context.calibration)
    expected = torch.stack([WIDTH - before[:, 0], before[:, 1]], dim=-1)
    torch.testing.assert_close(after, expected, atol=1e-3, rtol=0)


def test_true_cones_stay_on_their_pixels_in_the_mirrored_image():
    mirror = mirrored(made_sample())
    for u, v in feet(mirror.truth.positions, mirror.context.calibration).tolist():
        assert mirror.inputs["image"][int(v), int(u)].tolist() == [255, 255, 255]


def test_a_blue_cone_stays_blue_and_changes_side():
    truth = mirrored(made_sample()).truth
    assert truth.classes.tolist() == [ConeClass.BLUE, ConeClass.YELLOW, ConeClass.BIG_ORANGE]
    torch.testing.assert_close(truth.positions[0], torch.tensor([5.0, -1.5]))


def test_a_return_on_the_left_comes_from_the_right():
    sample = made_sample()
    scan = mirrored(sample).inputs["scan"]
    hit = scan.ranges.isfinite()
    assert int(hit.sum()) == 1
    torch.testing.assert_close(scan.angles[hit], -sample.inputs["scan"].angles[30:31])
    assert (scan.angles.diff() > 0).all()  # still counter-clockwise


def test_a_left_turn_becomes_a_right_turn():
    motion = mirrored(made_sample()).context.motion
    torch.testing.assert_close(motion, torch.tensor([0.3, 0.05, -0.02]))


def test_mirrored_extrinsics_are_still_a_rotation():
    rotation = mirrored(made_sample()).context.calibration.camera_from_lidar[:3, :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3), atol=1e-5, rtol=0)
    assert float(torch.linalg.det(rotation)) == pytest.approx(1.0, abs=1e-5)


def test_mirroring_twice_gives_the_sample_back():
    sample = made_sample()
    twice = mirrored(mirrored(sample))
    np.testing.assert_array_equal(twice.inputs["image"], sample.inputs["image"])
    torch.testing.assert_close(twice.truth, sample.truth)
    torch.testing.assert_close(twice.inputs["scan"], sample.inputs["scan"], equal_nan=True)
    torch.testing.assert_close(
        twice.context.calibration.camera_from_lidar, sample.context.calibration.camera_from_lidar
    )
    torch.testing.assert_close(twice.context.calibration.camera.intrinsics,
                               sample.context.calibration.camera.intrinsics)  # fmt: skip


def test_brightness_scales_and_saturates():
    image = np.array([[[0, 100, 200]]], dtype=np.uint8)
    assert relit(image, 1.5).tolist() == [[[0, 150, 255]]]


def test_dropout_takes_the_expected_share_of_beams():
    sample = made_sample()
    scan = Scan(torch.ones(10_000), torch.linspace(-2, 2, 10_000))
    full = sample._replace(inputs={**sample.inputs, "scan": scan})
    ranges = with_dropout(full, 0.3, np.random.default_rng(1)).inputs["scan"].ranges
    assert float(ranges.isnan().float().mean()) == pytest.approx(0.3, abs=0.02)
    assert bool(full.inputs["scan"].ranges.isfinite().all())  # the given sample stays whole


def test_jitter_moves_the_projection_by_its_angle():
    sample = made_sample("equidistant")
    turned = jittered(sample, np.array([0.0, 0.0, 0.01]), np.zeros(3))
    before = feet(CONES, sample.context.calibration)
    after = feet(CONES, turned.context.calibration)
    # A turn of 10 mrad to the left shifts points in the middle left by about f * 0.01 = 2 px.
    assert torch.allclose(after[:, 0] - before[:, 0], torch.tensor(-2.0), atol=0.8)


def test_the_same_generator_gives_the_same_sample_and_zeros_change_nothing():
    sample, config = made_sample(), AugmentationConfig(0.5, 0.3, 0.2, 0.1, 0.01, 0.02)
    first, second = (augmented(sample, config, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.inputs["image"], second.inputs["image"])
    same = augmented(sample, UNCHANGED, np.random.default_rng(3))
    np.testing.assert_array_equal(same.inputs["image"], sample.inputs["image"])
    assert torch.equal(
        same.context.calibration.camera_from_lidar, sample.context.calibration.camera_from_lidar
    )
    assert math.isclose(float(same.inputs["scan"].ranges.nansum()), 5.0)
