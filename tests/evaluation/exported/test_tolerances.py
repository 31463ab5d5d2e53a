"""Which exports are refused, and what counts as the same box."""

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones, TrueCones
from conegrad_evaluation.exported.box_agreement import BoxAgreement
from conegrad_evaluation.exported.comparison import EngineComparison
from conegrad_evaluation.exported.tolerances import (
    ExportRefusedError,
    Tolerances,
    check,
    faults,
)
from conegrad_evaluation.metrics.evaluator import Evaluator

BOXES = torch.tensor([[10.0, 10.0, 30.0, 50.0], [100.0, 20.0, 120.0, 60.0]])
BLUE, YELLOW = [4.0, -4.0, -4.0, -4.0], [-4.0, 4.0, -4.0, -4.0]


def evaluation(count, found):
    """Cones 3 m apart within 5 m, of which some are found in the right colour."""
    evaluator = Evaluator()
    position = torch.tensor([[3.0, 1.0]])
    seen = torch.ones(1, dtype=torch.bool)
    truth = TrueCones(position, torch.zeros(1, dtype=torch.int64), seen, seen)
    for index in range(count):
        rows = 1 if index < found else 0
        evaluator.add(
            Cones(
                position[:rows],
                0.01 * torch.eye(2).expand(rows, 2, 2),
                torch.tensor([[0.96, 0.01, 0.01, 0.01, 0.01]])[:rows],
                torch.full((rows,), 5.0),
                torch.full((rows,), 3),
            ),
            truth,
        )
    return evaluator.result()


def agreement(original, exported):
    boxes = BoxAgreement()
    boxes.add(original, exported)
    return boxes


def test_boxes_agree_where_place_and_colour_do():
    original = Detections(BOXES, torch.tensor([BLUE, YELLOW]))
    assert agreement(original, Detections(BOXES + 1, original.logits)).share == 1.0
    recoloured = Detections(BOXES, torch.tensor([BLUE, BLUE]))
    assert agreement(original, recoloured).share == 0.5
    assert agreement(original, Detections(BOXES[:1], original.logits[:1])).share == pytest.approx(
        2 / 3
    )


def test_an_export_that_loses_more_than_it_may_is_refused_with_figure_and_tolerance():
    found = EngineComparison(evaluation(200, 200), evaluation(200, 190), {}, {})
    said = faults(found, Tolerances())
    assert said[0] == "f1_colour falls from 1.0000 to 0.9744, allowed are 0.0050"
    assert any(text.startswith("recall 0-5 m falls from 1.0000 to 0.9500") for text in said)
    with pytest.raises(ExportRefusedError, match="the export is refused: f1_colour falls"):
        check(found, Tolerances())


def test_one_cone_may_be_lost_where_a_range_has_few():
    found = EngineComparison(evaluation(40, 40), evaluation(40, 39), {}, {})
    assert faults(found, Tolerances(f1_colour=0.02, recall=0.03)) == []
    assert not any("0-5 m" in text for text in faults(found, Tolerances()))


def test_boxes_count_as_well():
    original = Detections(BOXES, torch.tensor([BLUE, YELLOW]))
    boxes = {"detections": agreement(original, Detections(BOXES[:1], original.logits[:1]))}
    found = EngineComparison(evaluation(5, 5), evaluation(5, 5), boxes, {})
    (said,) = faults(found, Tolerances())
    assert said.startswith("share of boxes kept (detections) falls from 1.0000 to 0.6667")
