import numpy as np
import pytest

from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.decision import Answer, decide, sentence
from conegrad_evaluation.gate.findings import BROKEN, KEPT, OPEN, REPORTED, find_all
from conegrad_evaluation.gate.latency_ratio import latency_ratio
from conegrad_evaluation.gate.parts import ALL, Part
from conegrad_evaluation.paired.paired_difference import Drive

CONES = 10


def part(gain, frames, name=ALL, group="all", seed=0):
    """A part in which the old system finds 8 of 10 cones, the new one more by chance."""
    random = np.random.default_rng(seed)
    old = random.binomial(CONES, 0.8, frames)
    lost = random.binomial(old, 0.03 + max(-gain, 0.0) / 0.8)
    new = old - lost + random.binomial(CONES - old, 0.12 + max(gain, 0.0) / 0.2)
    totals = np.full(frames, float(CONES))
    return Part(name, group, "recall", np.stack([old, new]) * 1.0, np.stack([totals] * 2), totals)


def findings(parts, budgets=None, ratio=1.0):
    frames = parts[0].hits.shape[1]
    random = np.random.default_rng(5)
    old = 0.02 * np.exp(random.normal(0, 0.1, frames))
    new = ratio * 0.02 * np.exp(random.normal(0, 0.1, frames))
    drives = [Drive(frames, 5)]
    times = latency_ratio(old, new, drives)
    return find_all(parts, drives, (old, new), times, budgets or Budgets())


def test_a_better_system_is_promoted():
    found = decide(findings([part(0.04, 600)]))
    assert (found.answer, found.more_frames) == (Answer.PROMOTE, 0)
    assert found.reasons[-1] == "all 2 budgets are kept"


def test_a_worse_system_is_held():
    found = decide(findings([part(-0.02, 2000)]))
    assert found.answer == Answer.HOLD
    assert found.reasons[0].endswith("worthwhile from 0.01; not worth a change")


def test_an_equal_system_is_held_with_enough_frames():
    found = findings([part(0.0, 8000)])
    assert decide(found).answer == Answer.HOLD


def test_few_frames_are_undecided_and_say_how_many_would_do():
    few = decide(findings([part(0.03, 40, seed=3)]))
    assert few.answer == Answer.UNDECIDED
    assert few.more_frames is not None
    enough = decide(findings([part(0.03, 40 + few.more_frames, seed=3)]))
    assert enough.answer == Answer.PROMOTE


def test_one_broken_budget_of_a_part_holds_a_gain():
    worse = part(-0.15, 600, "range 5-10 m", "range", seed=1)
    found = decide(findings([part(0.04, 600), worse]))
    assert found.answer == Answer.HOLD
    assert found.reasons[0].startswith("range 5-10 m")


def rare(gain):
    found = part(gain, 600, "class big_orange", "class")
    return found._replace(units=found.units * 0.02)


def test_a_part_with_few_of_the_cones_need_not_keep_its_budget():
    (_, found, _) = findings([part(0.04, 600), rare(-0.01)], Budgets(max_loss_class=0.01))
    assert found.status == REPORTED
    assert sentence(found).endswith("does not decide: 0.020 of the true cones, min_share is 0.05")


def test_a_part_with_few_of_the_cones_may_break_its_budget():
    assert decide(findings([part(0.04, 600), rare(-0.5)])).answer == Answer.HOLD


def test_a_part_that_the_team_names_is_reported_only():
    worse = part(-0.15, 600, "range 5-10 m", "range")
    budgets = Budgets(report_only=("range 5-10 m",))
    assert findings([part(0.04, 600), worse], budgets)[1].status == REPORTED


@pytest.mark.parametrize(("ratio", "status"), [(1.1, KEPT), (1.26, OPEN), (1.5, BROKEN)])
def test_latency_has_a_budget(ratio, status):
    assert findings([part(0.04, 60)], ratio=ratio)[-1].status == status


@pytest.mark.parametrize(("limit", "status"), [(0.03, KEPT), (0.023, OPEN), (0.019, BROKEN)])
def test_the_slowest_frames_have_a_budget(limit, status):
    assert findings([part(0.04, 200)], Budgets(max_latency=limit))[-1].status == status


def test_several_looks_need_more_evidence():
    once, often = (findings([part(0.02, 200)], Budgets(looks=looks))[0] for looks in (1, 5))
    assert often.low < once.low
    assert often.high > once.high
