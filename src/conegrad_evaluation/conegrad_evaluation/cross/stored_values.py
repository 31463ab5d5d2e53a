"""What a stage made of one sample, as bytes: tensors alone, so that reading them runs no code."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from conegrad_core.pipeline.port import PortType, TuplePort

SECONDS = "seconds"
BETWEEN = "/"  # port and field in the name of a tensor; neither holds one


class StageValues(NamedTuple):
    """Outputs of a stage for one sample.

    Attributes:
        values: by port; None where the stage gave none.
        seconds: that the stage took for them [s].
    """

    values: Mapping[str, Any]
    seconds: float


def can_be_stored(port_type: PortType) -> bool:
    """Whether values of a kind are named tensors, which is what is stored."""
    return isinstance(port_type, TuplePort)


def to_bytes(made: StageValues, ports: Mapping[str, PortType]) -> bytes:
    """A safetensors file of all fields of all ports.

    Args:
        made: to store, by port.
        ports: type of each; :func:`can_be_stored`.
    """
    tensors = {SECONDS: torch.tensor(made.seconds, dtype=torch.float64)}
    for port, value in made.values.items():
        port_type = ports[port]
        if value is not None and isinstance(port_type, TuplePort):
            for field in port_type.fields:
                tensor = getattr(value, field)
                if tensor is not None:  # cloned: safetensors refuses tensors of one storage
                    tensors[f"{port}{BETWEEN}{field}"] = tensor.detach().cpu().clone().contiguous()
    return save(tensors)


def from_bytes(content: bytes, ports: Mapping[str, PortType]) -> StageValues:
    """The values that :func:`to_bytes` wrote.

    Raises:
        ValueError: if these bytes are something else.
    """
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(f"stored values cannot be read: {error}") from error
    values: dict[str, Any] = dict.fromkeys(ports)
    for port, port_type in ports.items():
        start = f"{port}{BETWEEN}"
        fields = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
        if fields and isinstance(port_type, TuplePort):
            values[port] = port_type.make(fields)
    if SECONDS not in tensors:
        raise ValueError(f"stored values lack {SECONDS!r}, found {', '.join(tensors)}")
    return StageValues(values, float(tensors[SECONDS]))
