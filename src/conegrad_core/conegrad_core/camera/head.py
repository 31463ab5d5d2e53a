"""YOLOv5 network and its raw head: boxes and class logits of every anchor."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from conegrad_core.cones import CLASS_NAMES

ARCHITECTURES = ("yolov5n", "yolov5s", "yolov5m")


class RawDetections(NamedTuple):
    """Everything the head says, before any selection.

    Attributes:
        boxes_xyxy: ``(B, A, 4)`` left, top, right, bottom [px of the network's input].
        logits: ``(B, A, 4)`` class logits in the order of :data:`CLASS_NAMES`.
    """

    boxes_xyxy: Tensor
    logits: Tensor


def build_network(architecture: str, classes: int = len(CLASS_NAMES)) -> nn.Module:
    """Untrained Ultralytics network with the anchor-free head.

    Raises:
        ValueError: if the architecture is not one of :data:`ARCHITECTURES`.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture is {architecture!r}, expected one of {ARCHITECTURES}")
    # Slow to import, and needless for exported engines.
    from ultralytics.nn.tasks import DetectionModel, yaml_model_load

    network: nn.Module = DetectionModel(
        yaml_model_load(f"{architecture}.yaml") | {"nc": classes}, verbose=False
    )
    return network


def head_outputs(network: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """Run the layers of an Ultralytics network and its classical (one-to-many) head.

    The same in training and evaluation mode; nothing is cached between calls.

    Args:
        network: an Ultralytics ``DetectionModel``.
        inputs: ``(B, 3, H, W)`` RGB in 0..1.

    Returns:
        ``boxes`` ``(B, 4 * bins, A)`` distance distributions, ``scores`` ``(B, classes, A)``
        logits, ``feats`` the feature maps: what the detection loss of Ultralytics takes.
    """
    layers: Any = network.model
    kept: list[Any] = []
    values: Any = inputs
    for layer in layers[:-1]:
        values = layer(_sources(layer, values, kept))
        kept.append(values if layer.i in network.save else None)  # type: ignore[operator]
    head = layers[-1]
    features = _sources(head, values, kept)
    outputs: dict[str, Any] = head.forward_head(features, box_head=head.cv2, cls_head=head.cv3)
    return outputs


def _sources(layer: Any, previous: Any, kept: list[Any]) -> Any:
    if layer.f == -1:
        return previous
    if isinstance(layer.f, int):
        return kept[layer.f]
    return [previous if index == -1 else kept[index] for index in layer.f]


def raw_detections(network: nn.Module, inputs: Tensor) -> RawDetections:
    """Boxes and logits of all anchors; differentiable with respect to weights and inputs.

    A box side is the expectation of the head's distribution over distances from the anchor.
    """
    outputs = head_outputs(network, inputs)
    head: Any = network.model[-1]  # type: ignore[index]
    sizes = [tuple(map(int, features.shape[2:])) for features in outputs["feats"]]
    # Not those of the head: they may be on a GPU, and reading them would wait for it.
    steps = [float(inputs.shape[2]) / height for height, _ in sizes]
    anchors, strides = _anchors(sizes, steps, inputs.device)
    batch, _, count = outputs["boxes"].shape
    bins = torch.arange(head.reg_max, dtype=inputs.dtype, device=inputs.device)
    distribution = outputs["boxes"].view(batch, 4, head.reg_max, count).softmax(2)
    distances = (distribution * bins[:, None]).sum(2).transpose(1, 2) * strides
    boxes = torch.cat([anchors - distances[..., :2], anchors + distances[..., 2:]], -1)
    return RawDetections(boxes, outputs["scores"].transpose(1, 2))


def _anchors(
    sizes: list[tuple[int, ...]], strides: list[float], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Centres ``(A, 2)`` of the cells of all levels and their strides ``(A, 1)`` [px]."""
    centres, steps = [], []
    for (height, width), stride in zip(sizes, strides, strict=True):
        x = (torch.arange(width, device=device) + 0.5) * stride
        y = (torch.arange(height, device=device) + 0.5) * stride
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        centres.append(torch.stack([columns, rows], -1).view(-1, 2))
        steps.append(torch.full((height * width, 1), stride, device=device))
    return torch.cat(centres), torch.cat(steps)
