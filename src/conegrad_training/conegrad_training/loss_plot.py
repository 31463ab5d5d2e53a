"""Picture of the losses of a run."""

import csv
from pathlib import Path

import numpy as np

SMOOTH_OVER = 20  # steps of the running mean


def plot_losses(table: Path, picture: Path) -> None:
    """Draw every term of a losses table (CSV with a column ``step``) over the steps."""
    from matplotlib.figure import Figure

    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss per true cone")
    for name in rows[0] if rows else ():
        if name in ("step", "parts", "seconds"):
            continue
        points = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        steps, values = np.array(points, dtype=np.float64).reshape(-1, 2).T
        (line,) = axes.plot(steps, values, alpha=0.25, linewidth=0.8)
        axes.plot(steps, _running_mean(values), color=line.get_color(), label=name)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    figure.savefig(picture, dpi=110)


def _running_mean(values: np.ndarray) -> np.ndarray:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(sums))
    first = np.maximum(0, last - SMOOTH_OVER)
    mean: np.ndarray = (sums[last] - sums[first]) / (last - first)
    return mean
