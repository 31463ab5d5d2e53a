"""Exports of detectors, made once per weights and input size."""

from pathlib import Path

from torch import nn

from conegrad_core.camera.engines.export import export_network
from conegrad_core.engines import cache

LAYOUT = "1"  # raised when the exported graph changes
FILES = {"onnx": "detector.onnx", "openvino": "detector.xml"}


def exported(network: nn.Module, engine: str, input_size: tuple[int, int]) -> Path:
    """File of the exported network, written on the first call.

    Args:
        network: Ultralytics ``DetectionModel`` with the classes of the core.
        engine: ``"onnx"`` or ``"openvino"``.
        input_size: width and height [px].
    """
    return cache.exported(
        network,
        lambda path: export_network(network, path, input_size),
        FILES[engine],
        key=f"{LAYOUT}-{input_size[0]}x{input_size[1]}",
        packages=["torch", engine, "ultralytics"],
    )
