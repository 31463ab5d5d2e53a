"""Gradients over topics as people start them: three programs."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from warm_python import WarmProcess

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

import rclpy
from car_stages import FILES, STAGES, weights_of

from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracking import make_client

pytestmark = [pytest.mark.ros, pytest.mark.slow]

DEADLINE = 240.0  # [s], generous: three programs load torch on a busy machine


def start(program: str, **parameters: object) -> WarmProcess:
    code = f"from conegrad_training.programs import {program}; {program}()"
    given = [
        word
        for name, value in parameters.items()
        for word in ("-p", f"{name.replace('__', '.')}:={value}")
    ]
    return WarmProcess(
        [sys.executable, "-c", code, "--ros-args", *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.mark.timeout(300)
def test_programs_train_together_and_write_the_weights_of_all_parts(
    domain, system_config: SystemConfig, small_bag: SimulatedBag, tmp_path: Path
):
    names = ("input_width", "input_height")
    weights = weights_of(system_config)
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        yaml.safe_dump(
            {
                "system": {
                    "weights": list(system_config.weights),
                    **{name: getattr(system_config, name) for name in names},
                },
                "run": {"batch": 2, "steps": 2, "workers": 0},
                "tracking": {"tracking_uri": f"sqlite:///{tmp_path}/mlflow.db"},
            }
        )
    )
    output = tmp_path / "weights"
    shared = {"reliability": "reliable", "depth": 5, "training__output": output}
    models = [
        start(
            "training_camera_node",
            **shared,
            detector__weights=weights["detector"],
            detector__input_width=system_config.input_width,
            detector__input_height=system_config.input_height,
        ),
        start("training_lidar_node", **shared, segmenter__weights=weights["segmenter"]),
    ]
    trainer = start(
        "topic_trainer", bags=f"[{small_bag.path}]", config=settings, output=output, timeout=200.0
    )
    try:
        printed, _ = trainer.communicate(timeout=DEADLINE)
    finally:
        for process in (*models, trainer):
            process.terminate()
        said = [process.communicate(timeout=30)[0] for process in models]
    assert trainer.returncode == 0, "\n".join([printed, *said])
    assert "step 2: position" in printed
    client = make_client(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("conegrad")
    runs = {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"weights", "weights detector", "weights segmenter", "weights fuser"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs["weights"].data.metrics["loss_position"] > 0
    for part in STAGES:
        before, after = load_file(weights[part]), load_file(output / FILES[part])
        assert any(not torch.equal(before[name], after[name]) for name in before), part
        recorded = load_file(output / "system" / "weights" / f"{part}.safetensors")
        assert all(torch.equal(recorded[name], after[name]) for name in after), part


@pytest.mark.parametrize(
    ("module", "node_class"),
    [("remote.topic_trainer", "TopicTrainer"), ("action.training_node", "TrainingNode")],
)
def test_settings_that_are_refused_end_a_program_with_one_line(
    monkeypatch: pytest.MonkeyPatch, domain: int, module: str, node_class: str
):
    program = importlib.import_module(f"conegrad_training.{module}")

    def refuse() -> None:
        raise ValueError("parameter output is 5, expected text")

    monkeypatch.setattr(program, node_class, refuse)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match="parameter output is 5, expected text"):
        program.main()
    assert not rclpy.ok()
