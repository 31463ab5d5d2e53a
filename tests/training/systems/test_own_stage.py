"""A stage of a user, found by its entry points, trains like those of the car."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from installed_package import brightness_package, write_brightness_pipeline
from safetensors.torch import load_file

from conegrad_core.losses import EndLoss
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.loop import StepReport, train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import CHECKPOINT, Data, RunConfig, TrainingConfig
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracked_run import run_tracked
from conegrad_training.tracking.tracking import TrackingConfig, make_client

WEIGHTS = "brightness.safetensors"


@pytest.fixture
def config(system_config: SystemConfig, tmp_path: Path) -> Iterator[SystemConfig]:
    """The car's pipeline with the stage ``brightness`` beside it."""
    with brightness_package(tmp_path / "packages"):
        pipeline = str(write_brightness_pipeline(tmp_path))
        yield SystemConfig(
            pipeline=pipeline,
            weights=system_config.weights,
            input_width=system_config.input_width,
            input_height=system_config.input_height,
        )


def trained(
    system: TrainableSystem, samples: list[Sample], steps: int, pattern: PatternConfig
) -> tuple[list[StepReport], TrainingCost]:
    cost = TrainingCost()
    reports = train(
        system,
        [samples] * steps,
        make_pattern(pattern, system),
        EndLoss(),
        make_optimizer(system, OptimizerConfig(rates=("brightness=0.001",))),
        cost=cost,
    )
    return list(reports), cost


def test_it_learns_from_its_supervised_loss(config: SystemConfig, labelled: list[Sample]):
    system = load_system(config)
    reports, cost = trained(system, labelled, 12, PatternConfig("individual"))
    levels = [report.losses["level"] for report in reports]
    assert min(levels) < 0.6 * levels[0]
    assert reports[0].stages == {"detector", "segmenter", "brightness"}
    assert cost.backward == {"detector": 36, "segmenter": 36, "brightness": 36}
    needs = cost.to_dict()["label_values_by_need"]
    assert needs["brightness"] == 0
    assert needs["detector"] > 0


@pytest.mark.parametrize("pattern", ["simultaneous", "alternating", "fusion_only"])
def test_the_end_loss_leaves_it_as_it_is(
    config: SystemConfig, labelled: list[Sample], pattern: str
):
    system = load_system(config)
    before = {k: v.clone() for k, v in system.stages["brightness"].state_dict().items()}
    reports, cost = trained(system, labelled[:1], 3, PatternConfig(pattern))
    assert all("brightness" not in report.stages for report in reports)
    assert "brightness" not in cost.forward
    after = system.stages["brightness"].state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_it_cannot_learn_from_a_loss_that_it_does_not_reach(config: SystemConfig):
    message = "names the stage 'brightness', expected one of detector, segmenter"
    with pytest.raises(ValueError, match=message):
        make_pattern(PatternConfig("partial", ("brightness",)), load_system(config))


def test_a_run_is_checkpointed_resumed_saved_and_tracked(
    config: SystemConfig, labelled: list[Sample], tmp_path: Path
):
    run = RunConfig(steps=3, batch=2, checkpoint_every=1, evaluation_frames=1, workers=0, threads=1)
    training = TrainingConfig(
        run=run,
        system=config,
        pattern=PatternConfig("individual"),
        optimizer=OptimizerConfig(supervised_rates=("brightness=0.05",)),
    )
    data = Data(labelled, labelled, ("simulated",))  # type: ignore[arg-type]
    store = f"sqlite:///{tmp_path}/mlflow.db"
    tracking = TrackingConfig(tracking_uri=store, experiment="own")

    def interrupted(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        yield next(steps)
        raise KeyboardInterrupt

    off = TrackingConfig(tracking=False)
    run_tracked(training, data, tmp_path / "whole", off)
    with pytest.raises(KeyboardInterrupt):
        run_tracked(training, data, tmp_path / "run", tracking, progress=interrupted)
    kept = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    assert "pipeline.stages.brightness.network.weight" in kept["model"]
    run_tracked(training, data, tmp_path / "run", tracking, resume=True)
    whole, resumed = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "run"))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    again = load_system(config.with_weights({"brightness": tmp_path / "run" / WEIGHTS}))
    weight: Any = again.stages["brightness"].network
    assert torch.equal(weight.weight, whole["network.weight"])
    assert not torch.equal(weight.weight, torch.full((1, 3), 1 / 3))

    client = make_client(store)
    experiment = client.get_experiment_by_name("own")
    runs = {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"run", "run detector", "run segmenter", "run brightness", "run fuser"}
    of_stage = runs["run brightness"]
    assert of_stage.data.params["supervised_rate"] == "0.05"
    assert of_stage.data.metrics["gradient_norm"] > 0
    files = client.list_artifacts(of_stage.info.run_id, "weights")
    assert [file.path for file in files] == [f"weights/{WEIGHTS}"]
