"""Exports of detectors, made once per weights and input size."""

from torch import nn

from conegrad_core.camera.engines.export import export_network
from conegrad_core.engines.cache import Export, describe_export

LAYOUT = "1"  # raised when the exported graph changes
FILES = {"onnx": "detector.onnx", "openvino": "detector.xml"}


def detector_export(network: nn.Module, engine: str, input_size: tuple[int, int]) -> Export:
    """The export of a network.

    Args:
        network: Ultralytics ``DetectionModel`` with the classes of the core.
        engine: ``"onnx"`` or ``"openvino"``.
        input_size: width and height [px].
    """
    return describe_export(
        network,
        lambda path: export_network(network, path, input_size),
        FILES[engine],
        key=f"{LAYOUT}-{input_size[0]}x{input_size[1]}",
        packages=["torch", engine, "ultralytics"],
    )
