"""The raw head of the network."""

import pytest
import torch

from conegrad_core.camera.head import build_network, head_outputs, raw_detections


def test_every_anchor_has_a_box_and_four_logits(network):
    raw = raw_detections(network, torch.rand(2, 3, 96, 160))
    count = 12 * 20 + 6 * 10 + 3 * 5
    assert raw.boxes_xyxy.shape == (2, count, 4)
    assert raw.logits.shape == (2, count, 4)


def test_agrees_with_the_inference_of_ultralytics(network):
    inputs = torch.rand(1, 3, 96, 160)
    with torch.no_grad():
        theirs = network(inputs)[0][0].T
        boxes, logits = (part[0] for part in raw_detections(network, inputs))
    centres = torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1)
    torch.testing.assert_close(centres, theirs[:, :4], atol=1e-4, rtol=0)
    torch.testing.assert_close(logits.sigmoid(), theirs[:, 4:])


def test_a_peaked_distribution_gives_its_distance(network):
    head = network.model[-1]
    outputs = {
        "boxes": torch.full((1, 64, 1), -50.0),
        "scores": torch.zeros(1, 4, 1),
        "feats": [torch.zeros(1, 1, 1, 1)],
    }
    for side, distance in enumerate((1, 2, 3, 4)):
        outputs["boxes"][0, side * 16 + distance] = 50.0
    fake = torch.nn.Module()
    fake.model = torch.nn.Sequential(_Head(outputs, head.reg_max))
    raw = raw_detections(fake, torch.zeros(1, 3, 8, 8))
    # The only anchor is at (4, 4) with stride 8.
    torch.testing.assert_close(raw.boxes_xyxy[0, 0], torch.tensor([-4.0, -12.0, 28.0, 36.0]))


class _Head(torch.nn.Module):
    f, i, cv2, cv3, stride = -1, 0, None, None, torch.tensor([8.0])

    def __init__(self, outputs, reg_max):
        super().__init__()
        self.outputs, self.reg_max = outputs, reg_max

    def forward_head(self, features, box_head, cls_head):
        return self.outputs


def test_training_after_inference_mode_has_gradients(network):
    inputs = torch.rand(1, 3, 96, 160)
    with torch.inference_mode():
        raw_detections(network, inputs)
    raw = raw_detections(network, inputs)
    for part in raw:
        weight = network.model[0].conv.weight
        (gradient,) = torch.autograd.grad(part.sum(), weight, retain_graph=True)
        assert gradient.abs().sum() > 0


def test_the_outputs_are_those_that_the_detection_loss_takes(network):
    outputs = head_outputs(network, torch.rand(1, 3, 96, 160))
    assert outputs["boxes"].shape == (1, 64, 315)
    assert outputs["scores"].shape == (1, 4, 315)
    assert len(outputs["feats"]) == 3


@pytest.mark.parametrize(("architecture", "millions"), [("yolov5n", 2.5), ("yolov5s", 9.1)])
def test_builds_the_sizes_of_yolov5(architecture, millions):
    count = sum(weight.numel() for weight in build_network(architecture).parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)


def test_refuses_an_unknown_architecture():
    with pytest.raises(ValueError, match="architecture is 'yolov5x6', expected one of"):
        build_network("yolov5x6")
