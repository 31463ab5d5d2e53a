import csv
import json
from dataclasses import asdict
from pathlib import Path

from conegrad_training.comparison.results import (
    RESULT,
    RunResult,
    read_results,
    write_result,
    write_table,
)

FOLDER = Path("runs", "domain_shift", "simultaneous_00300_seed1")
RESULT_OF_A_RUN = RunResult(
    condition="domain_shift",
    pattern="simultaneous",
    seed=1,
    frames=300,
    label_budget="",
    baseline={"f1_colour": 0.5},
    after={"f1_colour": 0.75},
    before_degradation={"f1_colour": 0.875},
    steps=4,
    seconds=1.23456789,
    forward={"detector": 32},
    backward={"detector": 16},
    frame_values=30,
    map_values=12,
)


def test_a_written_result_is_read_again(tmp_path: Path):
    write_result(RESULT_OF_A_RUN, tmp_path / FOLDER)
    assert read_results(tmp_path) == [RESULT_OF_A_RUN]
    assert RESULT_OF_A_RUN.gain == 0.25


def test_a_result_of_version_0_1_is_read(tmp_path: Path):
    content = asdict(RESULT_OF_A_RUN)
    content["paid_by"] = content.pop("label_budget")
    content["start"] = content.pop("baseline")
    content["reached"] = content.pop("after")
    content["intact"] = content.pop("before_degradation")
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / RESULT).write_text(json.dumps(content))
    assert read_results(tmp_path) == [RESULT_OF_A_RUN]


def test_runs_without_a_result_are_left_out(tmp_path: Path):
    (tmp_path / FOLDER).mkdir(parents=True)
    assert read_results(tmp_path) == []


def test_the_table_has_a_column_per_metric(tmp_path: Path):
    write_table([RESULT_OF_A_RUN], tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["seconds"] == "1.23457"
    assert (row["baseline_f1_colour"], row["after_f1_colour"]) == ("0.5", "0.75")
    assert row["before_degradation_f1_colour"] == "0.875"
    assert (row["forward_detector"], row["backward_detector"]) == ("32", "16")
    assert row["frame_values"] == "30"
