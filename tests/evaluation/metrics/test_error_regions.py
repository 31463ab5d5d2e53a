"""What the regions of covariances hold."""

import numpy as np
import pytest
import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_evaluation.metrics.bootstrap import ratio_intervals
from conegrad_evaluation.metrics.evaluator import Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.metrics.table import summary_table

CONES = 40


def evaluated(stated, error, deviations=None, **settings):
    """Frames of cones 4 m apart whose errors are normal, as stated or not."""
    generator = np.random.default_rng(0)
    evaluator = Evaluator(EvaluationConfig(bootstrap_samples=100, **settings))
    places = torch.tensor([[4.0 * i, 2.0] for i in range(CONES)], dtype=torch.float64)
    seen = torch.ones(CONES, dtype=torch.bool)
    classes = torch.zeros(CONES, dtype=torch.int64)
    truth = TrueCones(places, classes, seen, seen, deviations)
    colours = torch.eye(5)[classes]
    for source in (1, 2, 3, 3):
        noise = torch.from_numpy(error * generator.standard_normal((CONES, 2)))
        covariances = stated**2 * torch.eye(2).expand(CONES, 2, 2)
        logits, sources = torch.full((CONES,), 3.0), torch.full((CONES,), source)
        cones = Cones(places + noise, covariances, colours, logits, sources)
        evaluator.add(cones, truth)
    return evaluator.result()


def test_honest_covariances_hold_their_share():
    regions = evaluated(0.05, 0.05).error_regions["all"]["all"]
    assert regions.count == 4 * CONES
    assert regions.inside_50 == pytest.approx(0.5, abs=0.1)
    assert regions.inside_90 == pytest.approx(0.9, abs=0.06)
    assert regions.inside_90_interval.low < regions.inside_90 < regions.inside_90_interval.high
    assert regions.mean_nees == pytest.approx(2, abs=0.4)


def test_the_imprecision_of_the_truth_adds_to_the_covariance():
    alone = evaluated(0.01, 0.1)
    assert alone.error_regions["all"]["all"].inside_90 < 0.1
    for with_truth in (
        evaluated(0.01, 0.1, torch.full((CONES,), 0.1)),
        evaluated(0.01, 0.1, truth_deviation=0.1),
    ):
        assert with_truth.error_regions["all"]["all"].inside_90 == pytest.approx(0.9, abs=0.06)
        assert with_truth.consistency.mean == pytest.approx(2, abs=0.4)


def test_regions_are_parted_by_source_and_range():
    regions = evaluated(0.05, 0.05).error_regions
    assert [regions[s]["all"].count for s in ("camera", "lidar", "both")] == [40, 40, 80]
    assert regions["all"]["0-5 m"].count == 4 * 2  # at x = 0 and 4 m
    by_range = [r.count for name, r in regions["lidar"].items() if name != "all"]
    assert sum(by_range) == 40
    assert "90 % regions hold: 0-5 m" in summary_table(evaluated(0.05, 0.05))


def test_a_range_without_cones_has_no_interval():
    hits, totals = np.array([[1, 0], [2, 0]]), np.array([[2, 0], [2, 0]])
    some, none = ratio_intervals(hits, totals, samples=50)
    assert 0.5 <= some.low <= 0.75 <= some.high <= 1.0
    assert np.isnan([none.low, none.high]).all()
