"""From all anchors to one row per cone: best candidates, then pooled duplicates.

Selections and memberships are constants of the graph; every value stays differentiable.
"""

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.shapes import check_shape


def candidate_scores(logits: Tensor) -> Tensor:
    """One score ``(...)`` per candidate: logsumexp of its class logits ``(..., 4)``."""
    return logits.logsumexp(-1)


def box_iou(first_xyxy: Tensor, second_xyxy: Tensor) -> Tensor:
    """Intersection over union ``(N, M)`` of boxes ``(N, 4)`` and ``(M, 4)``; 0 for empty boxes."""
    first = first_xyxy[:, None].unbind(-1)  # left, top, right, bottom
    second = second_xyxy[None].unbind(-1)
    width = first[2].minimum(second[2]) - first[0].maximum(second[0])
    height = first[3].minimum(second[3]) - first[1].maximum(second[1])
    overlap = width.clamp(min=0) * height.clamp(min=0)
    total = _areas(first_xyxy)[:, None] + _areas(second_xyxy)
    return overlap / (total - overlap).clamp(min=1e-9)


def _areas(boxes_xyxy: Tensor) -> Tensor:
    left, top, right, bottom = boxes_xyxy.unbind(-1)
    return (right - left).clamp(min=0) * (bottom - top).clamp(min=0)


def select_top(boxes_xyxy: Tensor, logits: Tensor, count: int) -> Detections:
    """Keep the candidates with the highest scores, best first.

    Args:
        boxes_xyxy: ``(A, 4)`` boxes [px].
        logits: ``(A, 4)`` class logits.
        count: number to keep; all where there are fewer.
    """
    check_shape(boxes_xyxy, None, 4, name="boxes_xyxy")
    check_shape(logits, len(boxes_xyxy), 4, name="logits")
    scores = candidate_scores(logits.detach())
    best = scores.topk(min(count, len(scores))).indices
    return Detections(boxes_xyxy[best], logits[best])


def pool_duplicates(candidates: Detections, overlap: float, clusters: int) -> Detections:
    """Pool candidates of the same cone into one row, best first.

    Suppression (class-agnostic, greedy) only says which candidate belongs to which leader. Boxes
    and logits of a cluster are averaged with a softmax over its scores, so that every duplicate
    gets gradient.

    Args:
        candidates: K rows sorted by descending score, as :func:`select_top` gives them.
        overlap: intersection over union above which a candidate is a duplicate.
        clusters: largest number C of rows returned.

    Returns:
        At most C rows. Gradients flow to boxes and logits of all their members.
    """
    boxes_xyxy, logits = candidates
    owners = assign_duplicates(boxes_xyxy.detach(), overlap)
    leaders = owners.unique()[:clusters]  # sorted: the best come first
    scores = candidate_scores(logits)
    members = owners == leaders[:, None]  # (C, K)
    shares = torch.where(members, scores, -torch.inf).softmax(-1)
    pooled = shares @ torch.cat([boxes_xyxy, logits], -1)
    order = candidate_scores(pooled[:, 4:].detach()).argsort(descending=True)
    pooled = pooled[order]
    return Detections(pooled[:, :4], pooled[:, 4:])


def assign_duplicates(boxes_xyxy: Tensor, overlap: float) -> Tensor:
    """Leader of each box by greedy suppression.

    A box leads unless a leader before it overlaps it. The rule is iterated for all boxes at once
    until nothing changes: box ``i`` is settled after at most ``i`` rounds, usually after three.

    Args:
        boxes_xyxy: ``(K, 4)`` boxes by descending score.
        overlap: intersection over union above which a box is a duplicate.

    Returns:
        ``(K,)`` int64 index of the first leader that overlaps the box; its own for a leader.
    """
    count = len(boxes_xyxy)
    if count == 0:
        return torch.zeros(0, dtype=torch.int64, device=boxes_xyxy.device)
    covers = (box_iou(boxes_xyxy, boxes_xyxy) > overlap).tril(-1)  # (later, earlier)
    leads = torch.ones(count, dtype=torch.bool, device=boxes_xyxy.device)
    for _ in range(count):
        updated = ~(covers & leads).any(-1)
        if torch.equal(updated, leads):
            break
        leads = updated
    own = torch.eye(count, dtype=torch.bool, device=boxes_xyxy.device)
    return ((covers | own) & leads).int().argmax(-1)  # a leader is covered by no leader but itself
