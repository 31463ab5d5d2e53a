import argparse
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from car_stages import FILES
from safetensors.torch import load_file

from conegrad_core.settings.command_settings import CommandSettings
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training import aliases
from conegrad_training.action.goal_settings import read_goal_settings
from conegrad_training.comparison.settings import OPTIMIZER
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.checkpoint import load_checkpoint
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.training_run import CHECKPOINT, Run, RunConfig, TrainingConfig
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system_config import SystemConfig

OLD_PARTS = {"detector": "camera", "segmenter": "lidar", "fuser": "fusion"}


def as_version_0_1(content: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint as version 0.1 wrote it, its names mapped by hand."""
    config = dict(content["config"])
    rates = {"rate": "camera_rate", "supervised_rate": "own_camera_rate"}
    for field, name in rates.items():
        config[f"optimizer.{name}"] = config.pop(f"stages.detector.{field}")
    for stage, name in (("segmenter", "lidar_rate"), ("fuser", "fusion_rate")):
        config[f"optimizer.{name}"] = config.pop(f"stages.{stage}.rate")
        del config[f"stages.{stage}.supervised_rate"]
    config["optimizer.weight_decay"] = config.pop("stages.detector.weight_decay")
    del config["stages.segmenter.weight_decay"], config["stages.fuser.weight_decay"]
    for stage, part in OLD_PARTS.items():
        config[f"system.{part}"] = config.pop(f"stages.{stage}.weights")
    (stage,) = config.pop("pattern.stages") or ("",)
    if stage:
        config["pattern.pattern"] = f"partial_{OLD_PARTS[stage]}"
    del config["system.pipeline"]
    model = {
        key.replace("pipeline.stages.", "perception.").replace(".module.", ".", 1): value
        for key, value in content["model"].items()
    }
    cost = dict(content["extra"]["cost"])
    for name in ("forward", "backward"):
        cost[name] = {OLD_PARTS[stage]: count for stage, count in cost[name].items()}
    cost["seen"] = {f"{need}: {sample}": values for need, sample, values in cost["seen"]}
    del cost["label_values_by_need"]
    pattern = dict(content["extra"]["pattern"])
    if "turn" in pattern:
        pattern["turn"] = OLD_PARTS[pattern["turn"]]
    extra = {"budget": cost, "pattern": pattern}
    return {**content, "config": config, "model": model, "extra": extra}


def half_done(config: TrainingConfig, bag: SimulatedBag, output: Path) -> None:
    """Write the checkpoint of the first of two steps."""
    run = Run(config, bag_data([bag.path]), output)
    run.start(resume=False)
    steps = run.steps()
    next(steps)
    steps.close()


@pytest.fixture
def config(system_config: SystemConfig) -> TrainingConfig:
    run = RunConfig(steps=2, batch=1, evaluation_frames=0, workers=0, threads=1)
    return TrainingConfig(run=run, system=system_config)


@pytest.mark.parametrize(
    "pattern",
    [PatternConfig("alternating"), PatternConfig("partial", ("segmenter",))],
    ids=lambda pattern: pattern.pattern,
)
def test_a_checkpoint_of_version_0_1_goes_on_to_the_same_weights(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path, pattern: PatternConfig
):
    config = dataclasses.replace(config, pattern=pattern)
    outputs = [tmp_path / "today", tmp_path / "old"]
    for output in outputs:
        half_done(config, small_bag, output)
    path = outputs[1] / CHECKPOINT
    old = as_version_0_1(torch.load(path, weights_only=True))
    assert not any("stages" in key for key in (*old["config"], *old["model"]))
    torch.save(old, path)
    costs = []
    for output in outputs:
        run = Run(config, bag_data([small_bag.path]), output)
        run.start(resume=True)
        run.take_steps()
        run.publish({})
        costs.append({**run.cost.to_dict(), "seconds": 0.0})
    assert costs[0] == costs[1]
    for name in FILES.values():
        expected, found = (load_file(output / name) for output in outputs)
        assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_checkpoint_of_version_0_1_with_other_settings_is_refused(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    half_done(config, small_bag, tmp_path)
    path = tmp_path / CHECKPOINT
    torch.save(as_version_0_1(torch.load(path, weights_only=True)), path)
    other = dataclasses.replace(config, optimizer=OptimizerConfig(rates=("segmenter=0.1",)))
    with pytest.raises(ValueError, match=r"stages\.segmenter\.rate = 0\.001 \(now 0\.1\)"):
        Run(other, bag_data([small_bag.path]), tmp_path).start(resume=True)


def test_an_individual_checkpoint_of_version_0_1_is_refused_with_the_way_out(tmp_path: Path):
    content = {"extra": {"budget": {"seen": {"own: frame 1": 7}}}, "config": {}}
    with pytest.raises(ValueError, match=r"finish it with version 0\.1, or begin anew from its we"):
        aliases.current_checkpoint(tmp_path / CHECKPOINT, content)


def test_a_checkpoint_of_this_version_stays_as_it_is(
    config: TrainingConfig, small_bag: SimulatedBag, tmp_path: Path
):
    half_done(config, small_bag, tmp_path)
    content = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert aliases.current_checkpoint(tmp_path / CHECKPOINT, content) is content
    run = Run(config, bag_data([small_bag.path]), tmp_path)
    with pytest.raises(ValueError, match="expected the same ones"):
        load_checkpoint(tmp_path / CHECKPOINT, run._state, {})


def test_settings_of_version_0_1_are_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "settings.yaml"
    path.write_text(
        "system: {camera: a.safetensors, lidar: '', fusion: f.safetensors}\n"
        "optimizer: {camera_rate: 0.5, lidar_rate: 0.25}\n"
    )
    training = read_goal_settings(path, pattern="partial_lidar").training
    assert training.system.weights == ("detector=a.safetensors", "fuser=f.safetensors")
    assert training.optimizer.rates == ("detector=0.5", "segmenter=0.25")
    assert training.optimizer.supervised_rates == ("segmenter=0.25",)
    assert (training.pattern.pattern, training.pattern.stages) == ("partial", ("segmenter",))
    for words in (
        "system.camera is now system.weights detector=a.safetensors",
        "optimizer.lidar_rate is now optimizer.rates segmenter=0.25, supervised_rates segmen",
        "pattern partial_lidar is now pattern partial with stages segmenter",
    ):
        assert words in caplog.text


def test_options_of_version_0_1_are_read_and_hidden(caplog: pytest.LogCaptureFixture):
    settings = CommandSettings({"system": SystemConfig(), "pattern": PatternConfig()})
    parser = argparse.ArgumentParser(allow_abbrev=False)
    settings.add_to(parser)
    aliases.add_options(parser, settings)
    assert "--camera" not in parser.format_help()
    words = ["--weights", "fuser=f", "--camera", "a", "--lidar", "b", "--pattern", "partial_lidar"]
    options = parser.parse_args(words)
    aliases.translate_options(options, settings)
    read = settings.read(options)
    assert read[SystemConfig].weights == ("fuser=f", "detector=a", "segmenter=b")
    assert read[PatternConfig] == PatternConfig("partial", ("segmenter",))
    assert "--camera is now --weights detector=a" in caplog.text
    with pytest.raises(SystemExit):
        parser.parse_args(["--camera-rate", "1"])  # no option of this command


def test_old_rates_join_the_defaults_of_a_comparison():
    settings = CommandSettings({"optimizer": OPTIMIZER})
    parser = argparse.ArgumentParser()
    settings.add_to(parser)
    aliases.add_options(parser, settings)
    options = parser.parse_args(["--lidar-rate", "0.5"])
    aliases.translate_options(options, settings)
    config = settings.read(options)[OptimizerConfig]
    assert config.rates == ("detector=0.0003", "segmenter=0.5")
    assert config.supervised_rates == ("detector=0.001", "segmenter=0.5")
    assert aliases.current_pattern("partial_camera") == "partial_detector"
