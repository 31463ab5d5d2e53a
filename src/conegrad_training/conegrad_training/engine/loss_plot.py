"""Table of the losses of a run, and its picture."""

import csv
import io
from pathlib import Path

import numpy as np

from conegrad_core.whole_file import write_whole
from conegrad_training.engine.loop import StepReport

SMOOTH_OVER = 20  # steps of the running mean
MEANINGS = {
    "position": "distance to the true cone",
    "colour": "cross-entropy",
    "existence": "missed and false cones",
    "covariance": "stated error, log-likelihood: may be below 0",
}


def add_row(path: Path, report: StepReport) -> None:
    """Append a step to the table of losses; a new term gets a column, for all rows."""
    row = {
        "step": report.step,
        **{name: f"{value:.6g}" for name, value in report.losses.items()},
        "stages": " ".join(sorted(report.stages)),
        "seconds": f"{report.seconds:.4f}",
    }
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    columns = next(csv.reader(lines[:1]), [])
    if row.keys() <= set(columns):
        with path.open("a", newline="") as file:
            csv.DictWriter(file, columns, lineterminator="\n").writerow(row)
        return
    table = io.StringIO()
    new = [name for name in row if name not in columns]
    writer = csv.DictWriter(table, [*columns, *new], lineterminator="\n")
    writer.writeheader()
    writer.writerows([*csv.DictReader(lines), row])
    write_whole(path, table.getvalue().encode())


def cut_table(path: Path, steps: int) -> None:
    """Drop the rows after the checkpoint: those steps are done again."""
    if path.exists():
        lines = path.read_bytes().splitlines(keepends=True)
        write_whole(path, b"".join(lines[: steps + 1]))


def plot_losses(table: Path, picture: Path) -> None:
    """Draw every term of a losses table (CSV with a column ``step``) over the steps."""
    from matplotlib.figure import Figure

    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="weighted term (end loss: per true cone)")
    for name in rows[0] if rows else ():
        if name in ("step", "stages", "parts", "seconds"):
            continue
        points = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        steps, values = np.array(points, dtype=np.float64).reshape(-1, 2).T
        (line,) = axes.plot(steps, values, alpha=0.25, linewidth=0.8)
        axes.plot(steps, _running_mean(values), color=line.get_color(), label=_label(name))
    axes.grid(alpha=0.3)
    if axes.lines:
        title = f"thick: mean of {SMOOTH_OVER} steps; thin: each step"
        figure.legend(loc="outside lower center", ncols=2, title=title)
    axes.set_title("Losses of the training; what is minimised is their sum")
    figure.savefig(picture, dpi=110)


def _label(name: str) -> str:
    return f"{name}: {MEANINGS[name]}" if name in MEANINGS else name


def _running_mean(values: np.ndarray) -> np.ndarray:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(sums))
    first = np.maximum(0, last - SMOOTH_OVER)
    mean: np.ndarray = (sums[last] - sums[first]) / (last - first)
    return mean
