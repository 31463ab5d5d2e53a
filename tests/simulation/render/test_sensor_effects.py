"""Effects of lens, sensor and coding, one at a time."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.sensor_effects import apply_sensor_effects
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.world import World

NONE = World(noise=0.0, blur=0.0, vignette=0.0)
VIEW = view_from_pose(
    pinhole_camera(640, 480, 1.2), Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0), Pose(0.0, 0.0, 0.0)
)
TYPICAL = 112  # grey value at which the automatic exposure changes nothing


def grey(value=TYPICAL):
    return np.full((480, 640, 3), value, np.uint8)


def edges():
    """Vertical stripes, 16 px wide, of the typical mean."""
    image = grey(TYPICAL - 60)
    image[:, (np.arange(640) // 16) % 2 == 0] = TYPICAL + 60
    return image


def effect(image, seed=0, **changes):
    rng = np.random.default_rng(seed)
    return apply_sensor_effects(image, VIEW, dataclasses.replace(NONE, **changes), rng)


def steepness(image):
    return float(np.abs(np.diff(image[..., 1].astype(float), axis=1)).max())


def test_without_effects_a_typical_image_stays_as_it_is():
    np.testing.assert_array_equal(effect(edges()), edges())


def test_the_argument_is_not_changed():
    image = edges()
    effect(image, noise=9.0, glare=1.0, jpeg=40, sharpen=1.0, chromatic=2.0, motion_blur=6.0)
    np.testing.assert_array_equal(image, edges())


def test_a_dark_image_is_exposed_a_part_of_the_way_to_the_typical_grey():
    # 70 % of the stops from 56 to 112: 56 * 2 ** 0.7.
    assert effect(grey(56)).mean() == pytest.approx(56 * 2**0.7, abs=1)


def test_exposure_scales_the_grey_value():
    assert effect(grey(), exposure=1.5).mean() == pytest.approx(1.5 * TYPICAL, abs=1)


def test_noise_has_its_standard_deviation_and_follows_the_seed():
    noisy = effect(grey(), noise=5.0)
    assert noisy.astype(float).std() == pytest.approx(5.0, rel=0.25)
    np.testing.assert_array_equal(noisy, effect(grey(), noise=5.0))
    assert (noisy != effect(grey(), seed=1, noise=5.0)).any()


@pytest.mark.parametrize("changes", [{"blur": 2.0}, {"motion_blur": 7.0}])
def test_blur_flattens_edges(changes):
    assert steepness(effect(edges(), **changes)) < 0.8 * steepness(edges())


def test_a_motion_blur_along_the_stripes_keeps_their_edges():
    along = effect(edges(), motion_blur=7.0, rolling=math.pi / 2)
    assert steepness(along) == steepness(edges())


def test_sharpening_steepens_edges():
    assert steepness(effect(edges(), sharpen=1.0)) > steepness(edges())


def test_a_vignette_darkens_the_corners_only():
    shaded = effect(grey(), vignette=0.6).astype(float)
    assert shaded[0, 0].mean() < 0.6 * shaded[240, 320].mean()


def test_chromatic_aberration_moves_red_at_the_border_and_not_in_the_middle():
    shift = np.abs(effect(edges(), chromatic=3.0).astype(int) - edges())
    assert shift[..., :2].max() == 0  # blue and green stay
    assert shift[:, :32, 2].max() > 50
    assert shift[:, 315:325, 2].max() <= 4


def test_white_balance_gains_red_and_blue():
    blue, green, red = effect(grey(), white_balance=(1.2, 0.8))[0, 0].tolist()
    assert (blue, green, red) == pytest.approx((0.8 * TYPICAL, TYPICAL, 1.2 * TYPICAL), abs=1)


def test_without_saturation_all_channels_are_equal():
    image = grey()
    image[..., 2] = 200
    pale = effect(image, saturation=0.0)
    assert (pale == pale[..., :1]).all()


def test_gamma_above_one_darkens_middle_greys():
    assert effect(grey(), gamma=1.3).mean() == pytest.approx(255 * (TYPICAL / 255) ** 1.3, abs=1)


def test_jpeg_loses_detail_and_keeps_the_mean():
    image = np.random.default_rng(0).integers(52, 172, (480, 640, 3)).astype(np.uint8)
    coded = effect(image, jpeg=30)
    assert coded.std() < 0.8 * image.std()
    assert coded.mean() == pytest.approx(float(image.mean()), abs=2)


def test_glare_is_brightest_towards_the_sun():
    left = effect(grey(40), glare=1.0, sun_azimuth=0.4, sun_elevation=0.1).astype(float)
    assert left[:, :320].mean() > left[:, 320:].mean() + 5


def test_a_picture_that_was_stored_small_loses_detail_across_and_keeps_it_down():
    small = effect(edges(), resolution=(0.3, 1.0))
    assert small.shape == edges().shape
    assert steepness(small) < 0.5 * steepness(edges())
    upright = np.ascontiguousarray(np.transpose(edges()[:, :480], (1, 0, 2)))
    turned = np.hstack([upright, upright[:, :160]])
    np.testing.assert_array_equal(np.diff(effect(turned, resolution=(0.3, 1.0)), axis=1), 0)
