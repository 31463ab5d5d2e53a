"""Picture of what a system keeps under each disturbance."""

import numpy as np
from matplotlib.figure import Figure

from conegrad_evaluation.report.figure_style import CELL_INK, INK
from conegrad_evaluation.robustness.retention import RetentionTable, by_disturbance

ROW, WIDTH = 0.3, 7.2  # [inch]
DARK = 0.45  # share below which figures are white


def robustness_plot(table: RetentionTable) -> Figure:
    """One row per disturbance, one column per severity, coloured by the share that is left."""
    groups = by_disturbance(table.rows)
    columns = max(len(rows) for rows in groups.values())
    shares = np.full((len(groups), columns), np.nan)
    for place, rows in enumerate(groups.values()):
        shares[place, : len(rows)] = [row.share for row in rows]
    figure = Figure(figsize=(WIDTH, 1.2 + ROW * len(groups)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Reds_r", vmin=0.0, vmax=1.15, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if np.isfinite(share):
            colour = "white" if share < DARK else CELL_INK
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_xticks(range(columns), [f"severity {number + 1}" for number in range(columns)])
    axes.grid(visible=False)
    axes.tick_params(length=0, colors=INK)
    axes.set_title("Share of F1 with colour that is left")
    return figure
