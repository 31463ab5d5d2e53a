"""conegrad system gate: its answers as exit codes, and what it promotes."""

from types import SimpleNamespace

import pytest

from conegrad_bringup.command_line import main
from conegrad_bringup.commands.system import gate
from conegrad_core.system_record.store import SystemStore
from conegrad_evaluation.gate.decision import Answer, Decision


@pytest.fixture(name="store")
def store_fixture(tmp_path, monkeypatch):
    """An empty store; systems are not loaded, bags are not replayed."""
    monkeypatch.setenv("CONEGRAD_SYSTEMS", str(tmp_path / "systems"))
    monkeypatch.setattr(gate, "load_referenced", lambda reference: reference)
    monkeypatch.setattr(gate, "write_gate", lambda result, folder, names, space: folder)
    monkeypatch.setattr(gate, "as_text", lambda result: result.decision.answer.name)
    return SystemStore()


def answers(monkeypatch, answer):
    result = SimpleNamespace(decision=Decision(answer, (), 0))
    calls = []

    def replay(*arguments):
        calls.append(arguments)
        return result

    monkeypatch.setattr(gate, "gate_bags", replay)
    return calls


@pytest.mark.parametrize(
    ("answer", "code"), [(Answer.PROMOTE, 0), (Answer.HOLD, 1), (Answer.UNDECIDED, 3)]
)
def test_the_answer_is_the_exit_code(store, monkeypatch, capsys, answer, code):
    calls = answers(monkeypatch, answer)
    words = ["camera_lidar", "camera_keypoints", "--bags", "drive", "--every", "2"]
    assert main(["system", "gate", *words]) == code
    assert capsys.readouterr().out.splitlines() == [answer.name, "report: gate"]
    assert calls[0][:2] == ("camera_lidar", "camera_keypoints")
    assert calls[0][3].every == 2


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["car", "car"], "car and car are the same system"),
        (["car@champion", "car"], "system 'car' is unknown"),
        (["car", "other", "--promote"], "'other' names no version"),
        (["car", "other", "--budgets", "none.yaml"], "none.yaml"),
    ],
)
def test_an_error_is_not_an_answer(store, monkeypatch, capsys, words, fault):
    answers(monkeypatch, Answer.PROMOTE)
    assert main(["system", "gate", *words, "--bags", "drive"]) == 2
    assert fault in capsys.readouterr().err
