"""What a beam knows of its surroundings."""

import math

import pytest
import torch

from conegrad_core.lidar.beam_features import (
    CHANNELS,
    OFFSETS,
    beam_features,
    covers_full_turn,
)

NAN = float("nan")
STEP = torch.tensor(0.01)


def test_every_channel_is_bounded_and_finite():
    ranges = torch.tensor([[NAN, 0.0, torch.inf, -1.0, 0.06, 3.0, 3.2, 80.0]])
    features = beam_features(ranges, STEP)
    assert features.shape == (1, CHANNELS, 8)
    assert features.isfinite().all()
    assert features.abs().max() < 4


def test_beams_without_return_are_all_zero_whatever_the_invalid_value():
    ranges = torch.full((1, 9), 4.0)
    expected = beam_features(ranges.index_fill(1, torch.tensor([4]), NAN), STEP)
    assert (expected[0, :, 4] == 0).all()
    for invalid in (0.0, torch.inf, -torch.inf, -2.0):
        other = beam_features(ranges.index_fill(1, torch.tensor([4]), invalid), STEP)
        torch.testing.assert_close(other, expected)


def test_a_step_beside_a_beam_is_seen_at_its_metric_distance_for_any_angular_step():
    # A surface at 5 m that falls back to 6 m 0.2 m to the left of the beam ahead.
    def depths(step: float) -> torch.Tensor:
        angles = torch.arange(-200, 201) * step
        ranges = torch.where(5 * angles < 0.2, 5.0, 6.0)[None]
        features = beam_features(ranges, torch.tensor(step))
        coarse = features[0, -2 * (len(OFFSETS) + 2) :, 200]
        return coarse[: 2 * len(OFFSETS)]

    expected = [math.tanh(1 / 0.8) * (offset > 0.2) for offset in OFFSETS]
    for step in (0.002, 0.004):
        torch.testing.assert_close(depths(step), torch.tensor([0.0] * len(OFFSETS) + expected))


def test_a_full_turn_wraps_and_a_partial_one_ends():
    ranges = torch.full((1, 36), 5.0)
    full = beam_features(ranges, torch.tensor(2 * math.pi / 36))
    assert (full == full[:, :, :1]).all()
    part = beam_features(ranges, torch.tensor(math.pi / 36))
    assert (part[:, :, 0] != part[:, :, 18]).any()


@pytest.mark.parametrize(
    ("beams", "view", "full"),
    [(1024, 2 * math.pi, True), (1081, math.radians(270), False), (360, 6.0, False)],
)
def test_knows_a_full_turn(beams, view, full):
    assert covers_full_turn(beams, view / beams) is full


def test_gradients_reach_the_ranges():
    ranges = (4 + torch.rand(1, 12, dtype=torch.float64)).requires_grad_()
    step = torch.tensor(0.013, dtype=torch.float64)
    weights = torch.linspace(-1, 1, CHANNELS, dtype=torch.float64)[:, None]
    assert torch.autograd.gradcheck(lambda r: (beam_features(r, step) * weights).sum(1), ranges)
