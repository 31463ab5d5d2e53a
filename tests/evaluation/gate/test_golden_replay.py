from types import SimpleNamespace

import numpy as np
import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.decision import Answer
from conegrad_evaluation.gate.gate import Recording, run_gate
from conegrad_evaluation.gate.golden_replay import GoldenReplay
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample, SampleKey

STEP_NS = 100_000_000


class StandInSystem:
    """Finds every ``misses``-th cone not, and notes what it was given."""

    def __init__(self, name, calls, misses=0, inputs=("Image", "Scan")):
        specification = SimpleNamespace(inputs={kind: kind for kind in inputs})
        self.pipeline = SimpleNamespace(specification=specification)
        self._name, self._calls, self._misses = name, calls, misses

    def eval(self):
        return self

    def __call__(self, samples):
        (sample,) = samples
        self._calls.append((self._name, sample.key.frame))
        rows = torch.arange(len(sample.truth.positions))
        if sample.inputs["image"] is None:
            rows = rows[:0]
        elif self._misses:
            rows = rows[(rows + sample.key.frame) % self._misses != 0]
        colours = torch.nn.functional.one_hot(sample.truth.classes[rows], 5).float()
        return [
            Cones(
                sample.truth.positions[rows],
                torch.eye(2).expand(len(rows), 2, 2),
                colours,
                torch.full((len(rows),), 3.0),
                torch.full((len(rows),), 3),
            )
        ]


def samples(count):
    image = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    positions = torch.tensor([[3.0 + k, 2.0 * (-1) ** k] for k in range(8)])
    seen = torch.ones(8, dtype=torch.bool)
    truth = TrueCones(positions, torch.arange(8) % 2, seen, seen)
    for frame in range(count):
        key = SampleKey("lap", frame, frame * STEP_NS)
        yield Sample({"image": image, "scan": None}, FrameContext(), truth, key)


def test_both_systems_get_each_frame_in_turns():
    calls = []
    old, new = StandInSystem("old", calls), StandInSystem("new", calls)
    replay = GoldenReplay(old, new, EvaluationConfig()).run(samples(2), "lap")
    assert calls[6:] == [("old", 0), ("new", 0), ("new", 1), ("old", 1)]  # after the warm-up
    assert [len(results) for results in replay.results] == [2, 2]
    assert replay.period == 0.1


def test_some_frames_are_disturbed():
    old, new = StandInSystem("old", []), StandInSystem("new", [])
    faults = {"no image": lambda sample: sample._replace(inputs={"image": None, "scan": None})}
    replaying = GoldenReplay(old, new, EvaluationConfig(), faults, every=2)
    replay = replaying.run(samples(5), "lap")
    assert replay.disturbed_rows == [0, 2, 4]
    assert [len(found.positions) for found in replay.disturbed["no image"][0]] == [0, 0, 0]


def test_both_are_compared_with_what_a_sensor_of_either_could_see():
    old, new = StandInSystem("old", []), StandInSystem("new", [], inputs=("Image",))
    (sample,) = samples(1)
    truth = sample.truth._replace(visible_camera=torch.zeros(8, dtype=torch.bool))
    replay = GoldenReplay(old, new, EvaluationConfig()).run([sample._replace(truth=truth)], "lap")
    assert [results[0].counted.sum() for results in replay.results] == [8, 8]


def test_the_gate_holds_a_system_that_misses_more():
    calls = []
    old, new = StandInSystem("old", calls, misses=8), StandInSystem("new", calls, misses=4)
    budgets = Budgets(block_seconds=0.5, max_latency_ratio=1e6)
    result = run_gate(old, new, [Recording("lap", samples(200))], budgets=budgets)
    assert result.decision.answer == Answer.HOLD
    assert result.frames == {"lap": 200}
    assert result.blocks == {"lap": 5}
    assert [e.recall for e in result.evaluations] == [7 / 8, 6 / 8]
    assert 0 < result.coverage.share < 1
