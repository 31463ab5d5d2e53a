import math
import os
from pathlib import Path

import pytest

from conegrad_training.action.goal_files import GoalError
from conegrad_training.action.goal_settings import (
    GoalSettings,
    check_goal,
    read_goal_settings,
    run_folder,
)
from conegrad_training.engine.progress import Progress


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
        f"data: {{tests: [one, two], output: {tmp_path}/there}}\nloss: {{recall_weight: 1.5}}\n",
    )
    settings = read_goal_settings(path, "alternating", 7)
    assert (settings.training.run.batch, settings.training.run.steps) == (2, 7)
    assert (settings.training.pattern.pattern, settings.training.pattern.block) == (
        "alternating",
        3,
    )
    assert settings.training.loss.recall_weight == 1.5
    assert settings.data.tests == ("one", "two")
    assert run_folder(tmp_path, settings) == tmp_path / "there"


BOMB = "x"  # a billion entries, if they were written out
for level in range(9):
    BOMB = f"[&a{level} {BOMB}{f', *a{level}' * 9}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("xyz: {steps: 5}", r"yaml:1: xyz is unknown, expected", id="section"),
        pytest.param("run: {step: 5}", r"run\.step is unknown, did you mean", id="name"),
        pytest.param("run: {steps: 0}", r"yaml:1: run\.steps is 0, expected", id="value"),
        pytest.param("run: 5", "run is 5, expected settings with values", id="no section"),
        pytest.param("[1]", "holds a list, expected sections", id="no sections"),
        pytest.param("a: [", "holds invalid YAML in line 1, column 5", id="invalid"),
        pytest.param("\x00", "holds invalid YAML", id="a sign that YAML has not"),
        pytest.param("[" * 5000, "holds maximum recursion depth", id="deep YAML"),
        pytest.param("1: {}", "1 is unknown, expected one of run", id="number for a section"),
        pytest.param("run: {1: 2}", r"run\.1 is unknown, expected one of", id="number for a name"),
        pytest.param("run: {steps: many}", "steps is 'many', expected a whole number", id="text"),
        pytest.param("run: {steps: 1.5}", r"steps is 1\.5, expected a whole number", id="half"),
        pytest.param("run: {steps: true}", "steps is True, expected a whole", id="truth value"),
        pytest.param("run: {steps: 1e30}", "steps is 1e.30, expected a whole", id="float"),
        pytest.param(f"run: {{steps: {10**30}}}", "steps is 10+, expected a value in", id="huge"),
        pytest.param("run: {workers: 1000000}", "workers is 1000000, expected a", id="workers"),
        pytest.param("data: {track: 5}", "track is 5, expected text", id="number for a path"),
        pytest.param("data: {tests: one}", "tests is 'one', expected a list", id="no list"),
        pytest.param("data: {tests: [1]}", "tests is 1, expected text", id="list of numbers"),
        pytest.param("data: {resume: 1}", "resume is 1, expected true or false", id="no truth"),
        pytest.param("tracking: {experiment: ../x}", r"experiment is '\.\./x'", id="experiment"),
        pytest.param(f"run: {{steps: {BOMB}}}", r"steps is \[\[", id="aliases of aliases"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        read_goal_settings(written(tmp_path, text))


@pytest.mark.parametrize("text", ["pattern: 5", "run: null", "pattern: [1]"])
def test_pattern_and_steps_of_a_goal_do_not_hide_a_wrong_section(tmp_path: Path, text: str):
    with pytest.raises(GoalError, match="expected settings with values"):
        read_goal_settings(written(tmp_path, text), "alternating", 7)


@pytest.mark.parametrize(
    "text", ["password: hunter2", "[hunter2", "run: hunter2", "run: {hunter2: 1}", "hunter2: 1"]
)
def test_the_outline_of_a_refusal_repeats_nothing_of_a_file(tmp_path: Path, text: str):
    with pytest.raises(GoalError) as refused:
        read_goal_settings(written(tmp_path, text))
    assert "hunter2" not in refused.value.outline
    assert "password" not in refused.value.outline
    assert "settings.yaml" in refused.value.outline


@pytest.mark.parametrize("text", ["hunter2,b,c\n1,2,3", "x,y,colour\n1,2,hunter2", "hunter2: [1]"])
@pytest.mark.parametrize("field", ["track", "vehicle"])
def test_the_outline_repeats_nothing_of_a_file_that_settings_name(
    tmp_path: Path, field: str, text: str
):
    named = tmp_path / "secret.yaml"
    named.write_text(text)
    settings = read_goal_settings(written(tmp_path, f"data: {{{field}: {named}}}"))
    with pytest.raises(GoalError) as refused:
        check_goal(settings, tmp_path)
    assert "hunter2" not in refused.value.outline
    assert f"data.{field} is" in refused.value.outline


def test_settings_that_have_no_end_or_wait_for_a_writer_are_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(GoalError, match="expected a plain file"):
            read_goal_settings(path)
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * 2**21)
    with pytest.raises(GoalError, match="has 2097152 bytes, expected at most 1048576"):
        read_goal_settings(big)


@pytest.mark.parametrize(
    "output",
    ["/etc/runs", "runs/../../elsewhere", "elsewhere", "runs", ".", "~/elsewhere", "~nobody9/x",
     "runs/link/x", "runs/link", "runs/loop"],
)  # fmt: skip
def test_a_run_goes_nowhere_but_into_the_folder_of_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to("/tmp")
    (tmp_path / "runs" / "loop").symlink_to("loop")
    settings = read_goal_settings(written(tmp_path, f"data: {{output: '{output}'}}"))
    with pytest.raises(GoalError, match=r"data\.output is '"):
        run_folder(Path("runs"), settings)


def test_a_folder_below_that_of_the_node_may_be_named_in_any_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for output in ("runs/a", f"{tmp_path}/runs/a", "runs/b/../a"):
        settings = read_goal_settings(written(tmp_path, f"data: {{output: '{output}'}}"))
        assert run_folder(Path("runs"), settings) == tmp_path / "runs" / "a"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("tracking: {tracking_uri: 'sqlite:////etc/x.db'}", id="store elsewhere"),
        pytest.param("tracking: {tracking_uri: 'sqlite:///file:x?uri=true'}", id="store by URI"),
        pytest.param("tracking: {tracking_uri: 'file:///etc/runs'}", id="folder elsewhere"),
        pytest.param("tracking: {tracking_uri: '../mlruns'}", id="path elsewhere"),
        pytest.param("data: {resume: true}", id="resume without a folder"),
        pytest.param("data: {tests: [nowhere]}", id="no such drive"),
        pytest.param("data: {track: /dev/zero}", id="endless track"),
        pytest.param("data: {vehicle: no_such}", id="no such vehicle"),
        pytest.param("system: {weights: detector=/dev/zero}", id="endless weights"),
        pytest.param("system: {precision: fp16}", id="precision"),
    ],
)
def test_what_a_goal_may_not_name_is_refused_before_it_begins(tmp_path: Path, text: str):
    with pytest.raises((ValueError, OSError)) as refused:
        check_goal(read_goal_settings(written(tmp_path, text)), tmp_path / "runs")
    assert text.split("{")[1].split(":")[0] in str(refused.value)


def test_a_store_in_the_folder_of_the_node_or_on_a_server_may_be_named(tmp_path: Path):
    for uri in (f"sqlite:///{tmp_path}/mlflow.db", f"{tmp_path}/mlruns", "http://lab:5000"):
        text = f"tracking: {{tracking_uri: '{uri}'}}"
        check_goal(read_goal_settings(written(tmp_path, text)), tmp_path)


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
