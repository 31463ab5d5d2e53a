import json

import numpy as np
import pytest

from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.coverage.conditions import FrameConditions
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.gate import judge
from conegrad_evaluation.gate.gate_report import as_text, write_gate
from conegrad_evaluation.gate.golden_replay import Replay
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult

SYSTEMS = {"old": "car/1", "new": "car/2"}


def frame(found):
    """A frame with eight cones of which some are found, in their colours."""
    places = np.stack([np.arange(2.0, 10.0), np.zeros(8)], axis=1)
    rows = np.flatnonzero(found)
    seen = np.ones(8, dtype=bool)
    return FrameResult(
        places[rows], np.eye(2)[None].repeat(len(rows), 0), np.zeros(len(rows), np.int64),
        np.full(len(rows), 0.9), np.full(len(rows), 3), rows, np.zeros(len(rows), bool),
        places, np.zeros(8, np.int64), seen, seen, seen, np.zeros(8),
    )  # fmt: skip


@pytest.fixture(scope="module", name="result")
def result_fixture():
    random = np.random.default_rng(0)
    replay = Replay("lap")
    for index in range(120):
        replay.stamps_ns.append(index * 100_000_000)
        cones = {name: np.zeros(8, np.int64) for name in ("range", "colour", "occlusion")}
        of_frame = {"light": "day", "speed": "slow", "sensors": "both", "track": "left"}
        replay.conditions.append(FrameConditions(of_frame, cones))
        for system, chance in enumerate((0.8, 0.95)):
            replay.results[system].append(frame(random.random(8) < chance))
            replay.seconds[system].append(0.02 + 0.001 * random.random())
    replay.disturbed = {"blur": (replay.results[0][::4], replay.results[1][::4])}
    replay.disturbed_rows = list(range(0, 120, 4))
    budgets = Budgets(block_seconds=0.5, max_loss_scenario=0.2)
    return judge([replay], budgets, EvaluationConfig(max_range=12.0), ConditionSpace())


def test_the_files_hold_the_answer_and_what_is_missing(result, tmp_path):
    report = write_gate(result, tmp_path, SYSTEMS, ConditionSpace())
    text = report.read_text()
    assert "Gate: car/1 to car/2" in text
    assert "blur" in text
    values = json.loads((tmp_path / "gate.json").read_text())
    assert (values["answer"], values["exit_code"]) == ("promote", 0)
    assert values["coverage"]["suggestions"][0]["drive"]["light"] != "day"
    names = [finding["name"] for finding in values["findings"]]
    assert {"all frames", "range 5-10 m", "class blue", "disturbed blur", "latency"} <= set(names)


def test_the_text_starts_with_the_answer(result):
    lines = as_text(result).splitlines()
    assert lines[0] == "promote"
    assert lines[1].startswith("  all frames: f1_colour 0.8")
    assert lines[-1].startswith("  would teach most: light ")


def test_bins_beyond_the_largest_range_are_not_asked_for(result):
    asked = {value for pair in result.coverage.required for value in pair}
    assert ("range", "10-15 m") in asked
    assert ("range", "15-20 m") not in asked
