import math
from pathlib import Path

import pytest

from conegrad_training.goal_settings import GoalSettings, read_goal_settings, run_folder
from conegrad_training.progress import Progress


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold():
    assert read_goal_settings(None) == GoalSettings()


def test_sections_of_the_file_are_read_and_the_goal_comes_first(tmp_path: Path):
    path = written(
        tmp_path,
        "run: {batch: 2, steps: 5}\npattern: {pattern: individual, block: 3}\n"
        "data: {tests: [one, two], output: there}\nloss: {recall_weight: 1.5}\n",
    )
    settings = read_goal_settings(path, "alternating", 7)
    assert (settings.training.run.batch, settings.training.run.steps) == (2, 7)
    assert (settings.training.pattern.pattern, settings.training.pattern.block) == (
        "alternating",
        3,
    )
    assert settings.training.loss.recall_weight == 1.5
    assert settings.data.tests == ("one", "two")
    assert run_folder(tmp_path, settings) == Path("there")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("speed: {steps: 5}", "has 'speed', expected some of run", id="section"),
        pytest.param("run: {step: 5}", "run has 'step', expected some of steps", id="name"),
        pytest.param("run: {steps: 0}", r"yaml: run\.steps is 0, expected at least 1", id="value"),
        pytest.param("run: 5", "run is 5, expected names with values", id="no section"),
        pytest.param("[1]", "holds a list, expected sections", id="no sections"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        read_goal_settings(written(tmp_path, text))


def test_each_run_gets_the_first_free_folder(tmp_path: Path):
    (tmp_path / "run_001").mkdir()
    assert run_folder(tmp_path, GoalSettings()) == tmp_path / "run_002"


def test_progress_tells_speed_and_time_left():
    progress = Progress(10, 20, now=100.0)
    assert (progress.steps_per_second, progress.eta) == (0.0, math.inf)
    progress.step(now=102.0)
    progress.step(now=104.0)
    assert (progress.done, progress.steps_per_second, progress.eta) == (12, 0.5, 16.0)


def test_the_speed_is_that_of_the_last_twenty_steps():
    progress = Progress(0, 40, now=0.0)
    for step in range(40):
        progress.step(now=10.0 * step if step < 20 else 190.0 + (step - 19))
    assert (progress.steps_per_second, progress.eta) == (1.0, 0.0)
