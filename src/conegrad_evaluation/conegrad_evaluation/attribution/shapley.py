"""Shares of players in what a coalition gains: Shapley values."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

Coalition = frozenset[str]
Values = npt.NDArray[np.float64]


def coalitions(players: Sequence[str]) -> Iterator[Coalition]:
    """All subsets, the empty one first and the whole last."""
    for size in range(len(players) + 1):
        yield from (frozenset(chosen) for chosen in combinations(players, size))


def shapley_shares(
    players: Sequence[str], value: Callable[[Coalition], float | Values]
) -> dict[str, Values]:
    """Mean gain of each player over all orders in which they may join.

    The shares sum to the value of all less that of none.

    Args:
        players: names.
        value: of a coalition; a number or an array, whose entries are shared out one by one.

    Source:
        Shapley, A value for n-person games, 1953.
    """
    count = len(players)
    values = {chosen: np.asarray(value(chosen), dtype=np.float64) for chosen in coalitions(players)}
    shares = {}
    for player in players:
        total = np.zeros_like(values[frozenset()])
        for chosen, before in values.items():
            if player not in chosen:
                size = len(chosen)
                orders = math.factorial(size) * math.factorial(count - size - 1)
                total = total + orders * (values[chosen | {player}] - before)
        shares[player] = total / math.factorial(count)
    return shares
