"""Port type: what is known about a kind of data that flows between stages."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Sizes = tuple[int | str, ...]  # of a tensor: a number, or a letter that is the same in all tensors


class PortType(ABC):
    """A kind of data, registered by entry point in the group ``conegrad.ports``.

    Attributes:
        name: in pipeline files.
        container: class of a value.
        visibility: of what a sensor measures: field of :class:`~conegrad_core.cones.TrueCones` with
            the cones that it could see; empty for everything else.
    """

    name: str
    container: type
    visibility: str = ""

    @abstractmethod
    def check(self, value: Any) -> None:
        """Refuse a value of another kind or shape.

        Raises:
            ValueError: naming what was found and what was expected.
        """

    def tensors(self, value: Any) -> tuple[Tensor, ...]:
        """The differentiable tensors of a value; none by default."""
        return ()

    def with_tensors(self, value: Any, tensors: Sequence[Tensor]) -> Any:
        """The value with its differentiable tensors replaced, in the order of :meth:`tensors`.

        Raises:
            ValueError: if there are more or fewer.
        """
        if tensors:
            raise ValueError(f"{self.name} has no tensors, found {len(tensors)} to put in")
        return value

    def check_container(self, value: Any) -> None:
        """Refuse a value of another class.

        Raises:
            ValueError: naming both classes.
        """
        if not isinstance(value, self.container):
            found, expected = type(value).__name__, self.container.__name__
            raise ValueError(f"found {found}, expected {expected} ({self.name})")


class TuplePort(PortType):
    """Port whose container is a NamedTuple of tensors.

    Args:
        name: in pipeline files.
        container: the NamedTuple.
        sizes: of each tensor, by field.
        optional: fields that may be None.
        differentiable: fields with a gradient.
        visibility: as of :class:`PortType`.
    """

    def __init__(
        self,
        name: str,
        container: type,
        sizes: Mapping[str, Sizes],
        *,
        optional: Sequence[str] = (),
        differentiable: Sequence[str] = (),
        visibility: str = "",
    ) -> None:
        self.name, self.container = name, container
        self.visibility = visibility
        self._sizes = dict(sizes)
        self._optional = frozenset(optional)
        self._differentiable = tuple(differentiable)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the tensors, in the order of the container."""
        return tuple(self._sizes)

    def make(self, tensors: Mapping[str, Tensor]) -> Any:
        """A value of its tensors by field; optional ones may be missing.

        Raises:
            ValueError: if a field is missing or unknown, or a shape is wrong.
        """
        unknown = sorted(tensors.keys() - self._sizes.keys())
        missing = [f for f in self._sizes if f not in tensors and f not in self._optional]
        if unknown or missing:
            fault = f"has no field {unknown[0]!r}" if unknown else f"lacks the field {missing[0]!r}"
            raise ValueError(f"{self.name} {fault}, expected {', '.join(self._sizes)}")
        value = self.container(**{field: tensors.get(field) for field in self._sizes})
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Refuse another class, a field that is not a tensor, or tensors of another shape.

        Raises:
            ValueError: naming the field, its shape and that expected.
        """
        self.check_container(value)
        known: dict[str, int] = {}
        for field, sizes in self._sizes.items():
            tensor = getattr(value, field)
            if tensor is None and field in self._optional:
                continue
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    f"{self.name}.{field} is a {type(tensor).__name__}, expected a tensor"
                )
            if not _fits(tensor.shape, sizes, known):
                of_letters = ", ".join(f"{letter} = {size}" for letter, size in known.items())
                expected = f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
                where = f" with {of_letters}" if of_letters else ""
                raise ValueError(
                    f"{self.name}.{field} has shape {tuple(tensor.shape)}, "
                    f"expected {expected}{where}"
                )

    def tensors(self, value: Any) -> tuple[Tensor, ...]:
        """The differentiable fields of a value."""
        return tuple(getattr(value, field) for field in self._differentiable)

    def with_tensors(self, value: Any, tensors: Sequence[Tensor]) -> Any:
        """The value with its differentiable fields replaced.

        Raises:
            ValueError: if there are more or fewer.
        """
        if len(tensors) != len(self._differentiable):
            expected = ", ".join(self._differentiable) or "none"
            raise ValueError(f"{self.name} takes the tensors {expected}, found {len(tensors)}")
        return value._replace(**dict(zip(self._differentiable, tensors, strict=True)))


def _fits(shape: torch.Size, sizes: Sizes, known: dict[str, int]) -> bool:
    """Whether a shape fits; letters met for the first time are noted."""
    if len(shape) != len(sizes):
        return False
    for found, wanted in zip(shape, sizes, strict=True):
        expected = known.setdefault(wanted, found) if isinstance(wanted, str) else wanted
        if found != expected:
            return False
    return True
