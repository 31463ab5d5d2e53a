"""Every pattern and fork strategy on the pipelines of every shape, with untrained weights."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from conegrad_core.camera.image import TrueStanding
from conegrad_core.losses import EndLoss
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system_metrics import measure
from conegrad_training.engine.loop import StepReport, train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.shared_copies import SharedCopies
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import CHECKPOINT, Data, Run, RunConfig, TrainingConfig
from conegrad_training.patterns.forking import ForkConfig, branch_weights, system_fork
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

SHAPES = ("camera_keypoints", "camera_fork", "camera_lidar_keypoints", "camera_fork_standing")
FORKS = ("camera_fork", "camera_fork_standing")
PATTERNS = {
    "individual": PatternConfig("individual"),
    "partial": PatternConfig("partial", ("keypoints",)),
    "simultaneous": PatternConfig("simultaneous"),
    "alternating": PatternConfig("alternating"),
    "fusion_only": PatternConfig("fusion_only"),
    "statistics_only": PatternConfig("statistics_only"),
    "individual_then_simultaneous": PatternConfig("individual_then_simultaneous", first_steps=1),
    "individual_then_fusion_only": PatternConfig("individual_then_fusion_only", first_steps=1),
}
State = dict[str, dict[str, Tensor]]


@pytest.fixture
def config_of(system_config: SystemConfig, tmp_path_factory: pytest.TempPathFactory):
    """Settings of a pipeline whose networks are untrained."""

    @cache
    def found(pipeline: str) -> SystemConfig:
        folder: Path = tmp_path_factory.mktemp("untrained")
        classes = SystemConfig(pipeline=pipeline).classes
        given = dict(word.split("=", 1) for word in system_config.weights)
        weights = {name: given[name] for name in classes if name in given}
        torch.manual_seed(11)
        for name, of_stage in classes.items():
            if of_stage.weights_file and name not in given:
                weights[name] = str(folder / of_stage.weights_file)
                of_stage(of_stage.config_class()).save(folder / of_stage.weights_file)
        return replace(system_config, pipeline=pipeline, weights=()).with_weights(weights)

    return found


@pytest.fixture
def system_of(config_of):
    return lambda pipeline: load_system(config_of(pipeline))


@pytest.fixture
def samples(labelled: list[Sample]) -> list[Sample]:
    return labelled[:2]


def steps(
    system: TrainableSystem,
    samples: Sequence[Sample],
    pattern: PatternConfig,
    count: int,
    fork: ForkConfig | None = None,
) -> tuple[list[StepReport], list[State], TrainingCost]:
    """Reports of some steps on one batch, and the state of all stages after each."""
    cost, optimizer = TrainingCost(), make_optimizer(system, OptimizerConfig())
    copies = None
    if fork is not None and fork.fork_strategy == "federated":
        found = system_fork(system)
        copies = SharedCopies(system.stages[found.shared], optimizer, branch_weights(fork, found))
    reports, states = [], [state_of(system)]
    for report in train(
        system,
        [list(samples)] * count,
        make_pattern(pattern, system, fork),
        EndLoss(),
        optimizer,
        cost=cost,
        adapt_statistics=True,
        copies=copies,
    ):
        reports.append(report)
        states.append(state_of(system))
    return reports, states, cost


def state_of(system: TrainableSystem) -> State:
    return {name: copy.deepcopy(stage.state_dict()) for name, stage in system.stages.items()}


def changed(before: State, after: State) -> set[str]:
    """Stages of which any bit is another one."""
    return {
        name
        for name, of_stage in before.items()
        if any(not torch.equal(value, after[name][key]) for key, value in of_stage.items())
    }


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("pipeline", SHAPES)
def test_a_stage_that_does_not_learn_stays_bit_identical(
    pipeline: str, pattern: str, system_of, samples: list[Sample]
):
    system = system_of(pipeline)
    reports, states, _ = steps(system, samples, PATTERNS[pattern], 2)
    for report, before, after in zip(reports, states[:-1], states[1:], strict=True):
        assert all(torch.isfinite(torch.tensor(list(report.losses.values()))))
        if pattern == "statistics_only":
            assert changed(before, after) <= {"detector", "segmenter"}
        else:
            assert report.stages
            assert changed(before, after) <= report.stages
    end = {"individual", "statistics_only"}
    if pattern not in end:
        assert changed(states[0], states[-1]) & set(system.end_stages)


@pytest.mark.parametrize("pipeline", SHAPES)
def test_individual_training_runs_each_network_on_what_is_before_it_once(
    pipeline: str, system_of, samples: list[Sample]
):
    system = system_of(pipeline)
    calls: list[str] = []
    for name, stage in system.pipeline.stages.items():
        stage.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
    reports, states, cost = steps(system, samples, PATTERNS["individual"], 1)
    assert reports[0].stages == set(system.supervised_stages)
    assert len(calls) == len(set(calls))
    # Twice: for its own loss, and for the networks that read from it.
    assert cost.forward["detector"] == 2 * len(samples)
    assert cost.backward["detector"] == len(samples)
    needs = cost.to_dict()["label_values_by_need"]
    assert set(needs) == set(system.supervised_stages)
    assert all(values > 0 for values in needs.values())
    counts = [v for k, v in states[1]["detector"].items() if k.endswith("num_batches_tracked")]
    before = [v for k, v in states[0]["detector"].items() if k.endswith("num_batches_tracked")]
    assert {int(now - then) for now, then in zip(counts, before, strict=True)} == {1}


def test_merged_with_equal_weights_is_the_end_loss(system_of, samples: list[Sample]):
    simultaneous, merged = (system_of("camera_fork") for _ in range(2))
    steps(simultaneous, samples, PatternConfig(), 1)
    steps(merged, samples, PatternConfig(), 1, ForkConfig("merged"))
    for name, of_stage in state_of(simultaneous).items():
        for key, value in of_stage.items():
            torch.testing.assert_close(merged.stages[name].state_dict()[key], value)


def test_weights_of_branches_are_those_of_their_terms(system_of):
    system = system_of("camera_fork")
    weights = ForkConfig("merged", branch_weights=("keypoints=3", "classifier=0"))
    update = make_pattern(PatternConfig(), system, weights).update(0)
    assert update.terms == {"position": 3.0, "covariance": 3.0, "colour": 0.0, "existence": 1.5}
    system = system_of("camera_fork_standing")
    update = make_pattern(PatternConfig(), system, ForkConfig("merged")).update(0)
    assert update.terms == dict.fromkeys(("colour", "covariance", "existence", "position"), 1.0)
    assert update.supervised == {"standing": 1.0}


@pytest.mark.parametrize("strategy", ["alternating", "federated"])
@pytest.mark.parametrize("pipeline", FORKS)
def test_branches_take_turns_and_the_others_stay_bit_identical(
    pipeline: str, strategy: str, system_of, samples: list[Sample]
):
    system = system_of(pipeline)
    other = "classifier" if pipeline == "camera_fork" else "standing"
    fork = ForkConfig(strategy, average_every=1)
    reports, states, _ = steps(system, samples, PatternConfig(), 3, fork)
    heads = [report.stages & {"keypoints", other} for report in reports]
    assert heads == [{"keypoints"}, {other}, {"keypoints"}]
    for report, before, after in zip(reports, states[:-1], states[1:], strict=True):
        assert "detector" in report.stages
        assert changed(before, after) - {"detector"} <= report.stages
    assert "detector" in changed(states[0], states[1])


def test_copies_become_their_average(system_of, samples: list[Sample]):
    federated, alone = system_of("camera_fork"), system_of("camera_fork")
    _, (start, *_, end), _ = steps(
        federated, samples, PatternConfig(), 2, ForkConfig("federated", average_every=1)
    )
    first, second = (
        steps(alone, samples, PatternConfig(), 1, ForkConfig("alternating", (branch,)))[1][-1]
        for branch, alone in (("keypoints", alone), ("classifier", system_of("camera_fork")))
    )
    name = next(key for key in start["detector"] if key.endswith("running_mean"))
    for key in (name, next(iter(start["detector"]))):
        # The second copy learned beside a keypoint network that had learned a step already.
        mean = (first["detector"][key] + second["detector"][key]) / 2
        torch.testing.assert_close(end["detector"][key], mean, atol=1e-4, rtol=1e-2)


def test_a_branch_that_reaches_no_cones_teaches_the_shared_network_through_the_crops(
    system_of, samples: list[Sample]
):
    system = system_of("camera_fork_standing")
    found = system.values(samples, ["detections"])["detections"]
    shown = [
        sample._replace(
            labels={
                **(sample.labels or {}),
                "stands": TrueStanding(
                    boxes.boxes_xyxy.detach(), torch.zeros(len(boxes.logits)) > 0
                ),
            }
        )
        for sample, boxes in zip(samples, found, strict=True)
    ]
    fork = ForkConfig("merged", branches=("standing",))
    (report,), (before, after), cost = steps(system, shown, PatternConfig(), 1, fork)
    assert list(report.losses) == ["stands"]
    assert report.norms["detector"] > 0
    assert changed(before, after) == {"detector", "standing"}
    assert set(cost.to_dict()["label_values_by_need"]) == {"standing"}
    assert cost.forward == {"detector": 2, "standing": 2}


def test_metrics_show_every_branch(system_of, samples: list[Sample]):
    for pipeline in FORKS:
        system = system_of(pipeline)
        metrics = measure(system, samples, EvaluationConfig())
        assert "mAP50" in metrics.headline()
    assert {"standing_auroc", "standing_accuracy"} <= metrics.headline().keys()
    assert metrics.ports_of_figures()["standing_auroc"] == "standing"


@pytest.mark.parametrize("strategy", ["alternating", "merged", "federated"])
def test_a_fork_goes_on_from_its_checkpoint(
    strategy: str, config_of, samples: list[Sample], tmp_path: Path
):
    config = TrainingConfig(
        run=RunConfig(steps=5, batch=1, checkpoint_every=1, evaluation_frames=0, workers=0),
        system=config_of("camera_fork"),
        fork=ForkConfig(strategy, average_every=2, branch_weights=("keypoints=2",)),
    )
    data = Data(samples, samples, ("simulated",))  # type: ignore[arg-type]
    whole = Run(config, data, tmp_path / "whole")
    whole.start(resume=False)
    whole.take_steps()
    stopped = Run(config, data, tmp_path / "stopped")
    stopped.start(resume=False)
    for report in stopped.steps():
        if report.step == 2:
            break
    content = torch.load(tmp_path / "stopped" / CHECKPOINT, weights_only=True)
    assert ("copies" in content["extra"]) == (strategy == "federated")
    resumed = Run(config, data, tmp_path / "stopped")
    resumed.start(resume=True)
    resumed.take_steps()
    assert changed(state_of(whole.system), state_of(resumed.system)) == set()


@pytest.mark.parametrize(
    ("pipeline", "pattern", "fork", "message"),
    [
        ("camera_keypoints", "simultaneous", ForkConfig("merged"), "forks after: none"),
        ("camera_fork", "alternating", ForkConfig("merged"), "expected none for the pattern alt"),
        ("camera_fork", "simultaneous", ForkConfig(branches=("keypoints",)), "without a fork_str"),
        ("camera_fork", "simultaneous", ForkConfig("merged", ("solver",)),
         "branches names the stage 'solver', expected one of keypoints, classifier"),
        ("camera_fork", "simultaneous", ForkConfig("merged", branch_weights=("detector=1",)),
         "branch_weights names the stage 'detector'"),
        ("camera_fork", "simultaneous",
         ForkConfig("merged", ("keypoints",), ("keypoints=0",)), "are all 0, expected one above"),
    ],
)  # fmt: skip
def test_refuses_a_fork_strategy_that_does_not_fit(
    pipeline: str, pattern: str, fork: ForkConfig, message: str, system_of
):
    with pytest.raises(ValueError, match=message):
        make_pattern(PatternConfig(pattern), system_of(pipeline), fork)


def test_refuses_settings_of_a_fork_out_of_bounds():
    with pytest.raises(ValueError, match="fork_strategy is 'all', expected one of"):
        ForkConfig("all")
    with pytest.raises(ValueError, match="has keypoints=-1, expected a number from 0 on"):
        ForkConfig("merged", branch_weights=("keypoints=-1",))
    with pytest.raises(ValueError, match="expected STAGE=VALUE"):
        ForkConfig("merged", branch_weights=("keypoints",))
