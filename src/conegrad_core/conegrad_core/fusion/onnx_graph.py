"""The operations of a fusion as an ONNX graph, run by ONNX Runtime in the calling thread."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from conegrad_core.engines.onnx_operators import register_operators
from conegrad_core.engines.runtimes import onnx_session, write_onnx


class OnnxGraph:
    """Runs plain tensors through an exported module; there is no gradient.

    Args:
        module: from plain tensors to plain tensors; its weights become constants. Nothing in it
            may depend on values of the inputs.
        inputs: an example.
        free: for each input, the name of its first dimension where that may change, else empty.
        outputs: number of them.
    """

    def __init__(
        self, module: nn.Module, inputs: tuple[Tensor, ...], free: tuple[str, ...], outputs: int
    ) -> None:
        register_operators()
        names = [f"input_{index}" for index in range(len(inputs))]
        dynamic = {name: {0: size} for name, size in zip(names, free, strict=True) if size}
        results = [f"output_{index}" for index in range(outputs)]
        with TemporaryDirectory(prefix="conegrad-") as folder, torch.no_grad():
            path = Path(folder) / "graph.onnx"
            example = {n: value.clone() for n, value in zip(names, inputs, strict=True)}
            write_onnx(module.eval(), example, results, path, dynamic=dynamic)
            self._session = onnx_session(path, 1)
        used = {entry.name for entry in self._session.get_inputs()}
        self._used = [(index, name) for index, name in enumerate(names) if name in used]

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Outputs of some inputs."""
        feed = {name: inputs[index].numpy() for index, name in self._used}
        return tuple(torch.from_numpy(found) for found in self._session.run(None, feed))
