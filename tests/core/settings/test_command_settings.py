"""Settings of a command: from files, words and options, and printed as a file."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings, Group, NodeParameters


@dataclass(frozen=True)
class Own(Config):
    """Settings of this test."""

    track: str = setting("", "Map of the cones")
    topic: tuple[str, ...] = setting((), "Topics", metavar="ROLE=TOPIC", is_repeated=True)
    seeds: tuple[int, ...] = setting((1, 2), "Seeds", low=0)
    reach: float | None = setting(None, "How far [m]", low=0.1)


@dataclass(frozen=True)
class Run(Config):
    """Settings of this test."""

    steps: int = setting(5, "How many, 100 % of them", low=1, aliases=("iterations",))
    first: int = setting(0, "Of them", low=0)
    quick: bool = setting(True, "In a hurry", aliases=("fast",))
    lost: tuple[float, float] = setting((0.0, 0.0), "From, to [s]")
    fixed: int = setting(7, "Not offered")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first > self.steps:
            raise self.refusal("first", f"is {self.first}, expected at most {self.steps}")


@dataclass(frozen=True)
class Loss(Config):
    """Settings of this test."""

    weight: float = setting(1.0, "Of recall", low=0.0)


@dataclass(frozen=True)
class Metric(Config):
    """Settings of this test."""

    distance: float = setting(0.5, "[m]", low=0.0)


KINDS = {"detector.threads": int, "min_existence": float, "detector.engine": str}
SETTINGS = CommandSettings(
    {
        "": Own(),
        "run": Group(Run(steps=6), leave_out=("fixed",)),
        "loss": Group(Loss(), words="--loss"),
        "metric": Group(Metric(), is_flat=False),
    },
    {
        "": NodeParameters("--set", "detector.engine=onnx", lambda groups: KINDS),
        "driver": NodeParameters("--set-driver", "speed=5.0", lambda groups: {"speed": float}),
    },
)


def parse(*words):
    parser = argparse.ArgumentParser()
    SETTINGS.add_to(parser)
    return SETTINGS.read(parser.parse_args(words))


@pytest.fixture
def file(tmp_path):
    """Function that writes a settings file and returns its options."""

    def file(text, name="mine.yaml"):
        (tmp_path / name).write_text(text)
        return ["--config", str(tmp_path / name)]

    return file


@dataclass(frozen=True)
class RunAndLoss:
    """Two groups in one."""

    loss: Loss
    run: Run


def test_groups_are_gathered_in_a_dataclass_by_the_names_of_its_fields():
    parser = argparse.ArgumentParser()
    SETTINGS.add_to(parser)
    settings = SETTINGS.read(parser.parse_args(["--steps", "9", "--loss", "weight=0.5"]))
    assert settings.gathered(RunAndLoss) == RunAndLoss(Loss(weight=0.5), Run(steps=9))


def test_without_words_the_defaults_of_the_command_hold():
    settings = parse()
    assert settings[Own] == Own()
    assert settings[Run] == Run(steps=6)
    assert settings.parameters == {"": {}, "driver": {}}


def test_options_give_values_of_all_kinds():
    settings = parse(
        "--track", "a.csv", "--topic", "image=/a", "--topic", "scan=/b", "--seeds", "3", "4",
        "--reach", "2", "--no-quick", "--lost", "1", "2.5", "--loss", "weight=2",
    )  # fmt: skip
    assert settings[Own] == Own("a.csv", ("image=/a", "scan=/b"), (3, 4), 2.0)
    assert settings[Run] == Run(6, quick=False, lost=(1.0, 2.5))
    assert settings[Loss] == Loss(2.0)


def test_options_replace_words_and_words_replace_files(file):
    first = file("run: {steps: 7, first: 1}\ntrack: a\nmin_existence: 1\n", "first.yaml")
    second = file("run: {steps: 8}\ndetector: {threads: 2}\ndriver: {speed: 3}\n")
    settings = parse(*first, *second)
    assert settings[Run] == Run(8, 1)
    assert settings[Own].track == "a"
    assert settings.parameters == {
        "": {"min_existence": 1.0, "detector.threads": 2},
        "driver": {"speed": 3.0},
    }
    words = ["--set", "run.steps=9", "--set", "detector.threads=3", "--set-driver", "speed=4"]
    settings = parse(*second, *words)
    assert settings[Run].steps == 9
    assert settings.parameters == {"": {"detector.threads": 3}, "driver": {"speed": 4.0}}
    assert parse(*second, *words, "--steps", "10")[Run].steps == 10
    assert parse("--set", "metric.distance=2")[Metric].distance == 2.0
    assert parse("--set", "loss.weight=2", "--loss", "weight=3")[Loss].weight == 3.0


def test_parameters_may_be_written_with_points_in_a_file(file):
    assert parse(*file("detector.threads: 2"))[Run] == Run(6)
    assert parse(*file("detector.threads: 2")).parameters[""] == {"detector.threads": 2}


def test_an_empty_file_changes_nothing(file):
    assert parse(*file("# nothing\n"))[Run] == Run(6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run:\n  steps: 0\n", "mine.yaml:2: run.steps is 0, expected at least 1"),
        ("run:\n  steps: many\n", "mine.yaml:2: run.steps is 'many', expected a whole number"),
        ("run:\n  step: 1\n", r"mine.yaml:2: run.step is unknown, did you mean run.steps\?"),
        ("run:\n  fixed: 1\n", "mine.yaml:2: run.fixed is not a setting of this command"),
        ("run: 5", "mine.yaml:1: run is 5, expected settings with values"),
        ("\nseeds: [-1]", "mine.yaml:2: seeds is -1, expected at least 0"),
        ("run:\n  first: 9", "mine.yaml:2: run.first is 9, expected at most 6"),
        ("\ndetector:\n  threads: x", "mine.yaml:3: parameter detector.threads is 'x', expected"),
        (
            "\ndetector:\n  thread: 1",
            r"mine.yaml:3: parameter detector.thread is unknown, did you mean detector.threads\?",
        ),
        ("zzz: 1", "mine.yaml:1: parameter zzz is unknown: docs/parameters.md lists all"),
        ("driver: 1", "mine.yaml:1: parameter driver is 1, expected parameters with values"),
        ("driver: {sped: 1}", r"mine.yaml:1: parameter sped is unknown, did you mean speed\?"),
        ("- 1", "mine.yaml holds a list, expected settings"),
        ("run: [", "mine.yaml: invalid YAML in line 1, column 7"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(file, text, message):
    with pytest.raises(ValueError, match=message):
        parse(*file(text))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--set", "run.steps=0"], "--set run.steps is 0, expected at least 1"),
        (["--set", "run.stps=1"], r"--set run.stps is unknown, did you mean run.steps\?"),
        (["--set", "detector.threads=x"], "^parameter detector.threads is 'x', expected"),
        (["--set-driver", "sped=1"], r"^parameter sped is unknown, did you mean speed\?"),
        (["--loss", "weigth=1"], r"--loss weigth is unknown, did you mean weight\?"),
        (["--loss", "weight=-1"], "--loss weight is -1.0, expected at least 0.0"),
        (["--set", "metric.distance=-1"], "--set metric.distance is -1.0, expected at least"),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_is_wrong_in_a_word_is_named_as_it_was_typed(words, message):
    with pytest.raises((ValueError, OSError), match=message):
        parse(*words)


def test_a_default_that_does_not_fit_is_named_by_the_option_that_would_give_it():
    settings = CommandSettings({"run": Run(first=4)})
    parser = argparse.ArgumentParser()
    settings.add_to(parser)
    with pytest.raises(ValueError, match=r"^--first is 4, expected at most 2"):
        settings.read(parser.parse_args(["--steps", "2"]))


@pytest.mark.parametrize(("words", "shown"), [(["--steps", "x"], "is 'x'"), (["--lost", "1"], "")])
def test_a_word_of_another_kind_ends_with_the_usage(words, shown, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*words)
    assert ended.value.code == 2
    assert f"argument {words[0]}: {shown}" in capsys.readouterr().err


def test_an_earlier_option_is_taken_with_a_warning_and_not_shown(caplog, capsys):
    with caplog.at_level(logging.WARNING):
        assert parse("--iterations", "9", "--no-fast")[Run] == Run(9, quick=False)
    assert caplog.messages == [
        "--iterations is now --steps (until 0.3)",
        "--fast is now --quick (until 0.3)",
    ]
    with pytest.raises(SystemExit):
        parse("--help")
    told = capsys.readouterr().out
    assert "How many, 100 % of them (default: 6)" in " ".join(told.split())
    assert "--iterations" not in told
    assert "--fixed" not in told


def test_printed_settings_are_a_file_that_gives_the_same_settings(tmp_path):
    words = [
        "--topic", "image=/a", "--reach", "2", "--no-quick", "--loss", "weight=1e-5",
        "--set", "detector.engine='1e-3'", "--set-driver", "speed=4",
    ]  # fmt: skip
    settings = parse(*words)
    text = settings.as_yaml("Settings of a test")
    path = tmp_path / "printed.yaml"
    path.write_text(text)
    again = parse("--config", str(path))
    for config_class in (Own, Run, Loss, Metric):
        assert again[config_class] == settings[config_class]
    assert again.parameters == settings.parameters
    assert again.as_yaml("Settings of a test") == text
    assert "steps: 6  # How many, 100 % of them" in text
    assert "fixed" not in text


def test_paths_are_written_as_text(tmp_path):
    @dataclass(frozen=True)
    class Files(Config):
        params: tuple[Path, ...] = setting((), "Files", is_repeated=True)

    settings = CommandSettings({"": Files()})
    parser = argparse.ArgumentParser()
    settings.add_to(parser)
    read = settings.read(parser.parse_args(["--params", "a/b", "--params", "c"]))
    assert read[Files].params == (Path("a/b"), Path("c"))
    assert "params: [a/b, c]  # Files" in read.as_yaml("x")
