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

from conegrad_core.engines.cache import Export, describe_export, open_export
from conegrad_core.engines.runtimes import (
    onnx_session,
    openvino_model,
    openvino_request,
    write_onnx,
)
from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan_network import DILATIONS, ScanNetwork

LAYOUT = "2"  # raised when the exported graph changes
EXAMPLE_BEAMS = 256  # of the traced scan; any number runs
MIN_TURN_BEAMS = max(DILATIONS)  # a full turn of fewer is padded otherwise than was traced
COMPILED_SHAPES = 8  # beam counts that OpenVINO keeps compiled

Floats = npt.NDArray[np.float32]


class ScanGraph(nn.Module):
    """Graph that is exported: ranges, step and height profile to logits, features included."""

    def __init__(self, network: ScanNetwork, wraps: bool) -> None:
        super().__init__()
        self.network = network
        self.wraps = wraps

    def forward(self, ranges: Tensor, angle_step: Tensor, profile: Tensor) -> Tensor:
        """``(1, N)`` ranges [m], ``()`` step [rad] and ``(1, P, N)`` profile to ``(1, N)``."""
        logits: Tensor = self.network(ranges, angle_step, self.wraps, profile)
        return logits


class ScanEngine(ABC):
    """Runs an exported scan network; it has no gradient.

    Args:
        graphs: of scans with two ends (False), and of those whose ends are neighbours (True), as
            :meth:`load` reads them.
    """

    def __init__(self, graphs: dict[bool, Any]) -> None:
        self._graphs = graphs

    @staticmethod
    @abstractmethod
    def load(path: Path) -> Any:
        """Graph of a file.

        Raises:
            ValueError: if it is not readable.
        """

    @abstractmethod
    def infer(self, ranges: Floats, angle_step: float, wraps: bool, profile: Floats) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return.

        The profile is ``(1, P, N)``, zeros of a planar LiDAR.
        """


class OnnxScanEngine(ScanEngine):
    """ONNX Runtime in the calling thread; every beam count runs at once."""

    @staticmethod
    def load(path: Path) -> Any:
        """Session of a file."""
        return onnx_session(path, 1)

    def infer(self, ranges: Floats, angle_step: float, wraps: bool, profile: Floats) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return.

        The profile is ``(1, P, N)``, zeros of a planar LiDAR.
        """
        step = np.array(angle_step, dtype=np.float32)
        inputs = {"ranges": ranges, "angle_step": step, "profile": profile}
        logits: Floats = self._graphs[wraps].run(None, inputs)[0]
        return logits


class OpenVinoScanEngine(ScanEngine):
    """OpenVINO, compiled anew (0.1-0.5 s) at the first scan with another number of beams."""

    def __init__(self, graphs: dict[bool, Any]) -> None:
        super().__init__(graphs)
        self._requests: OrderedDict[tuple[int, bool], Any] = OrderedDict()

    @staticmethod
    def load(path: Path) -> Any:
        """Model of a file."""
        return openvino_model(path)

    def infer(self, ranges: Floats, angle_step: float, wraps: bool, profile: Floats) -> Floats:
        """Logits of one scan, both ``(1, N)``; NaN, inf and 0 mean no return.

        The profile is ``(1, P, N)``, zeros of a planar LiDAR.
        """
        request = self._request(ranges.shape[1], wraps)
        step = np.array(angle_step, dtype=np.float32)
        request.infer([ranges, step, profile], share_inputs=True)
        # The request reuses its output memory: copy.
        logits: Floats = request.get_output_tensor(0).data.copy()
        return logits

    def _request(self, beams: int, wraps: bool) -> Any:
        key = (beams, wraps)
        if key not in self._requests:
            model = self._graphs[wraps].clone()
            profile = [1, PROFILE_CHANNELS, beams]
            model.reshape({"ranges": [1, beams], "angle_step": [], "profile": profile})
            self._requests[key] = openvino_request(model, threads=1)
            if len(self._requests) > COMPILED_SHAPES:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        return self._requests[key]


def scan_engine(name: str, network: ScanNetwork) -> ScanEngine:
    """Engine ``onnx`` or ``openvino`` of a network; exports it on the first call (0.3 s)."""
    engine: Any = {"onnx": OnnxScanEngine, "openvino": OpenVinoScanEngine}[name]
    made: ScanEngine = engine(
        {wraps: open_export(_export(network, wraps), engine.load) for wraps in (False, True)}
    )
    return made


def _export(network: ScanNetwork, wraps: bool) -> Export:
    name = "full_turn.onnx" if wraps else "open_scan.onnx"
    return describe_export(
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
    inputs = {
        "ranges": torch.ones(1, EXAMPLE_BEAMS),
        "angle_step": torch.tensor(0.01),
        "profile": torch.zeros(1, PROFILE_CHANNELS, EXAMPLE_BEAMS),
    }
    dynamic = {"ranges": {1: "beams"}, "profile": {2: "beams"}, "logits": {1: "beams"}}
    write_onnx(ScanGraph(frozen, wraps), inputs, ["logits"], path, dynamic=dynamic)
