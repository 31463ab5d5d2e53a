"""Export of the raw head to ONNX and OpenVINO, with class names inside the file."""

import copy
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from conegrad_core.camera.engines.openvino_engine import METADATA
from conegrad_core.camera.head import raw_detections
from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.engines.cache import weights_hash
from conegrad_core.engines.quantization import Feed, quantize
from conegrad_core.engines.runtimes import openvino_model, write_onnx

SUFFIXES = (".onnx", ".xml")
logger = logging.getLogger(__name__)


class PixelsToRaw(nn.Module):
    """Graph that is exported: ``(1, H, W, 3)`` uint8 to boxes and logits of all anchors."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """``(1, A, 4)`` boxes xyxy [px] and ``(1, A, 4)`` logits."""
        inputs = pixels.permute(0, 3, 1, 2).to(torch.float32) / 255.0
        boxes_xyxy, logits = raw_detections(self.network, inputs)
        return boxes_xyxy, logits


def export_network(
    network: nn.Module,
    path: Path,
    input_size: tuple[int, int],
    *,
    precision: str = "",
    examples: Sequence[RgbImage] = (),
) -> None:
    """Write the raw head of a network for one input size; the network stays as it is.

    Args:
        network: Ultralytics ``DetectionModel`` with the classes of the core.
        path: ends with ``.onnx`` or, for OpenVINO, ``.xml`` (a .bin is written beside it).
        input_size: width and height [px].
        precision: that the file asks for: ``fp32``, ``bf16`` or ``int8``; empty: it does not say.
        examples: letterboxed images ``(H, W, 3)``, for int8.

    Raises:
        ValueError: for another suffix, or int8 without examples.
        EngineError: if int8 is asked for and NNCF is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path} ends with {path.suffix!r}, expected one of {SUFFIXES}")
    fused: Any = copy.deepcopy(network).cpu().float().eval()
    fused.requires_grad_(requires_grad=False)
    graph = PixelsToRaw(fused.fuse(verbose=False)).eval()
    pixels = torch.zeros(1, input_size[1], input_size[0], 3, dtype=torch.uint8)
    metadata = {
        "weights": weights_hash(network),
        "precision": precision,
        "class_names": json.dumps(CLASS_NAMES),
        "input_width": str(input_size[0]),
        "input_height": str(input_size[1]),
    }
    metadata = {name: value for name, value in metadata.items() if value}
    feeds = [{"pixels": image[None]} for image in examples] if precision == "int8" else None
    logger.info("exporting the detector to %s", path)
    write = _write_onnx if path.suffix == ".onnx" else _write_openvino
    write(graph, pixels, path, metadata, feeds)


def _write_onnx(
    graph: nn.Module,
    pixels: Tensor,
    path: Path,
    metadata: dict[str, str],
    examples: Sequence[Feed] | None = None,
) -> None:
    outputs = ["boxes_xyxy", "logits"]
    write_onnx(graph, {"pixels": pixels}, outputs, path, metadata=metadata)
    if examples is not None:
        import onnx

        onnx.save(quantize(onnx.load(str(path)), examples), str(path))


def _write_openvino(
    graph: nn.Module,
    pixels: Tensor,
    path: Path,
    metadata: dict[str, str],
    examples: Sequence[Feed] | None = None,
) -> None:
    import openvino

    # Through ONNX: OpenVINO converts that ten times faster than a traced module.
    with tempfile.TemporaryDirectory() as scratch:
        intermediate = Path(scratch) / "detector.onnx"
        _write_onnx(graph, pixels, intermediate, metadata)
        model = openvino_model(intermediate)
    if examples is not None:
        model = quantize(model, examples)
    for name, value in metadata.items():
        model.set_rt_info(value, [METADATA, name])
    openvino.save_model(model, str(path), compress_to_fp16=False)
