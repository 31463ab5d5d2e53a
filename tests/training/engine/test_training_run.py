import csv
import dataclasses
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from car_stages import FILES, STAGES, saved_in
from safetensors.torch import load_file
from warm_python import WarmProcess

from conegrad_data.errors import ReplayError
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system_metrics import measure
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.training_run import (
    CHECKPOINT,
    Data,
    Run,
    RunConfig,
    TrainingConfig,
    run_training,
)
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import load_system
from conegrad_training.systems.system_config import SystemConfig

STEPS = 8
DEADLINE = 90.0  # [s] for the run that is killed
# A run in a process of its own; it stops for good in step 7, between two checkpoints.
KILLED = """
import pickle, sys, time
from pathlib import Path
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.training_run import run_training

config, bag, output = pickle.loads(Path(sys.argv[1]).read_bytes())

def progress(steps, done, total):
    for report in steps:
        if report.step == 6:
            Path(sys.argv[2]).touch()
            time.sleep(600)
        yield report

run_training(config, bag_data([bag]), output, progress=progress)
"""

# Another one, whose third sample presses Ctrl-C; the test runner cannot be hit by it.
INTERRUPT_CODE = 42  # its exit code if that ended it as it should
INTERRUPTED = """
import pickle, signal, sys
from pathlib import Path
from conegrad_core.losses import EndLoss
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.training_run import run_training

config, bag, output = pickle.loads(Path(sys.argv[1]).read_bytes())
calls, forward = [], EndLoss.forward

def interrupted(self, *arguments):
    calls.append(None)
    if len(calls) == 3:
        signal.raise_signal(signal.SIGINT)
    return forward(self, *arguments)

EndLoss.forward = interrupted
before = signal.default_int_handler
signal.signal(signal.SIGINT, before)  # also where whoever started the tests ignores it
try:
    run_training(config, bag_data([bag]), output)
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is before
    sys.exit(42)
"""


def own_process(program: str, folder: Path, given: object, *words: str) -> WarmProcess:
    """Start a program that reads what it is given from the file of its first argument."""
    settings = folder / "settings"
    settings.write_bytes(pickle.dumps(given))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return WarmProcess([sys.executable, "-c", program, str(settings), *words], env=environment)


@pytest.fixture
def config(system_config: SystemConfig) -> TrainingConfig:
    return TrainingConfig(
        run=RunConfig(
            steps=STEPS, batch=2, checkpoint_every=4, evaluation_frames=0, workers=0, threads=1
        ),
        system=system_config,
        pattern=PatternConfig("alternating", schedule="worst_term"),
    )


def differences(one: Path, other: Path) -> list[str]:
    """Tensors of any part of which a bit is another one."""
    found = []
    for part in STAGES:
        tensors, others = load_file(one / FILES[part]), load_file(other / FILES[part])
        assert tensors.keys() == others.keys()
        found += [
            f"{part}.{name}" for name in tensors if not torch.equal(tensors[name], others[name])
        ]
    return found


@pytest.mark.timeout(240)
def test_ctrl_c_within_a_step_keeps_that_step(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    run_training(config, bag_data([small_bag.path]), tmp_path / "whole")
    process = own_process(INTERRUPTED, tmp_path, (config, small_bag.path, tmp_path / "run"))
    assert process.wait(DEADLINE) == INTERRUPT_CODE
    rows = (tmp_path / "run" / "losses.csv").read_text().splitlines()
    assert 1 < len(rows) < STEPS  # the head, and the steps until the one of the interrupt
    run_training(config, bag_data([small_bag.path]), tmp_path / "run", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "run") == []
    assert len((tmp_path / "run" / "losses.csv").read_text().splitlines()) == STEPS + 1


def test_a_run_that_cannot_resume_says_that_it_starts_anew(
    config: TrainingConfig,
    small_bag: SimulatedBag,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    (tmp_path / "losses.csv").write_text("step\n0\n1\n")  # of a run that was killed early
    run = Run(config, bag_data([small_bag.path]), tmp_path)
    run.start(resume=True)
    assert (tmp_path / "losses.csv").read_text() == "step\n"
    short = replace(config, run=replace(config.run, steps=1))
    run_training(short, bag_data([small_bag.path]), tmp_path / "other", resume=True)
    assert "other/checkpoint.pt is missing: the run starts anew" in caplog.text


def test_a_map_that_the_cones_of_the_start_do_not_lie_on_is_doubted(
    config: TrainingConfig,
    small_bag: SimulatedBag,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(Run, "measure", lambda *_: {"precision": 0.03, "recall": 0.01})
    short = replace(config, run=replace(config.run, steps=1, evaluation_frames=1))
    run_training(short, bag_data([small_bag.path]), tmp_path / "recorded")
    assert caplog.text == ""
    run_training(short, bag_data([small_bag.path], track=small_bag.track), tmp_path / "map")
    assert f"{small_bag.track} (precision 0.03, recall 0.01)" in caplog.text


def test_a_killed_run_resumes_to_the_weights_of_an_uninterrupted_one(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    data = bag_data([small_bag.path])
    run_training(config, data, tmp_path / "whole")

    reached = tmp_path / "reached"
    given = (config, small_bag.path, tmp_path / "killed")
    process = own_process(KILLED, tmp_path, given, str(reached))
    deadline = time.monotonic() + DEADLINE
    while not reached.exists():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline, "the run did not reach step 7"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    checkpoint = torch.load(tmp_path / "killed" / CHECKPOINT, weights_only=True)
    assert checkpoint["step"] == 4  # steps 5 to 7 were lost and are done again
    run_training(config, data, tmp_path / "killed", resume=True)
    assert differences(tmp_path / "killed", tmp_path / "whole") == []
    tables = [(tmp_path / name / "losses.csv").read_text() for name in ("killed", "whole")]
    columns = [[row[:6] for row in csv.reader(table.splitlines())] for table in tables]
    assert columns[0] == columns[1]
    costs = [
        json.loads((tmp_path / name / "run.json").read_text())["cost"]
        for name in ("killed", "whole")
    ]
    for cost in costs:
        del cost["seconds"]
    assert costs[0] == costs[1]


def test_a_run_writes_weights_metrics_and_a_picture(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    config = dataclasses.replace(
        config, run=dataclasses.replace(config.run, steps=2, evaluation_frames=3)
    )
    measured: list[int] = []

    def measuring(samples: Iterable[Sample], count: int) -> Iterable[Sample]:
        measured.append(count)
        return samples

    headlines = run_training(config, bag_data([small_bag.path]), tmp_path, measuring=measuring)
    assert measured == [3, 3]  # before and after
    assert set(headlines) == {"before", "after"}
    summary = json.loads((tmp_path / "run.json").read_text())
    assert summary["metrics"]["after"]["f1_colour"] == headlines["after"]["f1_colour"]
    assert summary["cost"]["steps"] == 2
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
    trained = load_system(saved_in(tmp_path, config.system))
    start = load_system(config.system)
    for name, module in trained.stages.items():
        before = start.stages[name].state_dict()
        assert any(
            not torch.equal(before[key], value) for key, value in module.state_dict().items()
        )


def test_never_overwrites_a_run_unasked(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    (tmp_path / CHECKPOINT).touch()
    with pytest.raises(ReplayError, match=r"checkpoint\.pt exists; resume that run \(--resume\)"):
        run_training(config, bag_data([small_bag.path]), tmp_path)


def test_refuses_to_resume_with_other_settings(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    short = dataclasses.replace(config, run=dataclasses.replace(config.run, steps=1))
    run_training(short, bag_data([small_bag.path]), tmp_path)
    with pytest.raises(ValueError, match=r"run\.steps = 1 \(now 8\)"):
        run_training(config, bag_data([small_bag.path]), tmp_path, resume=True)


@pytest.mark.parametrize("pattern", ["individual", "individual_then_simultaneous"])
def test_individual_training_on_a_bag_is_refused_before_it_begins(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path, pattern: str
):
    config = replace(config, pattern=PatternConfig(pattern))
    with pytest.raises(ReplayError, match="has no labels boxes for the stage detector"):
        run_training(config, bag_data([small_bag.path]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_needs_a_bag():
    with pytest.raises(ReplayError, match="no bags are given"):
        bag_data([])


def test_perfect_boxes_and_beams_give_perfect_part_metrics(
    system_config: SystemConfig, labelled: list[Sample], monkeypatch: pytest.MonkeyPatch
):
    system = load_system(system_config)

    def values(samples, ports):
        from conegrad_core.camera.image import Detections
        from conegrad_core.lidar.scan import SegmentedScan

        (sample,) = samples
        classes = sample.labels["boxes"].classes
        logits = torch.full((len(classes), 4), -9.0)
        logits[torch.arange(len(classes)), classes] = 9.0
        beams = torch.where(sample.labels["beams"], 9.0, -9.0)
        scan = sample.inputs["scan"]
        return {
            "detections": [Detections(sample.labels["boxes"].boxes_xyxy, logits)],
            "segmentation": [SegmentedScan(scan.ranges, scan.angles, beams)],
        }

    monkeypatch.setattr(system, "values", values)
    headline = measure(system, labelled, EvaluationConfig(max_range=12.0)).headline()
    assert headline["mAP50"] == 1.0
    assert headline["beam_f1"] == 1.0
    assert headline["recall"] > 0.8


def test_metrics_of_a_drive_have_no_part_metrics(system_config: SystemConfig, replay: BagReplay):
    headline = measure(load_system(system_config), [replay[0]], EvaluationConfig()).headline()
    assert set(headline) == {"f1_colour", "f1", "precision", "recall", "rmse"}


def test_the_rates_fall_evenly_to_the_share_that_is_left(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    settings = dataclasses.replace(config.run, steps=3, final_rate=0.5)
    run = Run(
        dataclasses.replace(config, run=settings), bag_data([small_bag.path]), tmp_path / "run"
    )
    run.start(resume=False)
    rates = [[group["lr"] for group in run._optimizer.param_groups] for _ in run.steps()]
    # Of the steps after the first, the second, and one that is never made.
    assert rates[0] == pytest.approx([0.75 * 2e-4, 0.75 * 1e-3, 0.75 * 5e-3])
    assert rates[1] == pytest.approx([0.5 * 2e-4, 0.5 * 1e-3, 0.5 * 5e-3])


def test_the_detector_has_a_rate_for_each_loss(
    config: TrainingConfig, labelled: list[Sample], tmp_path: Path
):
    config = replace(
        config,
        run=replace(config.run, steps=3, final_rate=1.0),
        pattern=PatternConfig("individual_then_simultaneous", first_steps=2),
    )
    run = Run(config, Data(labelled, labelled, ("simulated",)), tmp_path / "run")
    run.start(resume=False)
    rates = [run._optimizer.param_groups[0]["lr"] for _ in run.steps()]
    assert rates == pytest.approx([5e-4, 2e-4, 2e-4])  # each is that of the next step


def test_the_steps_before_a_batch_that_cannot_be_read_are_kept(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = replace(config, run=replace(config.run, workers=0, checkpoint_every=STEPS))
    read = BagReplay.__getitem__
    calls = []

    def broken(self: BagReplay, place: int) -> Sample:
        calls.append(place)
        if len(calls) > 2 * config.run.batch:
            raise ReplayError("drive, message 7: not an image")
        return read(self, place)

    monkeypatch.setattr(BagReplay, "__getitem__", broken)
    run = Run(config, bag_data([small_bag.path]), tmp_path)
    run.start(resume=False)
    with pytest.raises(ReplayError, match="message 7"):
        run.take_steps()
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["step"] == 2
