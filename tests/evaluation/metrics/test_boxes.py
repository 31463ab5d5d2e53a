"""Average precision of boxes."""

import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_evaluation.metrics.boxes import TrueBoxes, average_precisions

BOX = [10.0, 10.0, 20.0, 30.0]
OTHER = [50.0, 10.0, 60.0, 30.0]
FAR = [200.0, 10.0, 210.0, 30.0]


def detections(*rows):
    """Rows of (box, class, score); other classes get a score of about zero."""
    logits = torch.full((len(rows), 4), -30.0)
    for row, (_, index, score) in enumerate(rows):
        logits[row, index] = math.log(score / (1 - score))
    return Detections(torch.tensor([row[0] for row in rows]).view(-1, 4), logits)


def truth(*rows):
    return TrueBoxes(
        torch.tensor([row[0] for row in rows]).view(-1, 4),
        torch.tensor([row[1] for row in rows], dtype=torch.int64),
    )


def test_exact_boxes_score_1():
    found = [detections((BOX, 0, 0.9), (OTHER, 1, 0.8))]
    values = average_precisions(found, [truth((BOX, 0), (OTHER, 1))])
    assert values == {"blue": 1.0, "yellow": 1.0, "mean": 1.0}


def test_a_false_box_before_the_second_hit_lowers_the_area():
    # Precision 1 up to recall 1/2, then 2/3 up to recall 1: (1 + 2/3) / 2.
    found = [detections((BOX, 0, 0.9), (FAR, 0, 0.8), (OTHER, 0, 0.7))]
    values = average_precisions(found, [truth((BOX, 0), (OTHER, 0))])
    assert values["blue"] == pytest.approx(5 / 6)


def test_a_second_box_on_the_same_cone_is_wrong():
    found = [detections((BOX, 0, 0.9), (BOX, 0, 0.8), (OTHER, 0, 0.7))]
    values = average_precisions(found, [truth((BOX, 0), (OTHER, 0))])
    assert values["blue"] == pytest.approx(5 / 6)


def test_a_cone_that_was_not_found_halves_the_recall():
    values = average_precisions([detections((BOX, 0, 0.9))], [truth((BOX, 0), (OTHER, 0))])
    assert values["blue"] == pytest.approx(0.5)


def test_the_same_box_in_another_image_is_wrong():
    found = [detections((BOX, 0, 0.9)), detections((OTHER, 0, 0.5))]
    values = average_precisions(found, [truth((OTHER, 0)), truth((OTHER, 0))])
    assert values["blue"] == pytest.approx(0.25)  # precision 1/2 at recall 1/2


def test_boxes_of_unknown_or_too_low_cones_do_not_count():
    low = [100.0, 10.0, 103.0, 13.0]
    found = [detections((OTHER, 0, 0.95), (low, 0, 0.9), (BOX, 0, 0.5))]
    true = [truth((BOX, 0), (OTHER, ConeClass.UNKNOWN), (low, 0))]
    assert average_precisions(found, true, min_height=4.0)["mean"] == 1.0


def test_nothing_found_scores_0_and_nothing_to_find_is_no_number():
    assert average_precisions([detections()], [truth((BOX, 0))])["mean"] == 0.0
    assert math.isnan(average_precisions([detections((BOX, 0, 0.9))], [truth()])["mean"])


def test_refuses_image_lists_of_different_length():
    with pytest.raises(ValueError, match="detections has 0 images, expected 1"):
        average_precisions([], [truth()])
