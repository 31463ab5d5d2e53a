"""Learned numbers with names and units: how they are kept, set, written and read."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from conegrad_core.weights import in_one_line
from conegrad_core.whole_file import write_whole

Values = TypeVar("Values", bound=tuple[Tensor, ...])


class LearnedScalars(nn.Module, Generic[Values]):
    """One parameter per field of a NamedTuple of values.

    Positive scalars are stored as their natural logarithm: they stay positive, and one learning
    rate (about 5e-3, half a percent per step) suits metres, pixels and gains alike.

    Args:
        kind: the NamedTuple; its fields are the names.
        initial: values by name, in physical units.
        signed: names of those that may be negative; all others are positive.
        added_later: names that files and checkpoints of before do not hold; they keep the value
            of now.
        owner: what they belong to, for messages, such as ``fusion``.
    """

    def __init__(
        self,
        kind: type[Values],
        initial: Mapping[str, float],
        *,
        signed: Collection[str] = (),
        added_later: Collection[str] = (),
        owner: str,
    ) -> None:
        super().__init__()
        self._kind, self._owner = kind, owner
        self._names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
        self._signs, self._added_later = frozenset(signed), frozenset(added_later)
        for name in self._names:
            self.register_parameter(name, nn.Parameter(self._stored(name, initial[name])))
        is_signed = torch.tensor([name in self._signs for name in self._names])
        self.register_buffer("_signed", is_signed, persistent=False)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in self._added_later:
            state_dict.setdefault(prefix + name, self.get_parameter(name).detach())
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self) -> Values:
        """Values in physical units; gradients flow to the parameters."""
        stored = torch.stack(list(self._parameters.values()))  # type: ignore[arg-type]
        signed = self.get_buffer("_signed")
        return self._kind(*torch.where(signed, stored, stored.exp()).unbind())

    def values(self) -> dict[str, float]:
        """Physical values by name."""
        with torch.no_grad():
            return dict(zip(self._names, map(float, self()), strict=True))

    def set_values(self, values: Mapping[str, float]) -> None:
        """Set scalars by name, in physical units.

        Raises:
            ValueError: if a name is unknown, or a value not finite or of the wrong sign.
        """
        for name, value in values.items():
            if name not in self._names:
                raise ValueError(
                    f"{self._owner} scalar {name!r} is unknown, expected one of "
                    f"{', '.join(self._names)}"
                )
            if not abs(value) < float("inf") or (name not in self._signs and not value > 0):
                sign = "a finite number" if name in self._signs else "a finite number above 0"
                raise ValueError(f"{self._owner} scalar {name} is {value}, expected {sign}")
        with torch.no_grad():
            for name, value in values.items():
                self.get_parameter(name).copy_(self._stored(name, value))

    def set_all(self, values: Mapping[str, float], source: Path) -> None:
        """Set every scalar by the values of a file; those added later may be absent.

        Raises:
            ValueError: naming the file, if a scalar is missing, unknown or bad.
        """
        missing = sorted(set(self._names) - self._added_later - set(values))
        if missing:
            raise ValueError(f"{source} lacks the {self._owner} scalars {', '.join(missing)}")
        try:
            self.set_values(values)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error

    def _stored(self, name: str, value: float) -> Tensor:
        tensor = torch.tensor(value, dtype=torch.float32)
        return tensor if name in self._signs else tensor.log()


def write_numbers(values: Mapping[str, float], path: Path) -> None:
    """Write single numbers by name to a safetensors file."""
    write_whole(path, save({name: torch.tensor(value) for name, value in values.items()}))


def read_numbers(path: Path) -> dict[str, float]:
    """Read a file of :func:`write_numbers`.

    Raises:
        ValueError: if the file is none of ours or holds other tensors.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: float(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file: {in_one_line(error)}") from error
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} holds no single numbers: {in_one_line(error)}") from error
