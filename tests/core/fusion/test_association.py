"""Soft matches: optimal transport with a way out."""

import math

import pytest
import torch

from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.association import transport

OUT = torch.tensor(-3.0)


def test_two_clear_pairs_are_matched():
    scores = torch.tensor([[0.0, -50.0], [-50.0, 0.0]])
    matches, unmatched = transport(scores, OUT, OUT, rounds=8)
    # Alone with its partner, u = v and u (u + e^-3) = 1: u^2 = 0.951.
    assert matches.diagonal().tolist() == pytest.approx([0.951, 0.951], abs=2e-3)
    torch.testing.assert_close(matches.sum(1) + unmatched, torch.ones(2))


def test_rows_and_columns_are_used_once():
    scores = torch.zeros(3, 2)  # three segments claim two boxes
    matches, unmatched = transport(scores, OUT, OUT, rounds=50)
    assert (matches.sum(0) <= 1 + 1e-4).all()
    torch.testing.assert_close(matches.sum(1) + unmatched, torch.ones(3))
    assert unmatched.min() > 0.3


def test_what_fits_nothing_goes_to_the_dustbin():
    matches, unmatched = transport(torch.full((2, 3), -40.0), OUT, OUT, rounds=8)
    assert matches.max() < 1e-6
    assert unmatched.min() > 0.999


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_an_empty_side_matches_nothing(shape):
    matches, unmatched = transport(torch.zeros(shape), OUT, OUT, rounds=8)
    assert matches.shape == shape
    assert unmatched.tolist() == pytest.approx([1.0] * shape[0])


def test_extreme_scores_stay_finite_with_their_gradients():
    scores = torch.tensor([[-1e6, 0.0], [50.0, -1e6]], requires_grad=True)
    matches, _ = transport(scores, OUT, OUT, rounds=8)
    matches.sum().backward()
    assert matches.isfinite().all()
    assert scores.grad.isfinite().all()


def test_passes_gradients_to_scores_and_dustbins():
    scores = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    inputs = (scores.requires_grad_(), OUT.double().requires_grad_(), OUT.double().requires_grad_())
    assert torch.autograd.gradcheck(lambda *a: transport(*a, rounds=5), inputs)


def test_packed_matrices_agree_with_full_ones():
    direction = torch.tensor([[math.cos(0.3), math.sin(0.3)], [0.0, 1.0]], dtype=torch.float64)
    along, across = torch.tensor([[4.0, 9.0], [1.0, 0.25]], dtype=torch.float64)
    packed = gaussians.oriented(direction, along, across)
    full = gaussians.as_matrices(packed)
    normal = torch.stack([-direction[:, 1], direction[:, 0]], -1)
    torch.testing.assert_close((full @ direction[..., None])[..., 0], along[:, None] * direction)
    torch.testing.assert_close((full @ normal[..., None])[..., 0], across[:, None] * normal)
    torch.testing.assert_close(gaussians.as_matrices(gaussians.inverse(packed)), full.inverse())
    vector = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64)
    torch.testing.assert_close(gaussians.times(packed, vector), (full @ vector[..., None])[..., 0])
    torch.testing.assert_close(
        gaussians.as_matrices(gaussians.outer(vector)), vector[:, :, None] * vector[:, None]
    )
