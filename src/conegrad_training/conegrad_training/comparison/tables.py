"""Tables of a comparison: cells as text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from conegrad_training.comparison.confidence_interval import ConfidenceInterval
from conegrad_training.comparison.groups import RunGroup

SCORES = ("pattern", "seeds", "F1 with colour", "gain", "difference to simultaneous")
COST_HEADER = (
    "pattern", "frames", "steps", "seconds", "forward, by stage", "backward, by stage",
    "label values, map", "label values, per frame",
)  # fmt: skip
TITLES = {
    "f1": "F1", "precision": "precision", "recall": "recall", "rmse": "RMSE [m]",
    "mAP50": "mAP50", "beam_f1": "beam F1",
}  # fmt: skip
OF_SYSTEM = ("f1", "precision", "recall", "rmse")


def with_interval(value: ConfidenceInterval, sign: str = "") -> str:
    """``mean ± half width of the 95 % interval``; the mean alone for one seed."""
    mean = f"{value.mean:{sign}.3f}"
    return mean if math.isnan(value.half_width) else f"{mean} ± {value.half_width:.3f}"


def part_figures(groups: Sequence[RunGroup]) -> list[str]:
    """Figures of the ports before the cones, in their order: every branch, trained or not."""
    figures = groups[0].results[0].baseline
    return [name for name in figures if name not in ("f1_colour", *OF_SYSTEM)]


def title_of(figure: str) -> str:
    """Title of a figure."""
    return TITLES.get(figure, figure.replace("_", " "))


def score_header(groups: Sequence[RunGroup]) -> list[str]:
    """Titles of the columns of :func:`score_rows`."""
    return [*SCORES, *(title_of(name) for name in (*OF_SYSTEM, *part_figures(groups)))]


def score_rows(groups: Sequence[RunGroup]) -> list[list[str]]:
    """A row for the baseline, then one per group."""
    first = groups[0].results[0]
    names = (*OF_SYSTEM, *part_figures(groups))
    rows = [_untrained("baseline", first.baseline, names)]
    if first.before_degradation != first.baseline:
        rows.insert(0, _untrained("before degradation", first.before_degradation, names))
    for group in groups:
        rows.append(
            [
                group.label,
                str(len(group.results)),
                with_interval(group.metric("f1_colour")),
                f"{group.over_seeds(lambda result: result.gain).mean:+.3f}",
                _difference_to_simultaneous(group, groups),
                *(f"{group.metric(name).mean:.3f}" for name in names),
            ]
        )
    return rows


def cost_rows(groups: Sequence[RunGroup]) -> list[list[str]]:
    """Cost of each group, mean over its seeds."""
    return [
        [
            group.label,
            _mean(group, "frames"),
            _mean(group, "steps"),
            _mean(group, "seconds"),
            _passes(group, "forward"),
            _passes(group, "backward"),
            _mean(group, "map_values"),
            _mean(group, "frame_values"),
        ]
        for group in groups
    ]


def _untrained(label: str, headline: Mapping[str, float], names: Sequence[str]) -> list[str]:
    cells = (f"{headline[name]:.3f}" for name in names)
    return [label, "", f"{headline['f1_colour']:.3f}", "", "", *cells]


def _difference_to_simultaneous(group: RunGroup, groups: Sequence[RunGroup]) -> str:
    """Difference to the simultaneous runs with as many frames, or with all if there are none."""
    frames = group.results[0].frames
    partner = min(
        (other for other in groups if other.results[0].pattern == "simultaneous"),
        key=lambda other: other.results[0].frames != frames,
        default=None,
    )
    if partner is None or partner is group:
        return ""
    difference = group.difference_to(partner)
    return "" if difference is None else with_interval(difference, "+")


def _mean(group: RunGroup, name: str) -> str:
    value: Any = group.over_seeds(lambda result: float(getattr(result, name))).mean
    return f"{value:,.0f}"


def _passes(group: RunGroup, name: str) -> str:
    stages = dict.fromkeys(stage for result in group.results for stage in getattr(result, name))
    counts = {
        stage: group.over_seeds(lambda r, s=stage: float(getattr(r, name).get(s, 0))).mean  # type: ignore[misc]
        for stage in stages
    }
    return ", ".join(f"{stage} {count:,.0f}" for stage, count in counts.items())
