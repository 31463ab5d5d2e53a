"""Outcomes of faults in the live graph as JSON values, as rows of the report and as text."""

import math
from collections.abc import Sequence
from typing import Any

from conegrad_evaluation.robustness.live_outcome import GAP, RECOVERED, TOLD, LiveOutcome

TARGETS = (
    f"told within {TOLD:g} s, {1000 * GAP:.0f} ms without cones at most, recovered within "
    f"{RECOVERED:g} s"
)


def live_values(outcomes: Sequence[LiveOutcome]) -> list[dict[str, Any]]:
    """JSON values of each outcome."""
    return [
        {
            "fault": str(out.fault),
            "parameters": out.fault.parameters,
            "seconds": out.seconds,
            "told": out.told,
            "teller": out.teller,
            "gap": out.gap,
            "usual_gap": out.usual_gap,
            "cones_again": out.cones,
            "diagnostics_again": out.calm,
            "missed": out.missed,
        }
        for out in outcomes
    ]


def live_row(out: LiveOutcome) -> list[str]:
    """Cells of an outcome: fault, parameters, told, by whom, gap, cones, diagnostics, missed."""
    parameters = ", ".join(f"{name} {value:g}" for name, value in out.fault.parameters.items())
    return [
        str(out.fault),
        parameters,
        _seconds(out.told),
        out.teller,
        f"{out.gap:.2f} ({out.usual_gap:.2f})",
        _seconds(out.cones),
        _seconds(out.calm),
        "; ".join(out.missed),
    ]


def live_text(outcomes: Sequence[LiveOutcome]) -> str:
    """How many faults reached the targets, and what the others missed, for a terminal."""
    good = sum(not out.missed for out in outcomes)
    lines = [f"live: {good} of {len(outcomes)} faults: {TARGETS}"]
    lines += [f"  {out.fault}: {'; '.join(out.missed)}" for out in outcomes if out.missed]
    return "\n".join(lines)


def _seconds(value: float) -> str:
    return "never" if math.isnan(value) else f"{value:.2f}"
