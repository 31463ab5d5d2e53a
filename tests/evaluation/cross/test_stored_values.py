"""Outputs of stages survive the way through bytes exactly."""

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.pipeline.ports import DETECTIONS, IMAGE, SEGMENTED_SCAN
from conegrad_evaluation.cross.stored_values import (
    StageValues,
    can_be_stored,
    from_bytes,
    to_bytes,
)

PORTS = {"boxes": DETECTIONS, "scan": SEGMENTED_SCAN, "none": DETECTIONS}


def test_values_come_back_exactly_also_views_and_what_is_missing():
    both = torch.rand(3, 8)
    scan = SegmentedScan(torch.tensor([1.0, torch.nan]), torch.zeros(2), torch.ones(2))
    values = {"boxes": Detections(both[:, :4], both[:, 4:]), "scan": scan, "none": None}
    found = from_bytes(to_bytes(StageValues(values, 0.125), PORTS), PORTS)
    assert found.seconds == 0.125
    assert found.values["none"] is None
    for port in ("boxes", "scan"):
        for tensor, expected in zip(found.values[port], values[port], strict=True):
            if expected is None:
                assert tensor is None
            else:
                assert torch.equal(tensor.nan_to_num(-1.0), expected.nan_to_num(-1.0))


def test_no_boxes_are_not_the_same_as_no_value():
    empty = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    stored = to_bytes(StageValues({"boxes": empty}, 0.0), PORTS)
    assert from_bytes(stored, {"boxes": DETECTIONS}).values["boxes"].boxes_xyxy.shape == (0, 4)


def test_images_are_not_stored():
    assert can_be_stored(DETECTIONS)
    assert not can_be_stored(IMAGE)


def test_refuses_other_bytes():
    with pytest.raises(ValueError, match="stored values cannot be read"):
        from_bytes(b"something else", PORTS)
