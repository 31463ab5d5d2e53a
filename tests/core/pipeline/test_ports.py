"""Port types of the car: what they take, and their differentiable tensors."""

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.ports import CONES, DETECTIONS, IMAGE, SCAN, SEGMENTED_SCAN

BOXES = Detections(torch.zeros(3, 4), torch.ones(3, 4))
PLAIN_SCAN = Scan(torch.zeros(5), torch.zeros(5))
JUDGED = SegmentedScan(*PLAIN_SCAN[:2], torch.zeros(5), torch.zeros(5), torch.zeros(5, 3))
FOUND = Cones(torch.zeros(2, 2), torch.zeros(2, 2, 2), torch.zeros(2, 5), torch.zeros(2),
              torch.ones(2, dtype=torch.int64))  # fmt: skip
PICTURE = np.zeros((4, 6, 3), dtype=np.uint8)
LEVELS = torch.zeros(4, 6, 3)


@pytest.mark.parametrize(
    ("port", "value", "count"),
    [(IMAGE, PICTURE, 0), (IMAGE, LEVELS, 1), (SCAN, PLAIN_SCAN, 1), (DETECTIONS, BOXES, 2),
     (SEGMENTED_SCAN, JUDGED, 1), (CONES, FOUND, 4)],
    ids=["image", "levels", "scan", "detections", "segmented scan", "cones"],
)  # fmt: skip
def test_tensors_are_taken_out_and_put_back(port: PortType, value, count: int):
    port.check(value)
    tensors = port.tensors(value)
    assert len(tensors) == count
    changed = port.with_tensors(value, [tensor + 1 for tensor in tensors])
    port.check(changed)
    for before, after in zip(tensors, port.tensors(changed), strict=True):
        assert torch.equal(after, before + 1)
    with pytest.raises(ValueError, match=f"found {count + 1}"):
        port.with_tensors(value, [torch.zeros(1)] * (count + 1))


@pytest.mark.parametrize(
    ("port", "value", "expected"),
    [
        (IMAGE, PICTURE[..., :2], r"Image is \(4, 6, 2\) uint8, expected \(height, width, 3\)"),
        (IMAGE, PICTURE.astype(float), r"Image is \(4, 6, 3\) float64"),
        (IMAGE, [], r"found list, expected ndarray \(Image\)"),
        (IMAGE, torch.zeros(4, 6, 2), r"Image is \(4, 6, 2\) torch.float32, expected"),
        (DETECTIONS, FOUND, r"found Cones, expected Detections \(Detections\)"),
        (DETECTIONS, BOXES._replace(logits=torch.zeros(3, 5)),
         r"Detections.logits has shape \(3, 5\), expected \(K, 4\) with K = 3"),
        (DETECTIONS, BOXES._replace(logits=torch.zeros(2, 4)),
         r"Detections.logits has shape \(2, 4\), expected \(K, 4\) with K = 3"),
        (SCAN, PLAIN_SCAN._replace(angles=torch.zeros(4)),
         r"Scan.angles has shape \(4,\), expected \(B,\) with B = 5"),
        (SCAN, PLAIN_SCAN._replace(ranges=None), "Scan.ranges is a NoneType, expected a tensor"),
        (SEGMENTED_SCAN, JUDGED._replace(motions=torch.zeros(5)),
         r"SegmentedScan.motions has shape \(5,\), expected \(B, 3\)"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(port: PortType, value, expected: str):
    with pytest.raises(ValueError, match=expected):
        port.check(value)
