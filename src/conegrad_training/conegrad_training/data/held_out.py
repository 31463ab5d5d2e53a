"""What of labelled recordings is held out for evaluation: whole recordings, or their last third."""

from collections.abc import Mapping
from typing import NamedTuple

LAST = 3  # one part in so many, at the end of a recording, is evaluated unless recordings are named


class Rows(NamedTuple):
    """Rows of a recording, which are in the order of time.

    Attributes:
        training: to learn from.
        held_out: kept aside.
    """

    training: slice
    held_out: slice


def held_out_rows(lengths: Mapping[str, int], names: str) -> dict[str, Rows]:
    """Decide for each recording which rows are learned from.

    Args:
        lengths: rows of each recording by its name.
        names: recordings that are evaluated as a whole, separated by commas; empty: the last third
            of every recording is evaluated.

    Raises:
        ValueError: if a name is unknown, or one of both sides would be empty.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in lengths]
    if unknown:
        raise ValueError(f"held_out has {unknown[0]!r}, expected some of {', '.join(lengths)}")
    if not chosen:
        return {name: _last_third(name, count) for name, count in lengths.items()}
    if len(set(chosen)) == len(lengths):
        raise ValueError(f"held_out has all of {', '.join(lengths)}: nothing is left to learn from")
    everything, nothing = slice(None), slice(0)
    return {
        name: Rows(nothing, everything) if name in chosen else Rows(everything, nothing)
        for name in lengths
    }


def _last_third(name: str, count: int) -> Rows:
    if count < LAST:
        raise ValueError(
            f"{name} has {count} rows, expected at least {LAST} to evaluate on the last third, or "
            "whole recordings in held_out"
        )
    first = count - count // LAST
    return Rows(slice(first), slice(first, None))
