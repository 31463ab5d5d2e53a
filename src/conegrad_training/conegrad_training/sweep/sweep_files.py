"""Files of a sweep: a table, a picture, and the best settings for a training."""

import csv
from collections.abc import Sequence
from pathlib import Path

import optuna
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from conegrad_evaluation.report.figure_style import (
    ACCENT,
    BAD,
    GREY,
    INK,
    new_figure,
    png_bytes,
    report_style,
)
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.sweep.search_space import Dimension, as_sections
from conegrad_training.sweep.sweep import best_trial
from conegrad_training.sweep.trial import LABEL_VALUES, OVER_BUDGET

TABLE, PICTURE, BEST = "trials.csv", "sweep.png", "best.yaml"


def write_files(
    study: optuna.Study,
    space: Sequence[Dimension],
    training: TrainingConfig,
    folder: Path,
    name: str = "f1_colour",
) -> None:
    """Write the table, the picture and, where a trial is finished, the best settings.

    Args:
        study: with its trials.
        space: what was varied.
        training: settings that were not varied.
        folder: to write to.
        name: of the figure that decides.
    """
    rows = [["trial", "state", name, LABEL_VALUES, *(d.name for d in space)]]
    rows += [trial_cells(trial, space) for trial in study.get_trials(deepcopy=False)]
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    with report_style():
        (folder / PICTURE).write_bytes(png_bytes(_picture(study, name)))
    best = best_trial(study)
    if best is not None:
        sections = yaml.safe_dump(as_sections(training, space, best.params), sort_keys=False)
        title = f"# Settings of trial {best.number}, for conegrad train --config\n"
        (folder / BEST).write_text(title + sections, encoding="utf-8")


def trial_cells(trial: FrozenTrial, space: Sequence[Dimension]) -> list[str]:
    """Number, state, figure, label values and varied settings of a trial."""
    over = trial.user_attrs.get(OVER_BUDGET)
    state = "over the label budget" if over else trial.state.name.lower()
    figure = last_figure(trial)
    return [
        str(trial.number),
        state,
        "" if figure is None else f"{figure:.4f}",
        str(trial.user_attrs.get(LABEL_VALUES, "")),
        *(_shown(trial.params.get(dimension.name, "")) for dimension in space),
    ]


def last_figure(trial: FrozenTrial) -> float | None:
    """Of the end, or of the last measurement of a trial that was pruned."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    values = trial.intermediate_values
    return values[max(values)] if values else None


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _picture(study: optuna.Study, name: str) -> Figure:
    """Figure of each trial, and the best one so far."""
    figure, axes = new_figure(7.0, 3.6)
    kinds: dict[str, tuple[str, list[tuple[int, float]]]] = {
        "finished": (ACCENT, []), "pruned": (GREY, []), "over the label budget": (BAD, []),
    }  # fmt: skip
    best: list[tuple[int, float]] = []
    for trial in study.get_trials(deepcopy=False):
        value = last_figure(trial)
        if value is None:
            continue
        over = bool(trial.user_attrs.get(OVER_BUDGET))
        is_done = trial.state == TrialState.COMPLETE
        kind = "over the label budget" if over else "finished" if is_done else "pruned"
        kinds[kind][1].append((trial.number, value))
        if kind == "finished":
            best.append((trial.number, max(value, best[-1][1] if best else value)))
    for kind, (colour, points) in kinds.items():
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=colour, label=kind, markersize=5)
    if best:
        axes.step(*zip(*best, strict=True), where="post", color=INK, label="best so far", lw=1.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=name)
    axes.set_title("Trials of the sweep")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    return figure
