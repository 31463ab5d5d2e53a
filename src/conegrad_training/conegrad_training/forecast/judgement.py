"""Judges forecasts by what was realised: rank correlation, mean error, best choice, intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr


class Outcome(NamedTuple):
    """What became of the forecast of one option.

    Attributes:
        case: forecasts of one case compete with each other.
        option: its name.
        predicted: gain of ``f1_colour``.
        low: end of the interval of the prediction.
        high: the other end.
        realised: gain of the training.
    """

    case: str
    option: str
    predicted: float
    low: float
    high: float
    realised: float


class Judgement(NamedTuple):
    """How good forecasts were.

    Attributes:
        options: number of trainings that were forecast and made.
        cases: number of cases in which more than one option was.
        spearman: rank correlation of predicted and realised gains; NaN for fewer than three.
        mean_error: mean of the absolute errors.
        best_choices: cases in which the option with the largest prediction realised the largest
            gain, or one within the spread of seeds of it.
        covered: share of the realised gains inside their intervals.
        regret: mean of what the best option of a case realised beyond the chosen one.
    """

    options: int
    cases: int
    spearman: float
    mean_error: float
    best_choices: int
    covered: float
    regret: float


def judge(outcomes: Sequence[Outcome], spread: float = 0.0) -> Judgement:
    """Compare predictions with what was realised.

    Args:
        outcomes: of any number of cases.
        spread: standard deviation of the gain between seeds of a training; the gains of two
            trainings differ by sqrt(2) times as much without any difference between them.

    Raises:
        ValueError: without outcomes.
    """
    if not outcomes:
        raise ValueError("outcomes is empty, expected at least one training that was forecast")
    predicted = np.array([each.predicted for each in outcomes])
    realised = np.array([each.realised for each in outcomes])
    regrets = [case_regret(rows) for rows in by_case(outcomes).values() if len(rows) > 1]
    within = math.sqrt(2.0) * spread + 1e-9
    varies = len(outcomes) > 2 and np.ptp(predicted) > 0 and np.ptp(realised) > 0
    inside = [each.low <= each.realised <= each.high for each in outcomes]
    return Judgement(
        options=len(outcomes),
        cases=len(regrets),
        spearman=float(spearmanr(predicted, realised).statistic) if varies else math.nan,
        mean_error=float(np.abs(predicted - realised).mean()),
        best_choices=sum(regret <= within for regret in regrets),
        covered=float(np.mean(inside)),
        regret=float(np.mean(regrets)) if regrets else math.nan,
    )


def case_regret(rows: Sequence[Outcome]) -> float:
    """What the best option of a case realised beyond the one with the largest prediction."""
    chosen = max(rows, key=lambda each: each.predicted)
    return max(each.realised for each in rows) - chosen.realised


def by_case(outcomes: Sequence[Outcome]) -> Mapping[str, list[Outcome]]:
    """Outcomes of each case, in their order."""
    found: dict[str, list[Outcome]] = {}
    for each in outcomes:
        found.setdefault(each.case, []).append(each)
    return found
