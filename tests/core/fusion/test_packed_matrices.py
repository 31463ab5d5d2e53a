"""Covariances in closed form."""

import math

import pytest
import torch

from conegrad_core.fusion.packed_matrices import as_matrices, conditioned, oriented


@pytest.mark.parametrize("degrees", [1.0, 30.0, 45.0, 77.0])
@pytest.mark.parametrize("ratio", [1.0, 1e4, 1e9, 1e14])
def test_a_conditioned_covariance_has_a_positive_determinant_at_any_ratio(degrees, ratio):
    angle = math.radians(degrees)
    direction = torch.tensor([math.cos(angle), math.sin(angle)])
    packed = oriented(direction, torch.tensor(ratio), torch.tensor(1.0))
    matrix = as_matrices(conditioned(packed)).double()
    assert torch.linalg.det(matrix) > 0
    torch.testing.assert_close(matrix, as_matrices(packed).double(), rtol=1e-5, atol=2e-6 * ratio)
