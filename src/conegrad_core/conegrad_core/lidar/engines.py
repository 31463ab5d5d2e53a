"""Run-time engines of the scan network: ONNX Runtime and OpenVINO, on one thread of the CPU."""

import copy
from abc import ABC, abstractmethod
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from conegrad_core.engines.cache import exported
from conegrad_core.engines.runtimes import (
    onnx_session,
    openvino_model,
    openvino_request,
    write_onnx,
)
from conegrad_core.lidar.scan_network import DILATIONS, ScanNetwork

LAYOUT = "1"  # raised when the exported graph changes
EXAMPLE_BEAMS = 256  # of the traced scan; any number runs
MIN_TURN_BEAMS = max(DILATIONS)  # a full turn of fewer is padded otherwise than was traced
COMPILED_SHAPES = 8  # beam counts that OpenVINO keeps compiled

Floats = npt.NDArray[np.float32]


class ScanGraph(nn.Module):
    """Graph that is exported: ranges and angular step to logits, features included."""

    def __init__(self, network: ScanNetwork, wraps: bool) -> None:
        super().__init__()
        self.network = network
        self.wraps = wraps

    def forward(self, ranges: Tensor, angle_step: Tensor) -> Tensor:
        """``(1, N)`` ranges [m] and ``()`` step [rad] to ``(1, N)`` logits."""
        logits: Tensor = self.network(ranges, angle_step, self.wraps)
        return logits


class ScanEngine(ABC):
    """Runs an exported scan network; it has no gradient.

    Args:
        open_scan: file of the graph of scans with two ends.
        full_turn: file of the graph of scans whose ends are neighbours.
    """

    def __init__(self, open_scan: Path, full_turn: Path) -> None:
        self._files = {False: open_scan, True: full_turn}

    @abstractmethod
    def infer(self, ranges: Floats, angle_step: float, wraps: bool) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return."""


class OnnxScanEngine(ScanEngine):
    """ONNX Runtime in the calling thread; every beam count runs at once."""

    def __init__(self, open_scan: Path, full_turn: Path) -> None:
        super().__init__(open_scan, full_turn)
        self._sessions = {wraps: onnx_session(path, 1) for wraps, path in self._files.items()}

    def infer(self, ranges: Floats, angle_step: float, wraps: bool) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return."""
        inputs = {"ranges": ranges, "angle_step": np.array(angle_step, dtype=np.float32)}
        logits: Floats = self._sessions[wraps].run(None, inputs)[0]
        return logits


class OpenVinoScanEngine(ScanEngine):
    """OpenVINO, compiled anew (0.1-0.5 s) at the first scan with another number of beams."""

    def __init__(self, open_scan: Path, full_turn: Path) -> None:
        super().__init__(open_scan, full_turn)
        self._requests: OrderedDict[tuple[int, bool], Any] = OrderedDict()

    def infer(self, ranges: Floats, angle_step: float, wraps: bool) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return."""
        request = self._request(ranges.shape[1], wraps)
        step = np.array(angle_step, dtype=np.float32)
        request.infer([ranges, step], share_inputs=True)
        # The request reuses its output memory: copy.
        logits: Floats = request.get_output_tensor(0).data.copy()
        return logits

    def _request(self, beams: int, wraps: bool) -> Any:
        key = (beams, wraps)
        if key not in self._requests:
            model = openvino_model(self._files[wraps])
            model.reshape({"ranges": [1, beams], "angle_step": []})
            self._requests[key] = openvino_request(model, threads=1)
            if len(self._requests) > COMPILED_SHAPES:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        return self._requests[key]


def scan_engine(name: str, network: ScanNetwork) -> ScanEngine:
    """Engine ``onnx`` or ``openvino`` of a network; exports it on the first call (0.3 s)."""
    engine = {"onnx": OnnxScanEngine, "openvino": OpenVinoScanEngine}[name]
    return engine(_exported(network, wraps=False), _exported(network, wraps=True))


def _exported(network: ScanNetwork, *, wraps: bool) -> Path:
    name = "full_turn.onnx" if wraps else "open_scan.onnx"
    return exported(
        network,
        lambda path: export_scan_network(network, path, wraps=wraps),
        name,
        key=LAYOUT,
        packages=["torch", "onnx"],
    )


def export_scan_network(network: ScanNetwork, path: Path, *, wraps: bool) -> None:
    """Write the network with its features as ONNX, for any number of beams and any step.

    Args:
        network: stays as it is.
        path: of the .onnx file.
        wraps: for scans of a full turn, of at least ``MIN_TURN_BEAMS`` beams.
    """
    frozen = copy.deepcopy(network).cpu().float().eval().requires_grad_(requires_grad=False)
    inputs = {"ranges": torch.ones(1, EXAMPLE_BEAMS), "angle_step": torch.tensor(0.01)}
    dynamic = {"ranges": {1: "beams"}, "logits": {1: "beams"}}
    write_onnx(ScanGraph(frozen, wraps), inputs, ["logits"], path, dynamic=dynamic)
