"""How much of its F1 a system keeps under attacks, and whether the attacks are to be believed."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from conegrad_evaluation.attack_report.attack_run import AttackRun
from conegrad_evaluation.attacks.threat import Threat
from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.metrics.matching import Floats, FrameResult
from conegrad_evaluation.robustness.frame_sums import FrameSums, sums_of_frames
from conegrad_evaluation.robustness.retention import (
    frame_weights,
    percentile_interval,
    rates,
    shares_left,
)


class Kept(NamedTuple):
    """What is left of F1 with colour under changed frames.

    Attributes:
        f1_colour: of the changed frames.
        share: of that of the intact frames.
        interval: of the share, 95 %.
    """

    f1_colour: float
    share: float
    interval: Interval


class ThreatRow(NamedTuple):
    """A system under one threat.

    Attributes:
        threat: attacks and budgets.
        clean: F1 with colour of the intact frames.
        random: under random changes of the same budgets.
        attacked: under the attacks.
        clean_loss: mean end loss of the intact frames.
        random_loss: likewise.
        attacked_loss: likewise.
        half_loss: of the best change within the first half of the steps.
        full_loss: of the best change within all steps, before rounding to what sensors deliver.
    """

    threat: Threat
    clean: float
    random: Kept
    attacked: Kept
    clean_loss: float
    random_loss: float
    attacked_loss: float
    half_loss: float
    full_loss: float


class AttackTable(NamedTuple):
    """A system under all threats.

    Attributes:
        rows: one per threat, in their order.
        frames: number of frames.
        doubts: reasons why a figure may not be the worst case, in words.
    """

    rows: list[ThreatRow]
    frames: int
    doubts: list[str]


def attack_table(run: AttackRun, *, seed: int = 0) -> AttackTable:
    """Shares that are left, with intervals of a block bootstrap over frames.

    Args:
        run: with frames.
        seed: of the resampling.

    Raises:
        ValueError: without frames.
    """
    frames = sum(run.drives.values())
    if not frames:
        raise ValueError("bags hold no frames with truth, expected some")
    weights = frame_weights(run.drives, run.periods, seed)
    rows = [_row(run, threat, weights) for threat in run.threats]
    return AttackTable(rows, frames, doubts(rows))


def doubts(rows: Sequence[ThreatRow]) -> list[str]:
    """Signs of attacks that are too weak: they would show more robustness than there is.

    An attack weaker than chance, or weaker with a larger budget, may be held up by gradients that
    say nothing (gradient masking: Athalye et al., Obfuscated Gradients, ICML 2018).
    """
    found = [
        f"{row.threat}: a random change raises the end loss more ({row.random_loss:.2f}) than the "
        f"attack ({row.attacked_loss:.2f})"
        for row in rows
        if row.random_loss > row.attacked_loss
    ]
    for smaller, larger in pairwise(rows):
        if is_larger(larger.threat, smaller.threat) and (
            larger.attacked_loss < smaller.attacked_loss
        ):
            found.append(
                f"{larger.threat}: the end loss is lower ({larger.attacked_loss:.2f}) than with "
                f"the smaller budget of {smaller.threat} ({smaller.attacked_loss:.2f})"
            )
    return found


def is_larger(one: Threat, other: Threat) -> bool:
    """Whether a threat is of the same attack as another one, with a larger budget."""
    if len(one.attacks) != 1 or len(other.attacks) != 1:
        return False
    (first,), (second,) = one.attacks, other.attacks
    if first.name != second.name:
        return False
    size = first.attack.size
    return first.budget[size] > second.budget[size]


def _row(run: AttackRun, threat: Threat, weights: Floats) -> ThreatRow:
    name = str(threat)
    losses = run.losses[name]
    curves = np.array([row.curve for row in losses])
    half = max(1, -(-curves.shape[1] // 2))
    random, attacked = (
        _kept(run, changed, weights) for changed in (run.random[name], run.attacked[name])
    )
    clean, _ = rates(_sums(run, run.clean))
    return ThreatRow(
        threat,
        clean,
        random,
        attacked,
        float(np.mean([row.clean for row in losses])),
        float(np.mean([row.random for row in losses])),
        float(np.mean([row.attacked for row in losses])),
        float(curves[:, :half].max(axis=1).mean()),
        float(curves.max(axis=1).mean()),
    )


def _kept(run: AttackRun, changed: Sequence[FrameResult], weights: Floats) -> Kept:
    sums = _sums(run, changed)
    shares = shares_left(sums, weights)
    return Kept(rates(sums)[1], float(shares[0]), percentile_interval(shares[1:]))


def _sums(run: AttackRun, changed: Sequence[FrameResult]) -> FrameSums:
    pairs = [sums_of_frames(f, run.config, is_recall=False) for f in (run.clean, changed)]
    hits, totals = (np.stack(columns, axis=-1) for columns in zip(*pairs, strict=True))
    return FrameSums(hits, totals)
