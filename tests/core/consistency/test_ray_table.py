"""Rays from a table are those of the exact undistortion."""

import numpy as np
import torch

from conegrad_core.consistency.ray_table import RayTable
from conegrad_core.geometry.camera import undistort_pixels
from conegrad_core.vehicle import load_vehicle


def test_rays_are_those_of_the_lens_to_a_twentieth_of_a_degree():
    camera = load_vehicle("formula_student").camera.model()
    corners = [[0.0, 0.0], [camera.width, camera.height]]
    inside = np.random.default_rng(1).uniform(0, 1, (200, 2)) * [camera.width, camera.height]
    pixels = np.vstack([corners, inside])
    exact = undistort_pixels(torch.from_numpy(pixels).float(), camera).numpy()
    np.testing.assert_allclose(RayTable(camera)(pixels), exact, atol=np.radians(0.05))


def test_no_pixels_give_no_rays():
    camera = load_vehicle("formula_student").camera.model()
    assert RayTable(camera)(np.zeros((0, 2))).shape == (0, 2)
