"""Attitude of the car body from acceleration, cornering and the unevenness of the road."""

import math

import numpy as np

from conegrad_simulation.planar import Floats

RIDE_WAVES = 5  # sines that sum to the unevenness of the road


class Attitude:
    """Pitch and roll of the car body: a pure function of settings, seed and motion.

    Args:
        pitch_gain: pitch per deceleration [rad s^2/m].
        roll_gain: roll per lateral acceleration [rad s^2/m].
        unevenness: pitch and roll from the road, standard deviation [rad].
        seed: of the road.
    """

    def __init__(self, pitch_gain: float, roll_gain: float, unevenness: float, seed: int) -> None:
        self._pitch_gain, self._roll_gain, self._unevenness = pitch_gain, roll_gain, unevenness
        self._waves = _ride(seed)

    def at(self, time: float, acceleration: float, lateral: float) -> tuple[float, float]:
        """Pitch, positive nose down, and roll, positive to the right [rad].

        Args:
            time: since the start [s].
            acceleration: along the heading [m/s^2].
            lateral: acceleration to the left [m/s^2].
        """
        amplitudes, rates, phases = self._waves
        ride = self._unevenness * (amplitudes * np.sin(rates * time + phases)).sum(axis=1)
        pitch = -self._pitch_gain * acceleration + ride[0]
        roll = self._roll_gain * lateral + ride[1]
        return float(pitch), float(roll)


def _ride(seed: int) -> tuple[Floats, Floats, Floats]:
    """Amplitudes (unit variance in sum), angular rates [rad/s] and phases, ``(2, waves)`` each."""
    rng = np.random.default_rng((seed, 0xD217E))
    amplitudes = rng.uniform(0.5, 1.0, (2, RIDE_WAVES))
    amplitudes *= math.sqrt(2) / np.linalg.norm(amplitudes, axis=1, keepdims=True)
    rates = 2 * math.pi * rng.uniform(0.5, 4.0, (2, RIDE_WAVES))
    return amplitudes, rates, rng.uniform(0, 2 * math.pi, (2, RIDE_WAVES))
