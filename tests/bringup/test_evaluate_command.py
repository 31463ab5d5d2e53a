"""Several bags are evaluated by one command, each with a report of its own."""

import pytest

from conegrad_bringup.command_line import main
from conegrad_bringup.commands.evaluation import evaluate as command
from conegrad_evaluation.metrics.evaluator import evaluate


@pytest.fixture
def evaluated(monkeypatch):
    """Bags and folders that were evaluated; no bag is read."""
    calls = []

    def stand_in(bag, output_dir, **settings):
        if bag.name == "bad":
            raise ValueError("bad has no cones")
        calls.append((bag.name, output_dir, settings["max_range"]))
        return evaluate([])

    monkeypatch.setattr(command, "evaluate_bag", stand_in)
    return calls


def test_each_of_several_bags_gets_its_report_and_a_row(evaluated, tmp_path, capsys):
    assert main(["evaluate", "a", "b.mcap", "-o", str(tmp_path), "--max-range", "9"]) == 0
    assert evaluated == [("a", tmp_path / "a", 9.0), ("b.mcap", tmp_path / "b", 9.0)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["bag", "frames", "f1_colour"]
    assert [line.split()[0] for line in lines[1:3]] == ["a", "b.mcap"]
    assert lines[3:] == [f"report: {tmp_path / name / 'report.html'}" for name in "ab"]


def test_the_bag_that_fails_is_named(evaluated, capsys):
    assert main(["evaluate", "a", "runs/bad"]) == 1
    assert capsys.readouterr().err == "conegrad: runs/bad: bad has no cones\n"


def test_two_bags_of_one_name_do_not_share_a_report(evaluated, tmp_path, capsys):
    assert main(["evaluate", "one/a", "two/a", "-o", str(tmp_path)]) == 1
    assert f"two bags have the report {tmp_path}/a" in capsys.readouterr().err
