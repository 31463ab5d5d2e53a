"""Attitude of the car body."""

import numpy as np
import pytest

from conegrad_simulation.recording.attitude import Attitude


def test_without_unevenness_the_attitude_follows_the_accelerations():
    attitude = Attitude(0.002, 0.003, 0.0, seed=1)
    # Braking by 5 m/s^2 in a left turn with 4 m/s^2: nose down, leaning right.
    assert attitude.at(3.0, -5.0, 4.0) == pytest.approx((0.01, 0.012))


def test_the_road_has_its_standard_deviation_and_no_mean():
    attitude = Attitude(0.0, 0.0, 0.004, seed=2)
    samples = np.array([attitude.at(time, 0.0, 0.0) for time in np.arange(0.0, 200.0, 0.1)])
    np.testing.assert_allclose(samples.std(axis=0), 0.004, rtol=0.1)
    np.testing.assert_allclose(samples.mean(axis=0), 0.0, atol=2e-4)


def test_a_seed_is_a_road():
    first, again, other = (Attitude(0.0, 0.0, 0.01, seed).at(1.5, 0.0, 0.0) for seed in (1, 1, 2))
    assert first == again != other
