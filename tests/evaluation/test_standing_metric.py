"""Standing cones against their truth, figures worked out by hand."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import TrueStanding
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import windows_around
from conegrad_core.standing.standing import Standing
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import port_metric
from conegrad_evaluation.standing_metric import StandingMetric, auroc

BOXES = torch.tensor([[0.0, 0, 20, 30], [100, 0, 120, 30], [200, 0, 230, 20]])


def test_the_area_counts_pairs_in_the_right_order_and_ties_half():
    scores = np.array([3.0, 1.0, 2.0, 1.0])
    labels = np.array([True, True, False, False])
    # Pairs: 3>2, 3>1, 1<2, 1=1.
    assert auroc(scores, labels) == pytest.approx(2.5 / 4)
    assert math.isnan(auroc(scores, np.ones(4, dtype=bool)))


def test_crops_that_show_no_cone_do_not_count():
    truth = TrueStanding(BOXES, torch.tensor([True, True, False]))
    elsewhere = torch.tensor([[500.0, 300, 520, 330]])
    windows = windows_around(torch.cat([BOXES, elsewhere]))
    metric = StandingMetric(EvaluationConfig())
    assert metric.result() is None
    pictures = torch.zeros(4, 3, 8, 8)
    found = Standing(torch.tensor([2.0, -0.5, -1.0, 9.0]))
    metric.add(found, truth, Crops(pictures, windows))
    metric.add(Standing(torch.zeros(0)), truth, Crops(pictures[:0], windows[:0]))
    result = metric.result()
    assert result is not None
    assert result.headline == {"standing_auroc": 1.0, "standing_accuracy": pytest.approx(2 / 3)}
    counts = {name: result.details[name] for name in ("standing", "standing_right", "lying_right")}
    assert counts == {"standing": 2, "standing_right": 1, "lying_right": 1}


def test_it_is_the_metric_of_its_kind_of_port():
    assert port_metric("Standing") is StandingMetric
