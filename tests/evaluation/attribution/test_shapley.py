import numpy as np
import pytest

from conegrad_evaluation.attribution.shapley import coalitions, shapley_shares


def test_shares_of_players_that_add_up_are_what_they_bring():
    gains = {"a": 0.1, "b": 0.25, "c": 0.0}
    shares = shapley_shares(tuple(gains), lambda chosen: sum(gains[name] for name in chosen))
    assert {name: float(share) for name, share in shares.items()} == pytest.approx(gains)


def test_two_that_are_only_needed_together_share_and_a_third_has_nothing():
    shares = shapley_shares("abc", lambda chosen: float({"a", "b"} <= chosen))
    assert [float(shares[name]) for name in "abc"] == pytest.approx([0.5, 0.5, 0.0])


def test_shares_of_arrays_sum_to_the_gap_entry_by_entry():
    values = {c: np.random.default_rng(len(c)).random(4) for c in coalitions("abcd")}
    shares = shapley_shares("abcd", lambda chosen: values[chosen])
    gap = values[frozenset("abcd")] - values[frozenset()]
    np.testing.assert_allclose(sum(shares.values()), gap, atol=1e-12)
