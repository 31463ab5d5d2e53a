"""Operations of torch that its exporter to ONNX does not know, or exports wrongly."""

import functools
from typing import Any

import torch

OPSET = 16  # from which ONNX adds in ScatterND


@functools.cache
def register_operators() -> None:
    """Teach the exporter ``mT``, ``logaddexp`` and ``index_add``; once per process.

    Its own ``index_add`` loses all but one of the rows that go to one place.
    """
    from torch.onnx import symbolic_helper
    from torch.onnx.utils import register_custom_op_symbolic

    def transposed(graph: Any, matrix: Any) -> Any:
        rank = symbolic_helper._get_tensor_rank(matrix)
        if rank is None:
            raise RuntimeError("the rank of a matrix to transpose is not known")
        order = [*range(rank - 2), rank - 1, rank - 2]
        return graph.op("Transpose", matrix, perm_i=order)

    def logaddexp(graph: Any, first: Any, second: Any) -> Any:
        high = graph.op("Max", first, second)
        distance = graph.op("Abs", graph.op("Sub", first, second))
        one = graph.op("Constant", value_t=torch.tensor(1.0))
        rest = graph.op("Add", graph.op("Exp", graph.op("Neg", distance)), one)
        return graph.op("Add", high, graph.op("Log", rest))

    def index_add(
        graph: Any, target: Any, dimension: Any, rows: Any, values: Any, factor: Any = None
    ) -> Any:
        if symbolic_helper._get_const(dimension, "i", "dim") != 0:
            raise RuntimeError("index_add is exported along the first dimension only")
        last = graph.op("Constant", value_t=torch.tensor([1]))
        places = graph.op("Unsqueeze", rows, last)
        return graph.op("ScatterND", target, places, values, reduction_s="add")

    register_custom_op_symbolic("aten::mT", transposed, OPSET)
    register_custom_op_symbolic("aten::logaddexp", logaddexp, OPSET)
    register_custom_op_symbolic("aten::index_add", index_add, OPSET)
