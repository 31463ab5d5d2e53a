"""Checks of tensor shapes at the boundary of public functions."""

from torch import Tensor


def check_shape(tensor: Tensor, *last: int | None, name: str) -> None:
    """Refuse a tensor whose last dimensions differ from ``last`` (None stands for any size).

    Raises:
        ValueError: naming the tensor, its shape and the expected one.
    """
    shape = tuple(tensor.shape)
    fits = len(shape) >= len(last) and all(
        expected is None or expected == actual
        for expected, actual in zip(reversed(last), reversed(shape), strict=False)
    )
    if not fits:
        expected = ", ".join(["..."] + ["N" if size is None else str(size) for size in last])
        raise ValueError(f"{name} has shape {shape}, expected ({expected})")
