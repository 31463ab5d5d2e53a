"""A forward without gradient on a GPU, recorded as a CUDA graph."""

from collections.abc import Callable

import torch
from torch import Tensor

from conegrad_core.camera.head import RawDetections

WARM_UP_RUNS = 3  # before a recording, so that libraries have chosen their kernels


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
        self._inputs: Tensor | None = None
        self._outputs: RawDetections | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs: Tensor) -> RawDetections:
        """Raw detections; the next call overwrites them."""
        if self._inputs is None or self._inputs.shape != inputs.shape:
            self._record(inputs)
        if self._inputs is None or self._graph is None or self._outputs is None:
            raise RuntimeError("the forward was not recorded")
        self._inputs.copy_(inputs)
        self._graph.replay()
        return self._outputs

    def _record(self, inputs: Tensor) -> None:
        self._inputs = inputs.clone()
        with torch.cuda.device(inputs.device):
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP_RUNS):
                    self._forward(self._inputs)
            torch.cuda.current_stream().wait_stream(aside)
            self._graph = torch.cuda.CUDAGraph()
            # Other threads may use the GPU meanwhile.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._outputs = self._forward(self._inputs)
