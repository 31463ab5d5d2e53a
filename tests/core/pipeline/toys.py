"""Tiny stages, registered by a distribution of their own, of which pipelines of any shape are made.

A value of the port type ``Number`` is a ``()`` tensor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.stage import Stage, Values
from conegrad_core.settings import Config, setting


class NumberPort(PortType):
    """A ``()`` tensor."""

    name = "Number"
    container = Tensor

    def check(self, value: Any) -> None:
        """Refuse anything else."""
        self.check_container(value)
        if value.shape != ():
            raise ValueError(f"Number has shape {tuple(value.shape)}, expected ()")

    def tensors(self, value: Any) -> tuple[Tensor, ...]:
        """The number."""
        return (value,)

    def with_tensors(self, value: Any, tensors: Sequence[Tensor]) -> Any:
        """Another number."""
        (number,) = tensors
        return number


NUMBER = NumberPort()


@dataclass(frozen=True)
class GainConfig(Config):
    """Settings of a toy."""

    gain: float = setting(2.0, "Factor", low=0.0)
    name: str = setting("", "Of nobody")


class Network(Stage):
    """``gain * x``, learned."""

    inputs: ClassVar[Mapping[str, str]] = {"x": "Number"}
    outputs: ClassVar[Mapping[str, str]] = {"y": "Number"}
    learns = True
    config_class = GainConfig
    end_loss_terms = frozenset({"colour"})
    config: GainConfig

    def __init__(self, config: GainConfig) -> None:
        super().__init__(config)
        self.gain = nn.Parameter(torch.tensor(config.gain))
        self.batches: list[int] = []

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """One product per sample."""
        self.batches.append(len(contexts))
        return {"y": [self.gain * x for x in inputs["x"]]}


class PairNetwork(Network):
    """``gain * (a + b)``, learned."""

    inputs: ClassVar[Mapping[str, str]] = {"a": "Number", "b": "Number"}

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """One product per sample."""
        return {"y": [self.gain * (a + b) for a, b in zip(*inputs.values(), strict=True)]}


class Join(Network):
    """Sum of the inputs that are there, times a learned gain."""

    inputs: ClassVar[Mapping[str, str]] = {"a": "Number", "b": "Number", "c": "Number"}
    optional_inputs = frozenset({"b", "c"})
    joins = True

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """One sum per sample."""
        samples = zip(*inputs.values(), strict=True)
        return {"y": [self.gain * sum(x for x in of_one if x is not None) for of_one in samples]}


class Fixed(Stage):
    """``x + 1``."""

    inputs: ClassVar[Mapping[str, str]] = {"x": "Number"}
    outputs: ClassVar[Mapping[str, str]] = {"y": "Number"}

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """One sum per sample."""
        return {"y": [x + 1 for x in inputs["x"]]}


class Broken(Fixed):
    """Forgets a sample."""

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """One too few."""
        return {"y": list(inputs["x"][1:])}


class Wrong(Fixed):
    """Gives something else than it says."""

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """A pair of numbers."""
        return {"y": [torch.zeros(2) for _ in contexts]}
