"""Perceived cones as input of the driver."""

import math

import pytest
import torch

from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones
from conegrad_core.vehicle import Mounting
from conegrad_simulation.driver.perceived_cones import perceived_cones

LIDAR = Mounting(1.5, 0.0, 0.2, 0.0, 0.0, math.pi / 2)


@pytest.fixture
def cones():
    """A blue cone 2 m ahead of the sensor and 1 m left, more certain across than along."""
    colours = torch.zeros(1, len(COLOUR_NAMES))
    colours[0, ConeClass.BLUE] = 0.7
    colours[0, ConeClass.BIG_ORANGE] = 0.2
    return Cones(
        positions=torch.tensor([[2.0, 1.0]]),
        covariances=torch.tensor([[[0.4, 0.0], [0.0, 0.1]]]),
        colours=colours,
        existence_logits=torch.zeros(1),
        source=torch.tensor([3]),
    )


def test_positions_and_covariances_turn_with_the_mounting(cones):
    perceived = perceived_cones(cones, LIDAR, 1.0)
    # The sensor looks left: ahead of it is +y, left of it is -x.
    assert perceived.positions[0] == pytest.approx([1.5 - 1.0, 2.0])
    assert perceived.covariances[0].diagonal() == pytest.approx([0.1, 0.4])


def test_without_a_mounting_cones_are_in_the_base_already(cones):
    assert perceived_cones(cones, None, 1.0).positions[0] == pytest.approx([2.0, 1.0])


def test_lengths_are_track_units(cones):
    perceived = perceived_cones(cones, None, 0.5)
    assert perceived.positions[0] == pytest.approx([4.0, 2.0])
    assert perceived.covariances[0, 0, 0] == pytest.approx(1.6)


def test_evidence_is_left_for_blue_and_either_side_for_orange(cones):
    assert perceived_cones(cones, None, 1.0).colours[0] == pytest.approx([0.7, 0.0, 0.2])
