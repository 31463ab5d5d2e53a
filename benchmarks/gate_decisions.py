"""How often the gate promotes, holds or stays undecided, on synthetic drives of known difference.

    python benchmarks/gate_decisions.py --pairs 200

Two systems perceive the same cones. Each cone is in view for 2.5 s and comes nearer; whether a
system finds it depends on the cone (for both alike, and for each system apart), on the range, on
a light that drifts with a time of 1 s, and on chance per frame. The second system differs by a
shift of its scores, found by bisection on long drives so that the true difference of f1_colour is
the one asked for. A promotion is false where the second system does not gain, or loses more in a
part than its budget.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import signal

from conegrad_core.cones import CLASS_NAMES
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.decision import Answer, Decision, decide
from conegrad_evaluation.gate.findings import find_all
from conegrad_evaluation.gate.latency_ratio import latency_ratio
from conegrad_evaluation.gate.parts import Pair, parts_of
from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of
from conegrad_evaluation.paired.paired_difference import Drive
from conegrad_evaluation.paired.paired_frames import FrameCounts

RATE = 10  # frames per second
IN_VIEW = 25  # frames
CONES = 9  # in view at a time
VIEW = 12.0  # [m] at which a cone comes into view
FALSE_CONES = 0.5  # per frame
LONG = 300_000  # frames of each drive that shifts are measured on
MOST = 8000  # frames of a drive on which the frames asked for are tried
Shift = Callable[[np.ndarray], np.ndarray]  # of the scores of the second system, by range [m]


def drive(frames: int, shift: Shift, random: np.random.Generator) -> Pair:
    """Counts of both systems in the frames of one drive."""
    cones = round(CONES * (frames + IN_VIEW) / IN_VIEW)
    first = random.integers(-IN_VIEW + 1, frames, cones)
    frame = first[:, None] + np.arange(IN_VIEW)
    ranges = np.broadcast_to(VIEW * (1 - (np.arange(IN_VIEW) + 0.5) / IN_VIEW), frame.shape)
    classes = random.choice(len(CLASS_NAMES), cones, p=(0.46, 0.46, 0.06, 0.02))
    inside = (frame >= 0) & (frame < frames)
    light = drifting(frames, random)
    shared = random.normal(0, 1.3, (cones, 1)) + random.normal(0, 0.5, frame.shape)
    base = 2.9 - 0.12 * ranges + shared
    counts = []
    for moved in (np.zeros_like(ranges), shift(ranges)):
        own = random.normal(0, 0.8, (cones, 1)) + random.normal(0, 0.5, frame.shape)
        drift = 0.5 * (light + 0.5 * drifting(frames, random))[np.clip(frame, 0, frames - 1)]
        found = base + own + drift + moved > 0
        coloured = found & (random.random((cones, 1)) > 0.02)
        false = false_cones(frames, random)
        counts.append(counted(frames, frame, inside, ranges, classes, found, coloured, false))
    return counts[0], counts[1]


def drifting(frames: int, random: np.random.Generator) -> np.ndarray:
    """``(F,)`` noise of deviation 1 that lasts for a second."""
    kept = np.exp(-1 / RATE)
    noise = random.normal(0, np.sqrt(1 - kept**2), frames)
    drifted: np.ndarray = signal.lfilter([1.0], [1.0, -kept], noise)
    return drifted


def false_cones(frames: int, random: np.random.Generator) -> np.ndarray:
    """``(F,)`` false cones, each of which lasts for half a second."""
    lasts = RATE // 2
    starts = random.poisson(FALSE_CONES / lasts, frames)
    return np.convolve(starts, np.ones(lasts, dtype=np.int64))[:frames]


def counted(frames, frame, inside, ranges, classes, found, coloured, false) -> FrameCounts:  # noqa: ANN001
    """Counts per frame of what was found."""
    bins, kinds = bin_of(ranges.ravel()).reshape(ranges.shape), classes[:, None] + 0 * frame

    def table(chosen: np.ndarray, columns: np.ndarray, width: int) -> np.ndarray:
        kept = chosen & inside
        cells = frame[kept] * width + columns[kept]
        return np.bincount(cells, minlength=frames * width).reshape(frames, width)

    every = np.ones_like(found)
    nothing = np.zeros_like(bins)
    return FrameCounts(
        predicted=table(found, nothing, 1)[:, 0] + false,
        true=table(every, nothing, 1)[:, 0],
        right=table(coloured, nothing, 1)[:, 0],
        range_true=table(every, bins, len(BIN_NAMES)),
        range_found=table(found, bins, len(BIN_NAMES)),
        class_true=table(every, kinds, len(CLASS_NAMES)),
        class_right=table(coloured, kinds, len(CLASS_NAMES)),
    )


def true_difference(shift: Shift) -> float:
    """Difference of f1_colour on long drives."""
    old, new = zip(*long_drives(shift), strict=True)
    return float(np.mean([f1(c) for c in new]) - np.mean([f1(c) for c in old]))


def f1(counts: FrameCounts) -> float:
    """F1 with colour of all frames."""
    return float(2 * counts.right.sum() / (counts.predicted.sum() + counts.true.sum()))


def range_difference(shift: Shift, index: int) -> float:
    """Difference of recall in a range bin on long drives."""
    rates = [
        [c.range_found[:, index].sum() / c.range_true[:, index].sum() for c in pair]
        for pair in long_drives(shift)
    ]
    return float(np.mean([new - old for old, new in rates]))


def long_drives(shift: Shift) -> list[Pair]:
    """Drives that are the same for every shift, but for it."""
    return [drive(LONG, shift, np.random.default_rng(seed)) for seed in (7, 8, 9, 10)]


def solved(measure: Callable[[float], float], aim: float) -> float:
    """Argument at which a rising measure reaches an aim, by bisection."""
    low, high = -2.0, 2.0
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(middle) < aim else (low, middle)
    return (low + high) / 2


def even(amount: float) -> Shift:
    """The same shift at every range."""
    return lambda ranges: np.full_like(ranges, amount)


def loss_far(near: float, far: float) -> Shift:
    """A shift for cones within 10 m, and another one beyond."""
    return lambda ranges: np.where(ranges < 10, near, far)


def answer(shift: Shift, frames: int, seed: int, budgets: Budgets) -> Decision:
    """Decision on four drives with so many frames together."""
    random = np.random.default_rng((seed, frames))
    pairs = [drive(frames // 4, shift, random) for _ in range(4)]
    return decision(pairs, budgets, random)


def decision(pairs: list[Pair], budgets: Budgets, random: np.random.Generator) -> Decision:
    """Decision on some drives."""
    joined: Pair = tuple(  # type: ignore[assignment]
        FrameCounts(
            *(
                np.concatenate(columns)
                for columns in zip(*(vars(p[k]).values() for p in pairs), strict=True)
            )
        )
        for k in (0, 1)
    )
    lengths = [len(pair[0].true) for pair in pairs]
    drives = [Drive(length, round(budgets.block_seconds * RATE)) for length in lengths]
    bags = [f"bag {k}" for k, length in enumerate(lengths) for _ in range(length)]
    parts = parts_of(joined, bags, [""] * len(bags), {})
    seconds = [0.05 * np.exp(random.normal(0, 0.1, len(bags))) for _ in range(2)]
    times = latency_ratio(seconds[0], seconds[1], drives)
    return decide(find_all(parts, drives, (seconds[0], seconds[1]), times, budgets))


def in_looks(shift: Shift, sizes: list[int], seed: int, budgets: Budgets) -> Decision:
    """The first decision of a team that records on until there is one."""
    random = np.random.default_rng((seed, 99))
    pairs: list[Pair] = []
    found = None
    for size in sizes:
        while sum(len(pair[0].true) for pair in pairs) < size:
            pairs.append(drive(250, shift, random))
        found = decision(pairs, budgets, random)
        if found.answer != Answer.UNDECIDED:
            break
    assert found is not None
    return found


def with_frames_asked_for(
    shift: Shift, frames: int, seed: int, budgets: Budgets
) -> tuple[int, Decision] | None:
    """Frames that an undecided gate asks for in all, and the decision with as many new ones.

    None where the gate decides at once, or asks for more than :data:`MOST` frames.
    """
    first = answer(shift, frames, seed, budgets)
    if first.answer != Answer.UNDECIDED or first.more_frames is None:
        return None
    needed = frames + first.more_frames
    if needed > MOST:
        return None
    return needed, answer(shift, needed, seed + 10_000, budgets)


def main() -> None:
    """Print a table of rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200, help="pairs per row")
    parser.add_argument("--frames", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--block", type=float, default=Budgets().block_seconds, help="[s]")
    options = parser.parse_args()
    budgets = Budgets(block_seconds=options.block)
    limit = budgets.max_loss_range
    print(f"blocks of {options.block:g} s, {options.pairs} pairs per row", flush=True)
    print(f"{'true difference':40} frames promote   hold undecided  seconds", flush=True)
    equal = even(0.0)
    table("equal", equal, options.frames, options.pairs, budgets)
    for looks in (1, len(options.frames)):
        several = replace(budgets, looks=looks)
        start = time.perf_counter()
        found = [in_looks(equal, options.frames, seed, several) for seed in range(options.pairs)]
        title = f"equal, {len(options.frames)} looks, looks: {looks}"
        show(title, f"<={max(options.frames)}", found, time.perf_counter() - start)
    for gain in (0.02, -0.02):
        shift = even(solved(lambda s: true_difference(even(s)), gain))
        table(f"{gain:+.2f}", shift, options.frames, options.pairs, budgets)
        show_asked(f"{gain:+.2f}, as many as 500 ask for", shift, options.pairs, budgets)
    far = solved(lambda s: range_difference(even(s), 2), -limit)
    near = solved(lambda s: true_difference(loss_far(s, far)), 0.02)
    title = f"+0.02, loss of {limit:g} beyond 10 m"
    found = true_difference(loss_far(near, far)), range_difference(loss_far(near, far), 2)
    print(f"measured {found[0]:+.4f} and {found[1]:+.4f} beyond 10 m", flush=True)
    table(title, loss_far(near, far), options.frames, options.pairs, budgets)


def table(name: str, shift: Shift, sizes: list[int], pairs: int, budgets: Budgets) -> None:
    """Print the rows of one difference."""
    for frames in sizes:
        start = time.perf_counter()
        found = [answer(shift, frames, seed, budgets) for seed in range(pairs)]
        show(name, str(frames), found, time.perf_counter() - start)


def show_asked(name: str, shift: Shift, pairs: int, budgets: Budgets) -> None:
    """Print the decisions with as many frames as the gate asked for."""
    start = time.perf_counter()
    tried = [with_frames_asked_for(shift, 500, seed, budgets) for seed in range(pairs)]
    found = [entry for entry in tried if entry is not None]
    if found:
        middle = f"~{np.median([needed for needed, _ in found]):.0f}"
        show(name, middle, [decided for _, decided in found], time.perf_counter() - start)


def show(name: str, frames: str, found: list[Decision], seconds: float) -> None:
    """Print a row."""
    rates = Counter(decision.answer for decision in found)
    shares = [f"{100 * rates[kind] / len(found):6.1f}%" for kind in Answer]
    print(f"{name:40} {frames:>6} {'  '.join(shares)}  {seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main()
