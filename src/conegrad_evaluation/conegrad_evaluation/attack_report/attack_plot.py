"""Picture of what a system keeps under attacks, beside random changes of the same budget."""

from matplotlib.figure import Figure

from conegrad_evaluation.attack_report.attack_table import AttackTable, Kept
from conegrad_evaluation.report.figure_style import BAD, GREY

ROW, WIDTH = 0.34, 7.6  # [inch]


def attack_plot(table: AttackTable) -> Figure:
    """A row per threat: the share of F1 that is left, with its interval."""
    count = len(table.rows)
    figure = Figure(figsize=(WIDTH, 1.3 + ROW * count), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(table.rows):
        marks = ((-0.15, "o", GREY, row.random), (0.15, "s", BAD, row.attacked))
        for shift, marker, colour, kept in marks:
            axes.errorbar(
                kept.share, place + shift, xerr=_bars(kept), fmt=marker, color=colour, capsize=2.5,
                markersize=5, linewidth=1.4,
            )  # fmt: skip
    axes.set_yticks(range(count), [str(row.threat) for row in table.rows])
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_xlim(0.0, max(1.1, *(row.random.share for row in table.rows)))
    axes.set_xlabel("share of F1 with colour that is left, 95 %")
    axes.set_title("Left under attack (squares) and at random (circles)")
    return figure


def _bars(kept: Kept) -> list[list[float]]:
    low, high = kept.share - kept.interval.low, kept.interval.high - kept.share
    return [[max(low, 0.0)], [max(high, 0.0)]]
