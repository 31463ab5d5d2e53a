"""Frames of the simulator as the camera training takes them."""

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.samples.frame_sampler import sample_image
from conegrad_training.supervised.camera_rendering import MIXTURES, SimulatedView


@pytest.mark.parametrize("level", ["hard", "hard_mixed"])
def test_boxes_are_counted_from_the_edge_of_the_first_pixel(level):
    frame = SimulatedView(level)(11)
    vehicle, own = MIXTURES[level][11 % 8] if level in MIXTURES else ("formula_student", level)
    sample = sample_image(11, load_vehicle(vehicle), own)
    np.testing.assert_array_equal(frame.image, sample.image)
    np.testing.assert_allclose(frame.boxes_xyxy, sample.boxes_xyxy + 0.5)
    assert frame.classes.tolist() == sample.classes.tolist()
