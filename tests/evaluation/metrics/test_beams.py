"""Beams are counted where they returned."""

import pytest
import torch

from conegrad_evaluation.metrics.beams import BeamCounts, count_beams

NAN = float("nan")


def test_counts_each_kind_of_beam_and_leaves_out_those_without_return():
    logits = torch.tensor([2.0, 2.0, -2.0, -2.0, 2.0, 2.0, 2.0])
    labels = torch.tensor([True, False, True, False, False, True, False])
    ranges = torch.tensor([5.0, 5.0, 5.0, 5.0, NAN, 0.0, torch.inf])
    assert count_beams(logits, labels, ranges) == BeamCounts(1, 1, 1, 1)


def test_rates_follow_from_the_counts():
    counts = BeamCounts(6, 2, 4, 100)
    assert counts.precision == 0.75
    assert counts.recall == 0.6
    assert counts.f1 == pytest.approx(2 / 3)  # 12 / 18


def test_counts_add_up():
    assert BeamCounts(1, 2, 3, 4) + BeamCounts(10, 20, 30, 40) == BeamCounts(11, 22, 33, 44)


def test_the_threshold_moves_the_call():
    logits, labels = torch.tensor([0.0]), torch.tensor([True])
    assert count_beams(logits, labels, torch.ones(1)).true_positives == 1
    assert count_beams(logits, labels, torch.ones(1), min_score=0.6).false_negatives == 1


def test_nothing_to_find_and_nothing_called_is_perfect():
    assert BeamCounts(true_negatives=5).to_dict()["f1"] == 1.0
    assert BeamCounts(false_positives=5).f1 == 0.0


def test_refuses_different_shapes():
    with pytest.raises(ValueError, match=r"labels has shape \(3,\)"):
        count_beams(torch.zeros(4), torch.zeros(3), torch.zeros(4))
