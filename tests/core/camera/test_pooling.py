"""Selection and pooling of candidates."""

import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.camera.pooling import (
    assign_duplicates,
    box_iou,
    candidate_scores,
    pool_duplicates,
    select_top,
)


def greedy_owners(boxes, overlap):
    """The textbook loop, as the reference."""
    owners, iou = {}, box_iou(boxes, boxes)
    for i in range(len(boxes)):
        leaders = [j for j in range(i) if owners[j] == j and iou[i, j] > overlap]
        owners[i] = leaders[0] if leaders else i
    return [owners[i] for i in range(len(boxes))]


def random_candidates(count, dtype=torch.float32):
    corners = torch.rand(count, 2, dtype=dtype) * 40
    boxes = torch.cat([corners, corners + 5 + 20 * torch.rand(count, 2, dtype=dtype)], 1)
    return select_top(boxes, torch.randn(count, 4, dtype=dtype), count)


def test_iou_of_half_shifted_squares_is_a_third():
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    second = torch.tensor([[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0], [1.0, 1.0, 1.0, 1.0]])
    torch.testing.assert_close(box_iou(first, second), torch.tensor([[1 / 3, 0.0, 0.0]]))


def test_keeps_the_best_by_logsumexp_of_the_classes():
    logits = torch.tensor([[0.0, 0, 0, 0], [1, -9, -9, -9], [1.2, 1.2, -9, -9], [-5, -5, -5, -5]])
    boxes = torch.arange(16.0).view(4, 4)
    top = select_top(boxes, logits, 2)
    # log 4 = 1.39 for row 0, 1.0 for row 1, 1.2 + log 2 = 1.89 for row 2.
    assert top.boxes_xyxy.tolist() == [boxes[2].tolist(), boxes[0].tolist()]


def test_takes_all_where_there_are_fewer():
    assert len(select_top(torch.rand(3, 4), torch.rand(3, 4), 100).logits) == 3


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_are_those_of_greedy_suppression(seed):
    torch.manual_seed(seed)
    boxes = random_candidates(60).boxes_xyxy
    assert assign_duplicates(boxes, 0.3).tolist() == greedy_owners(boxes, 0.3)


def test_pools_two_duplicates_by_their_scores():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 12], [50, 50, 60, 60]])
    logits = torch.full((3, 4), -100.0)
    logits[0, 0], logits[1, 0], logits[2, 1] = 1.0, 0.0, -3.0
    pooled = pool_duplicates(Detections(boxes, logits), 0.45, 40)
    share = math.e / (math.e + 1)
    expected = torch.tensor([[0.0, 0, 10, 10 * share + 12 * (1 - share)], [50, 50, 60, 60]])
    torch.testing.assert_close(pooled.boxes_xyxy, expected)
    assert pooled.logits[0, 0].item() == pytest.approx(share)


def test_a_chain_of_boxes_is_not_one_cluster():
    # Each overlaps its neighbour by 2/3, the ends by 1/3 only: the third leads again.
    boxes = torch.tensor([[0.0, 0, 10, 10], [2, 0, 12, 10], [5, 0, 15, 10]])
    assert assign_duplicates(boxes, 0.45).tolist() == [0, 0, 2]


def test_rows_come_best_first_and_at_most_as_many_as_asked():
    torch.manual_seed(0)
    pooled = pool_duplicates(random_candidates(80), 0.45, 7)
    scores = candidate_scores(pooled.logits)
    assert len(scores) == 7
    assert (scores.diff() <= 0).all()


def test_no_candidates_give_no_rows():
    pooled = pool_duplicates(Detections(torch.zeros(0, 4), torch.zeros(0, 4)), 0.45, 40)
    assert pooled.boxes_xyxy.shape == (0, 4)


def test_passes_gradients_to_every_member():
    torch.manual_seed(1)
    candidates = random_candidates(12, torch.float64)
    inputs = [tensor.clone().requires_grad_() for tensor in candidates]

    def pooled(boxes, logits):
        return pool_duplicates(Detections(boxes, logits), 0.2, 40)

    assert torch.autograd.gradcheck(pooled, inputs)
    pooled(*inputs).boxes_xyxy.sum().backward()
    assert (inputs[0].grad.abs().sum(1) > 0).all()


def test_refuses_boxes_of_the_wrong_width():
    with pytest.raises(ValueError, match=r"boxes_xyxy has shape \(3, 5\)"):
        select_top(torch.zeros(3, 5), torch.zeros(3, 4), 2)
