"""The table of losses, and its picture."""

import csv
from pathlib import Path

from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.loss_plot import add_row, cut_table, plot_losses


def report(step: int, **losses: float) -> StepReport:
    return StepReport(step, losses, {}, frozenset({"b", "a"}), 0.5)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_term_that_is_new_gets_a_column(tmp_path: Path):
    table = tmp_path / "losses.csv"
    add_row(table, report(0, box=2.0))
    add_row(table, report(1, box=1.5))
    add_row(table, report(2, position=0.25, colour=1.0))
    add_row(table, report(3, colour=0.5))
    found = rows(table)
    assert [row["step"] for row in found] == ["0", "1", "2", "3"]
    assert [row["box"] for row in found] == ["2", "1.5", "", ""]
    assert [row["position"] for row in found] == ["", "", "0.25", ""]
    assert [row["colour"] for row in found] == ["", "", "1", "0.5"]
    assert found[3]["stages"] == "a b"
    plot_losses(table, tmp_path / "losses.png")
    assert (tmp_path / "losses.png").stat().st_size > 0


def test_rows_after_the_checkpoint_are_dropped(tmp_path: Path):
    table = tmp_path / "losses.csv"
    for step in range(3):
        add_row(table, report(step, box=1.0))
    cut_table(table, 1)
    assert [row["step"] for row in rows(table)] == ["0"]
    cut_table(tmp_path / "none.csv", 1)
    assert not (tmp_path / "none.csv").exists()
