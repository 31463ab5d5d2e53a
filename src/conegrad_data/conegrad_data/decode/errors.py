"""The error of messages that cannot be used."""

import functools
import math
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# What numpy, torch and Python raise on values that no check foresaw. TypeError, KeyError and the
# like are not among them: they would be faults of the code, and end the process.
CONTENT_ERRORS = (ValueError, ArithmeticError, MemoryError)


class DecodeError(ValueError):
    """A message cannot be used; names the field, its value and what was expected."""


def from_content(decode: Callable[P, R]) -> Callable[P, R]:
    """Let a function that reads the content of a message raise nothing but DecodeError on it.

    Every function that turns content into numbers has this decorator: its explicit checks say
    which field is wrong, and :data:`CONTENT_ERRORS` of anything else become DecodeError as well.
    """

    @functools.wraps(decode)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return decode(*args, **kwargs)
        except DecodeError:
            raise
        except CONTENT_ERRORS as error:
            raise DecodeError(f"the content cannot be used: {error}") from error

    return checked


def check_within(name: str, value: Any, limit: float, unit: str) -> None:
    """Refuse a number that is not finite, or farther from 0 than a limit.

    Raises:
        DecodeError: naming the field, its value and the limit.
    """
    if not (math.isfinite(value) and abs(value) <= limit):
        raise DecodeError(f"{name} is {value:g}, expected at most {limit:g}{unit} from 0")
