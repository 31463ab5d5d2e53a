"""Which pairs of conditions the frames show, and which combination would add most.

Quantitative 2-projection coverage: the frames, projected on any two conditions, have to show each
pair of values as often as the weights of both ask for.

Source:
    Cheng, Huang & Yasuoka, Quantitative Projection Coverage for Testing ML-enabled Autonomous
    Systems, ATVA 2018.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from conegrad_evaluation.coverage.condition_space import ConditionSpace, Value
from conegrad_evaluation.coverage.conditions import FrameConditions
from conegrad_evaluation.metrics.matching import Booleans, Floats

PRIOR = 20.0  # cones of the mean error that each value starts with

Pair = tuple[Value, Value]


class Observed(NamedTuple):
    """Conditions of one frame, and what the new system did with its cones.

    Attributes:
        block: that the frame belongs to; a pair counts once per block.
        conditions: of the frame.
        wrong: ``(T,)`` true cones that were not found with their colour.
        made: condition that was brought about, such as a sensor that was silenced: the errors of
            the frame are put down to its value alone. Empty: none.
    """

    block: int
    conditions: FrameConditions
    wrong: Booleans
    made: str = ""


class MissingPair(NamedTuple):
    """A pair of values that too few blocks show.

    Attributes:
        pair: both values, each with its condition.
        blocks: that show it.
        required: that it would take.
        error: share of wrong cones that is expected of it, of those of both its values.
    """

    pair: Pair
    blocks: int
    required: int
    error: float


class Suggestion(NamedTuple):
    """A drive that would add most to the coverage.

    Attributes:
        drive: value of each condition of a frame; cones of all kinds are assumed on its way.
        pairs: missing pairs that it would show.
        worth: of the coverage that it adds, weighted by the expected error.
        error: mean expected error of these pairs.
    """

    drive: Mapping[str, str]
    pairs: tuple[Pair, ...]
    worth: float
    error: float


class Coverage(NamedTuple):
    """Coverage of all pairs of conditions.

    Attributes:
        share: of the required observations that were made, in [0, 1].
        pairs: number of pairs that can occur.
        covered: number of pairs that are shown as often as is required.
        missing: the others, the largest gap times expected error first.
        suggestions: drives, the one that would teach most first.
        by_condition: share of each two conditions.
        error: share of wrong cones of each value, drawn to the mean where there are few cones.
        blocks: of each pair, how many show it.
        required: of each pair, how many have to.
    """

    share: float
    pairs: int
    covered: int
    missing: tuple[MissingPair, ...]
    suggestions: tuple[Suggestion, ...]
    by_condition: Mapping[tuple[str, str], float]
    error: Mapping[Value, float]
    blocks: Mapping[Pair, int]
    required: Mapping[Pair, int]


def coverage(
    observed: Sequence[Observed], space: ConditionSpace, *, suggested: int = 5
) -> Coverage:
    """Coverage of the conditions of a space by frames.

    Args:
        observed: frames.
        space: which conditions there are, and which pairs of them cannot occur.
        suggested: largest number of suggestions.
    """
    required = _required(space)
    blocks = _blocks(observed, space)
    error = _errors(observed, space)
    missing = [
        MissingPair(pair, blocks.get(pair, 0), needed, math.sqrt(error[pair[0]] * error[pair[1]]))
        for pair, needed in required.items()
        if blocks.get(pair, 0) < needed
    ]
    missing.sort(key=lambda m: -(m.required - m.blocks) / m.required * m.error)
    return Coverage(
        share=_share(blocks, required),
        pairs=len(required),
        covered=len(required) - len(missing),
        missing=tuple(missing),
        suggestions=tuple(_suggestions(missing, space, suggested)),
        by_condition={
            names: _share(blocks, {p: n for p, n in required.items() if _names(p) == names})
            for names in dict.fromkeys(map(_names, required))
        },
        error=error,
        blocks={pair: blocks.get(pair, 0) for pair in required},
        required=required,
    )


def _names(pair: Pair) -> tuple[str, str]:
    return pair[0][0], pair[1][0]


def _required(space: ConditionSpace) -> dict[Pair, int]:
    """Blocks that have to show each pair that can occur."""
    found = {}
    for (first, ones), (second, others) in itertools.combinations(space.values.items(), 2):
        for one, other in itertools.product(ones, others):
            pair = (first, one), (second, other)
            weight = space.weight(pair[0]) * space.weight(pair[1])
            if weight > 0 and frozenset(pair) not in space.impossible:
                found[pair] = math.ceil(space.required * weight)
    return found


def _share(blocks: Mapping[Pair, int], required: Mapping[Pair, int]) -> float:
    total = sum(required.values())
    made = sum(min(blocks.get(pair, 0), needed) for pair, needed in required.items())
    return made / total if total else math.nan


def _blocks(observed: Sequence[Observed], space: ConditionSpace) -> dict[Pair, int]:
    """Number of blocks that show each pair."""
    shown: dict[Pair, set[int]] = {}
    order = list(space.values)
    for frame in observed:
        for pair in _pairs_of(frame, space, order):
            shown.setdefault(pair, set()).add(frame.block)
    return {pair: len(found) for pair, found in shown.items()}


def _pairs_of(frame: Observed, space: ConditionSpace, order: Sequence[str]) -> set[Pair]:
    found: set[Pair] = set()
    of_frame = list(frame.conditions.of_frame.items())
    for cone in _cones(frame, space) or [()]:
        values = sorted([*of_frame, *cone], key=lambda value: order.index(value[0]))
        found.update(itertools.combinations(values, 2))
    return found


def _cones(frame: Observed, space: ConditionSpace) -> list[tuple[Value, ...]]:
    """Values of each true cone of a frame, equal ones once."""
    columns = [frame.conditions.of_cones[name] for name in space.of_cones]
    rows = {tuple(int(cell) for cell in row) for row in zip(*columns, strict=True)}
    return [
        tuple(
            (name, values[index])
            for (name, values), index in zip(space.of_cones.items(), row, strict=True)
            if index >= 0
        )
        for row in sorted(rows)
    ]


def _errors(observed: Sequence[Observed], space: ConditionSpace) -> dict[Value, float]:
    """Share of wrong cones under each value, with :data:`PRIOR` cones of the mean."""
    wrong: dict[Value, float] = {}
    cones: dict[Value, float] = {}
    all_wrong = all_cones = 0.0
    for frame in observed:
        if not frame.made:
            all_wrong += float(frame.wrong.sum())
            all_cones += len(frame.wrong)
        for value, share in _members(frame, space):
            wrong[value] = wrong.get(value, 0.0) + float((frame.wrong * share).sum())
            cones[value] = cones.get(value, 0.0) + float(share.sum())
    mean = (all_wrong + 0.5) / (all_cones + 1)
    values = [(name, value) for name, found in space.values.items() for value in found]
    return {
        value: (wrong.get(value, 0.0) + PRIOR * mean) / (cones.get(value, 0.0) + PRIOR)
        for value in values
    }


def _members(frame: Observed, space: ConditionSpace) -> list[tuple[Value, Floats]]:
    """Values of a frame, each with which of its cones it holds for."""
    all_cones = np.ones(len(frame.wrong))
    found = [(value, all_cones) for value in frame.conditions.of_frame.items()]
    if frame.made:
        return [(value, cones) for value, cones in found if value[0] == frame.made]
    for name, values in space.of_cones.items():
        column = frame.conditions.of_cones[name]
        found += [
            ((name, value), (column == index).astype(np.float64))
            for index, value in enumerate(values)
        ]
    return found


def _suggestions(
    missing: Sequence[MissingPair], space: ConditionSpace, count: int
) -> list[Suggestion]:
    """Drives by what they add, each one to what those before it would already show."""
    frames = {
        name: [value for value in values if space.weight((name, value)) > 0]
        for name, values in space.of_frames.items()
    }
    drives = [
        dict(zip(frames, values, strict=True))
        for values in itertools.product(*frames.values())
        if not _is_impossible(tuple(zip(frames, values, strict=True)), space)
    ]
    left, found = list(missing), list[Suggestion]()
    while len(found) < count and left and drives:
        best = max((_suggestion(drive, left) for drive in drives), key=lambda s: s.worth)
        if best.worth <= 0:
            break
        found.append(best)
        left = [gap for gap in left if gap.pair not in best.pairs]
    return found


def _is_impossible(values: Sequence[Value], space: ConditionSpace) -> bool:
    pairs = itertools.combinations(values, 2)
    return any(frozenset(pair) in space.impossible for pair in pairs)


def _suggestion(drive: Mapping[str, str], missing: Sequence[MissingPair]) -> Suggestion:
    shown = [
        gap
        for gap in missing
        if any(value[0] in drive for value in gap.pair)
        and all(drive.get(name, value) == value for name, value in gap.pair)
    ]
    worth = sum((gap.required - gap.blocks) * gap.error for gap in shown)
    error = sum(gap.error for gap in shown) / len(shown) if shown else math.nan
    return Suggestion(dict(drive), tuple(gap.pair for gap in shown), worth, error)
