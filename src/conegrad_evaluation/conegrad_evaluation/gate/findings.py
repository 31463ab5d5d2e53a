"""What is found for each part of a comparison, against its budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.latency_ratio import LatencyRatio, upper_quantile
from conegrad_evaluation.gate.parts import Part, joined_rates
from conegrad_evaluation.metrics.matching import Floats
from conegrad_evaluation.paired.paired_difference import (
    Differences,
    Drive,
    interval_of,
    paired_differences,
    quantile,
)

QUANTILE = "latency, 95 % quantile"
KEPT, BROKEN, OPEN, REPORTED = "kept", "broken", "open", "reported"
POWER = 0.9  # probability that the frames still needed decide a part, if the difference stays
MOST_FRAMES = 100  # times as many as there are: beyond, a difference is on its budget

CONE_GROUPS = ("range", "class")  # parts that hold some of the cones of all frames

LIMITS = {  # budget of each group of parts
    "bag": "max_loss_scenario",
    "light": "max_loss_scenario",
    "range": "max_loss_range",
    "class": "max_loss_class",
    "disturbed": "max_loss_disturbed",
}


@dataclass(frozen=True)
class Finding:
    """One part against its budget.

    Attributes:
        name: of the part.
        group: of parts; ``latency`` for times.
        figure: what is compared.
        budget: in words.
        old: figure of the old system.
        new: of the new one.
        difference: new minus old; of latencies their ratio.
        low: of the interval of the difference.
        high: likewise.
        cones: true cones, each once per half block; of latencies the number of blocks.
        status: ``kept``, ``broken``, ``open``, or ``reported`` where it does not decide. A part
            with few of the cones may break its budget, but need not keep it.
        limit: the difference has to be above; ratios and quantiles of times below.
        more_frames: frames like these that probably decide it; 0 where it is decided, None
            where no reasonable number does.
        tends_to: what these frames would probably show, ``kept`` or ``broken``.
        why: why it does not decide.
    """

    name: str
    group: str
    figure: str
    budget: str
    old: float
    new: float
    difference: float
    low: float
    high: float
    cones: float
    status: str
    limit: float
    more_frames: int | None = 0
    tends_to: str = ""
    why: str = ""


@dataclass(frozen=True)
class _Bound:
    """Where a budget is kept and where it is broken, on an axis on which more is better.

    Attributes:
        keep: kept where the difference is surely above.
        breaks: broken where the difference is surely below.
    """

    keep: float
    breaks: float


@dataclass(frozen=True)
class _Estimate:
    difference: float
    error: float
    blocks: float


def find_all(
    parts: Sequence[Part],
    drives: Sequence[Drive],
    seconds: tuple[Floats, Floats],
    ratio: LatencyRatio,
    budgets: Budgets,
) -> list[Finding]:
    """A finding for each part, and for the latencies.

    A budget is kept when the whole interval keeps it. It is broken when an interval that is wider,
    for the number of budgets, breaks it: else one of many parts would look worse by chance. A
    promotion needs all budgets to be kept, so that this needs no such correction.

    Args:
        parts: the first one is that of all frames.
        drives: lengths and blocks of the drives.
        seconds: ``(F,)`` times of a frame of the old and the new system.
        ratio: of these times.
        budgets: of the team.
    """
    differences = paired_differences(joined_rates(parts), drives)
    cones = float(parts[0].units.sum())
    shares = [float(part.units.sum()) / cones if cones else math.nan for part in parts]
    reasons = [
        _not_deciding(part, differences, k, shares[k], budgets) for k, part in enumerate(parts)
    ]
    deciding = sum(not reason for reason in reasons) + 1
    frames = sum(drive.frames for drive in drives)
    found = [
        _of_part(part, differences, k, reasons[k], budgets, deciding, frames)
        for k, part in enumerate(parts)
    ]
    found.append(_of_latency(ratio, budgets, deciding, frames))
    if budgets.max_latency is not None:
        found.append(_of_quantile(seconds, budgets, budgets.max_latency))
    return found


def tails(budgets: Budgets, deciding: int) -> tuple[float, float]:
    """Probability beyond an interval on each side: to keep a budget, and to break one of many."""
    tail = (1 - budgets.confidence) / 2 / budgets.looks
    return tail, tail / deciding


def _not_deciding(
    part: Part, differences: Differences, k: int, share: float, budgets: Budgets
) -> str:
    if part.name in budgets.report_only:
        return "named in report_only"
    if part.group in CONE_GROUPS and share < budgets.min_share:
        return f"{share:.3f} of the true cones, min_share is {budgets.min_share:g}"
    if not math.isfinite(differences.new[k] - differences.old[k]):
        return "one of both has no such figure"
    return ""


def _of_part(
    part: Part,
    differences: Differences,
    k: int,
    reason: str,
    budgets: Budgets,
    deciding: int,
    frames: int,
) -> Finding:
    old, new = float(differences.old[k]), float(differences.new[k])
    estimate = _Estimate(new - old, float(differences.errors[k]), float(differences.blocks[k]))
    tail, broken_tail = tails(budgets, deciding)
    interval = interval_of(estimate.difference, estimate.error, estimate.blocks, tail)
    bound, words = _bound(part.group, budgets)
    status, more, tends = _judged(estimate, bound, (tail, broken_tail), frames)
    if reason and not (status == BROKEN and part.name not in budgets.report_only):
        status, more, tends = REPORTED, 0, ""
    return Finding(
        part.name, part.group, part.figure, words, old, new, new - old, interval.low,
        interval.high, float(differences.units[k]), status,
        bound.keep, more, tends, reason,
    )  # fmt: skip


def _bound(group: str, budgets: Budgets) -> tuple[_Bound, str]:
    if group == "all":
        words = f"gain above {budgets.min_gain:g}, worthwhile from {budgets.worthwhile_gain:g}"
        return _Bound(budgets.min_gain, budgets.worthwhile_gain), words
    limit = float(getattr(budgets, LIMITS[group]))
    return _Bound(-limit, -limit), f"loss of at most {limit:g}"


def _of_latency(ratio: LatencyRatio, budgets: Budgets, deciding: int, frames: int) -> Finding:
    limit = -math.log(budgets.max_latency_ratio)  # less time is better
    estimate = _Estimate(-ratio.logarithm, ratio.error, ratio.blocks)
    both = tails(budgets, deciding)
    interval = interval_of(estimate.difference, estimate.error, estimate.blocks, both[0])
    status, more, tends = _judged(estimate, _Bound(limit, limit), both, frames)
    return Finding(
        "latency", "latency", "median time of a frame [s]",
        f"at most {budgets.max_latency_ratio:g} times the old", ratio.old.p50, ratio.new.p50,
        ratio.ratio, math.exp(-interval.high), math.exp(-interval.low), ratio.blocks, status,
        budgets.max_latency_ratio, more, tends,
    )  # fmt: skip


def _of_quantile(seconds: tuple[Floats, Floats], budgets: Budgets, limit: float) -> Finding:
    old, new = (float(stats.quantile(times, 0.95)) for times in seconds)
    low, high = upper_quantile(seconds[1], 0.95, tails(budgets, 1)[0])
    status = KEPT if high <= limit else BROKEN if low > limit else OPEN
    tends = "" if status != OPEN else KEPT if new <= limit else BROKEN
    more = 0 if status != OPEN else len(seconds[1])  # twice as many
    return Finding(
        QUANTILE, "latency", "time of a frame [s]", f"at most {limit:g} s",
        old, new, new, low, high, len(seconds[1]), status, limit, more, tends,
    )  # fmt: skip


def _judged(
    estimate: _Estimate, bound: _Bound, both: tuple[float, float], frames: int
) -> tuple[str, int | None, str]:
    """Status, frames still needed, and what they would probably show."""
    tail, broken_tail = both
    if not math.isfinite(estimate.error):
        return OPEN, None, ""
    low = interval_of(estimate.difference, estimate.error, estimate.blocks, tail).low
    high = interval_of(estimate.difference, estimate.error, estimate.blocks, broken_tail).high
    if low > bound.keep:
        return KEPT, 0, ""
    if high < bound.breaks:
        return BROKEN, 0, ""
    ways = [
        (_more_frames(estimate.difference - bound.keep, estimate, tail, frames), KEPT),
        (_more_frames(bound.breaks - estimate.difference, estimate, broken_tail, frames), BROKEN),
    ]
    possible = [way for way in ways if way[0] is not None]
    if not possible:
        return OPEN, None, ""
    more, tends = min(possible, key=lambda way: way[0] or 0)
    return OPEN, more, tends


def _more_frames(gap: float, estimate: _Estimate, tail: float, frames: int) -> int | None:
    """Frames that are needed beyond those there are to see a gap with probability POWER."""
    if gap <= 0:
        return None
    reach = (quantile(estimate.blocks, tail) + float(stats.norm.ppf(POWER))) * estimate.error
    factor = (reach / gap) ** 2
    return math.ceil(frames * (factor - 1)) if factor <= MOST_FRAMES else None
