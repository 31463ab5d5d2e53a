"""Engines of networks over rows: ONNX Runtime and OpenVINO on the CPU, for any number of rows."""

import copy
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from conegrad_core.engines.cache import describe_export, open_export
from conegrad_core.engines.runtimes import (
    onnx_session,
    openvino_model,
    openvino_request,
    write_onnx,
)

EXAMPLE_ROWS = 2  # of the traced input; any number runs

Floats = npt.NDArray[np.float32]


class RowGraph(NamedTuple):
    """What is exported of a network whose input and outputs have one row per object.

    Attributes:
        name: of the file, without suffix.
        layout: raised when the exported graph changes.
        row_shape: of one row of the input.
        outputs: names.
    """

    name: str
    layout: str
    row_shape: tuple[int, ...]
    outputs: tuple[str, ...]


class RowEngine(ABC):
    """Runs an exported network; it has no gradient.

    Args:
        path: of the .onnx file.
        threads: CPU threads; 0 leaves the choice to the runtime.

    Raises:
        ValueError: if the file is not readable.
    """

    @abstractmethod
    def __init__(self, path: Path, threads: int) -> None:
        """Read the file."""

    @abstractmethod
    def infer(self, rows: Floats) -> list[Floats]:
        """Outputs of ``(K, ...)`` rows, K >= 1."""


class OnnxRowEngine(RowEngine):
    """ONNX Runtime."""

    def __init__(self, path: Path, threads: int) -> None:
        self._session = onnx_session(path, threads)

    def infer(self, rows: Floats) -> list[Floats]:
        """Outputs of ``(K, ...)`` rows, K >= 1."""
        outputs: list[Floats] = self._session.run(None, {"rows": rows})
        return outputs


class OpenVinoRowEngine(RowEngine):
    """OpenVINO, compiled once with a free number of rows."""

    def __init__(self, path: Path, threads: int) -> None:
        model = openvino_model(path)
        self._request = openvino_request(model, threads)
        self._outputs = range(len(model.outputs))

    def infer(self, rows: Floats) -> list[Floats]:
        """Outputs of ``(K, ...)`` rows, K >= 1."""
        self._request.infer([rows], share_inputs=True)
        # The request reuses its output memory: copy.
        return [self._request.get_output_tensor(index).data.copy() for index in self._outputs]


ENGINES: dict[str, type[RowEngine]] = {"onnx": OnnxRowEngine, "openvino": OpenVinoRowEngine}


def row_engine(name: str, network: nn.Module, graph: RowGraph, threads: int = 0) -> RowEngine:
    """Engine ``onnx`` or ``openvino`` of a network; exports it on the first call (0.3 s)."""
    export = describe_export(
        network,
        lambda path: export_rows(network, graph, path),
        f"{graph.name}.onnx",
        key=f"{graph.layout}-{graph.row_shape}",
        packages=["torch", "onnx"],
    )
    return open_export(export, lambda path: ENGINES[name](path, threads))


def export_rows(network: nn.Module, graph: RowGraph, path: Path) -> None:
    """Write a network as ONNX for any number of rows; it stays as it is."""
    frozen = copy.deepcopy(network).cpu().float().eval().requires_grad_(requires_grad=False)
    inputs: dict[str, Tensor] = {"rows": torch.rand(EXAMPLE_ROWS, *graph.row_shape)}
    dynamic = {name: {0: "count"} for name in ("rows", *graph.outputs)}
    write_onnx(frozen, inputs, list(graph.outputs), path, dynamic=dynamic)
