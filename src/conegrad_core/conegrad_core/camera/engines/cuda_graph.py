"""A forward without gradient on a GPU, recorded as a CUDA graph."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.head import RawDetections

WARM_UP_RUNS = 3  # before a recording, so that libraries have chosen their kernels


class _Recording(NamedTuple):
    """A graph, and the memory that it reads and writes."""

    inputs: Tensor
    graph: torch.cuda.CUDAGraph
    outputs: RawDetections


class RecordedForward:
    """Starts all kernels of a forward at once.

    Python starts the some 300 kernels of YOLOv5n one by one, which takes far longer than the
    kernels themselves. Weights may change in place between two calls, but not be replaced.

    Args:
        forward: ``(B, 3, H, W)`` inputs to raw detections, on a GPU, nothing of it on the CPU.

    Source:
        CUDA graphs, https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """

    def __init__(self, forward: Callable[[Tensor], RawDetections]) -> None:
        self._forward = forward
        self._recording: _Recording | None = None

    def __call__(self, inputs: Tensor) -> RawDetections:
        """Raw detections; the next call overwrites them."""
        if self._recording is None or self._recording.inputs.shape != inputs.shape:
            self._recording = self._record(inputs.clone())
        self._recording.inputs.copy_(inputs)
        self._recording.graph.replay()
        return self._recording.outputs

    def _record(self, inputs: Tensor) -> _Recording:
        with torch.cuda.device(inputs.device):
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP_RUNS):
                    self._forward(inputs)
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            # Other threads may use the GPU meanwhile.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                outputs = self._forward(inputs)
        return _Recording(inputs, graph, outputs)
