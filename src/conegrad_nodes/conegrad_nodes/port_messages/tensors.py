"""Port types without a message of their own over topics: their tensors by name."""

import math
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from conegrad_msgs.msg import NamedTensor, PortTensors
from torch import Tensor

from conegrad_core.pipeline.port import TuplePort
from conegrad_data.decode import DecodeError, from_content
from conegrad_nodes.port_messages.port_message import PortMessage, Received


class TensorsMessage(PortMessage):
    """conegrad_msgs/PortTensors: any port type that is a NamedTuple of float32 tensors.

    Detail: ``image_size``, width and height of the original image [px], where one took part.

    Args:
        kind: the port type.
    """

    msgtype = PortTensors

    def __init__(self, kind: TuplePort) -> None:
        self.kind = kind

    def details(self, msg: Any) -> Mapping[str, Any]:
        """Size of the image, where one took part."""
        size = (int(msg.image_width), int(msg.image_height))
        return {"image_size": size} if all(size) else {}

    @from_content
    def decode(self, msg: Any) -> Received:
        """Value of a message; kind, fields and shapes are checked."""
        name = self.kind.name
        if msg.kind != name:
            raise DecodeError(f"kind is {msg.kind!r}, expected {name!r}")
        tensors: dict[str, Tensor] = {}
        for part in msg.tensors:
            if part.name in tensors:
                raise DecodeError(f"{name}.{part.name} is given twice, expected it once")
            tensors[part.name] = _tensor(f"{name}.{part.name}", part)
        try:
            value = self.kind.make(tensors)
        except ValueError as error:
            raise DecodeError(str(error)) from error
        self.check(value)
        return Received(value, self.details(msg))

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of a value, whose tensors are finite floating-point numbers."""
        self.check(value)
        width, height = details.get("image_size", (0, 0))
        return PortTensors(
            header=header,
            kind=self.kind.name,
            image_width=width,
            image_height=height,
            tensors=[
                NamedTensor(name=field, shape=list(tensor.shape), data=_data(tensor))
                for field, tensor in self._tensors(value)
            ],
        )

    def check(self, value: Any) -> None:
        """Refuse numbers that float32 cannot hold, and those that are not finite."""
        for field, tensor in self._tensors(value):
            name = f"{self.kind.name}.{field}"
            if tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16):
                raise DecodeError(
                    f"{name} is {tensor.dtype}, expected float32, or messages of its own for the "
                    f"port type {self.kind.name}"
                )
            if not bool(tensor.isfinite().all()):
                raise DecodeError(f"{name} is not finite, expected finite values")

    def _tensors(self, value: Any) -> list[tuple[str, Tensor]]:
        """Fields that have a value."""
        found = [(field, getattr(value, field)) for field in self.kind.fields]
        return [(field, tensor) for field, tensor in found if tensor is not None]


def _data(tensor: Tensor) -> "array[float]":
    values = tensor.detach().cpu().float().contiguous().numpy()
    return array("f", values.tobytes())


def _tensor(name: str, part: Any) -> Tensor:
    shape = tuple(int(size) for size in part.shape)
    if len(part.data) != math.prod(shape):
        raise DecodeError(
            f"{name} has {len(part.data)} values, expected {math.prod(shape)} of the shape {shape}"
        )
    return torch.from_numpy(np.array(part.data, dtype=np.float32).reshape(shape))
