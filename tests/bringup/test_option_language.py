"""The options of all commands: documented, with their defaults, under one name for one thing."""

import argparse
import importlib
import re
from collections import defaultdict

import pytest

from conegrad_bringup.command_line import COMMANDS, main
from conegrad_bringup.option_parser import OptionParser

# Commands that print what they find, or change the store of systems alone.
READ_ONLY = (
    *("info", "doctor", "view", "monitor check"),
    *(f"system {word}" for word in ("log", "list", "diff", "promote", "rollback")),
    *(f"system {word}" for word in ("import", "verify")),
)
# Options that one word describes well enough, although they count or draw other things.
OWN_MEANING = {
    *("--batch", "--frames", "--evaluation-frames", "--every", "--workers", "--threads"),
    *("--seed", "--seconds", "--domain", "--start-timeout", "--held-out", "--quality"),
    *("--stages", "--engine", "--precision", "--device", "--weights", "--output", "-o"),
    *("--input-width", "--input-height", "--match-distance", "--max-range", "--set"),
    *("--steps", "--sensors"),  # of a training, of an attack
    *("--track", "--lidar"),  # of a simulation: the course and the sensor that are simulated
}


@pytest.fixture(scope="module")
def parsers():
    """Parser of each command by its name."""
    made = {}
    for name, command in COMMANDS.items():
        module = importlib.import_module(f"conegrad_bringup.commands.{command.module}")
        made[name] = OptionParser(prog=f"conegrad {name}")
        module.add_arguments(made[name])
    return made


def shown(parser):
    return [action for action in parser._actions if action.help != argparse.SUPPRESS]


def test_every_option_is_described(parsers):
    for name, parser in parsers.items():
        for action in shown(parser):
            option = (action.option_strings or [action.dest])[-1]
            assert action.help, f"{name} {option} says nothing"
            assert action.help[0].isupper() or not action.help[0].isalpha(), f"{name} {option}"


def test_every_option_that_takes_a_value_tells_its_default(parsers):
    silent = [
        f"{name} {action.option_strings[-1]}: {action.help}"
        for name, parser in parsers.items()
        for action in shown(parser)
        if action.option_strings and action.nargs != 0 and not action.required
        if not any(word in action.help for word in ("default:", "empty:", "none:"))
    ]
    assert silent == []


def test_one_option_has_one_meaning_in_all_commands(parsers):
    meanings = defaultdict(dict)
    for name, parser in parsers.items():
        for action in shown(parser):
            for option in action.option_strings:
                meanings[option][re.split(r" \(|[;:,]", action.help)[0]] = name
    differing = {
        option: texts
        for option, texts in meanings.items()
        if len(texts) > 1 and option not in OWN_MEANING and not option.startswith("--no-")
    }
    assert differing == {}


def test_every_command_that_writes_takes_o(parsers):
    without = {
        name for name, parser in parsers.items() if "-o" not in parser._option_string_actions
    }
    assert without == set(READ_ONLY)


def test_words_that_are_checked_are_listed(parsers):
    helps = {action.dest: action.help for action in shown(parsers["train"])}
    assert "(round_robin, worst_term or attribution)" in helps["schedule"]
    assert "(default: round_robin)" in helps["schedule"]


@pytest.mark.parametrize(
    ("words", "today", "line"),
    [
        ("train --rates detector=0.5", "--learning-rates", "  rates: [detector=0.5]"),
        (
            "train --supervised-rates detector=0.5",
            "--supervised-learning-rates",
            "  supervised_rates: [detector=0.5]",
        ),
        ("robustness --faults no_scan", "--disturbances", "disturbances: [no_scan]"),
        ("perceive --params a.yaml", "--params-file", "params_file: [a.yaml]"),
        ("sweep --figure recall", "--metric", "figure: recall"),
        ("forecast --judge", "--review", "review: true"),
        ("train-keypoints --images 7", "--frames", "images: 7"),
        ("import --frames :8", "--part", "part: :8"),
        ("attribute --system car", "--pipeline", "pipeline: car"),
        ("compare --fork-strategy merged", "--fork-strategies", "fork_strategies: [merged]"),
    ],
)
def test_a_former_name_still_works_with_one_line_of_notice(words, today, line, capsys, caplog):
    assert main([*words.split(), "--print-config"]) == 0
    assert f"{words.split()[1]} is now {today} (until " in caplog.text
    assert caplog.text.count("is now") == 1
    assert any(row.startswith(line) for row in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("train -o x --pattern simultanous", "did you mean simultaneous?"),
        ("train -o x --schedule round_robn", "did you mean round_robin?"),
        ("simulate -o x --world dsk_rain", "did you mean dusk_rain?"),
        ("simulate -o x --lidar os1-46", "did you mean os1-64?"),
        ("simulate -o x --track skipad", "did you mean skidpad?"),
        ("perceive x -o y --stages appart", "did you mean apart?"),
        ("export camera_lidar -o x --engine opnvino", "did you mean openvino?"),
        ("compare -o x --patterns simultanous", "did you mean simultaneous?"),
        ("compare -o x --scenarios domain_shft", "did you mean domain_shift?"),
        ("train-camera -o x --level mixd", "did you mean mixed?"),
    ],
)
def test_a_word_that_is_nearly_one_of_those_allowed_is_suggested(
    words, meant, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 1
    assert meant in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_action_that_is_nearly_one_of_those_allowed_is_suggested(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["pipeline", "shw"])
    assert ended.value.code == 2
    assert "did you mean show?" in capsys.readouterr().err


def test_usage_after_an_error_is_one_line_with_what_is_required(capsys):
    with pytest.raises(SystemExit):
        main(["train"])
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "conegrad train: the following arguments are required: -o/--output",
        "usage: conegrad train -o OUTPUT [BAG ...] [OPTION ...]; see 'conegrad train --help'.",
    ]


def test_a_track_that_crosses_itself_is_not_offered_to_the_driver(capsys, tmp_path, parsers):
    assert main(["drive", "-o", str(tmp_path / "lap"), "--track", "skidpad"]) == 1
    assert "--track is skidpad, which crosses itself" in capsys.readouterr().err
    assert not (tmp_path / "lap").exists()
    helps = {action.dest: action.help for action in parsers["drive"]._actions}
    assert "skidpad" not in helps["track"]


def test_help_may_be_a_word(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["help", "system", "show"])
    assert ended.value.code == 0
    assert "usage: conegrad system show SYSTEM" in capsys.readouterr().out
