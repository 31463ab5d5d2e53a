"""Random draws that several samplers of worlds share."""

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between both limits whose logarithm is spread evenly."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def with_probability(
    rng: np.random.Generator, probability: float, low: float, high: float
) -> float:
    """A number between both limits with some probability, otherwise 0."""
    return float(rng.uniform(low, high)) if rng.random() < probability else 0.0
