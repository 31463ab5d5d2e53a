"""The answer of the gate."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from conegrad_evaluation.gate.findings import BROKEN, KEPT, OPEN, QUANTILE, REPORTED, Finding

WORDS = {  # of a gain or of another budget, by status
    (True, KEPT): "a gain",
    (True, BROKEN): "not worth a change",
    (False, KEPT): "kept",
    (False, BROKEN): "broken",
}


class Answer(IntEnum):
    """What to do with the new system; the value is the exit code of the command."""

    PROMOTE = 0
    HOLD = 1
    UNDECIDED = 3  # 2 is wrong usage


class Decision(NamedTuple):
    """The answer, and why.

    Attributes:
        answer: what to do.
        reasons: sentences, the most important one first.
        more_frames: frames like these that probably decide; 0 where it is decided, None where
            no reasonable number does.
    """

    answer: Answer
    reasons: tuple[str, ...]
    more_frames: int | None


def decide(findings: Sequence[Finding]) -> Decision:
    """Promote when all budgets are kept, hold when one is broken, else undecided."""
    broken = [finding for finding in findings if finding.status == BROKEN]
    if broken:
        return Decision(Answer.HOLD, tuple(map(sentence, broken)), 0)
    still = [finding for finding in findings if finding.status == OPEN]
    if still:
        return Decision(Answer.UNDECIDED, tuple(map(sentence, still)), _more_frames(still))
    kept = [finding for finding in findings if finding.status == KEPT]
    reasons = (sentence(kept[0]), f"all {len(kept)} budgets are kept")
    return Decision(Answer.PROMOTE, reasons, 0)


def _more_frames(still: Sequence[Finding]) -> int | None:
    """One that breaks its budget is enough to hold; to promote, all have to be decided."""
    breaking = [f.more_frames for f in still if f.tends_to == BROKEN and f.more_frames is not None]
    if breaking:
        return min(breaking)
    needed = [finding.more_frames for finding in still]
    known = [frames for frames in needed if frames is not None]
    return max(known) if len(known) == len(needed) else None


def sentence(finding: Finding) -> str:
    """A finding in words."""
    about = {"latency": "ratio", QUANTILE: "quantile"}.get(finding.name, "difference")
    sign = "+" if about == "difference" else ""
    return (
        f"{finding.name}: {finding.figure} {finding.old:.3g} -> {finding.new:.3g}, {about} "
        f"{finding.difference:{sign}.3f} ({finding.low:{sign}.3f} to {finding.high:{sign}.3f}), "
        f"budget: {finding.budget}; {verdict(finding)}"
    )


def verdict(finding: Finding) -> str:
    """Status of a finding in words."""
    if finding.status == REPORTED:
        return f"does not decide: {finding.why}"
    if finding.status != OPEN:
        return WORDS[finding.group == "all", finding.status]
    if finding.more_frames is None:
        return "open; it is measured on its budget, more frames will hardly decide"
    shown = WORDS[finding.group == "all", finding.tends_to]
    return f"open; about {finding.more_frames} more frames would probably show: {shown}"
