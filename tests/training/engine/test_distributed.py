import dataclasses
import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from warm_python import WarmProcess

from conegrad_core.losses import EndLoss
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.data.sample_stream import SampleBatches
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.distributed import JointBatchNorm
from conegrad_training.engine.loop import end_losses, prepare
from conegrad_training.engine.optimizers import clipped_norms
from conegrad_training.engine.precision import check_precision
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import RunConfig, TrainingConfig, run_training
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import load_system
from conegrad_training.systems.system_config import SystemConfig

DEADLINE = 300.0  # [s], on a busy machine
NEAR = {"cpu": 1e-3, "cuda": 5e-3}  # relative; a GPU adds in any order
# Gradients of one batch, then a whole run: in two processes, and for comparison in one.
WORK = """
import pickle, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from conegrad_training.engine.distributed import count, folder_of_this_process, joined, rank

config, bag, output, gradients_of = pickle.loads(Path(sys.argv[1]).read_bytes())
sys.path.insert(0, gradients_of)
from test_distributed import gradients
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.training_run import run_training

with joined(), folder_of_this_process(output) as folder:
    assert count() == 2
    found = gradients(config, bag)
    run_training(config, bag_data([bag]), folder)
    torch.save(found, output.parent / f"gradients{rank()}.pt")
    if rank() == 1:
        assert folder != output
"""


def gradients(config: TrainingConfig, bag: Path) -> dict[str, torch.Tensor]:
    """Gradients and batch-norm statistics after one batch, as the loop makes them."""
    torch.backends.cudnn.allow_tf32 = False
    system = load_system(config.system)
    batches = SampleBatches(
        BagReplay(bag), seed=3, batch=4, steps=1, augmentation=AugmentationConfig()
    )
    prepare(system, make_pattern(config.pattern, system).update(0), config.run.adapt_statistics)
    losses = end_losses(system, batches[0], EndLoss())
    torch.stack([loss.mean() for loss in losses.values()]).sum().backward()
    clipped_norms(system, 5.0)
    kept = {
        name: weight.grad for name, weight in system.named_parameters() if weight.grad is not None
    }
    return kept | dict(system.named_buffers())


@pytest.mark.slow
@pytest.mark.timeout(480)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_two_processes_do_what_one_does_with_the_joint_batch(
    system_config: SystemConfig, small_bag: SimulatedBag, tmp_path: Path, device: str
):
    config = TrainingConfig(
        run=RunConfig(steps=3, batch=4, evaluation_frames=0, workers=0, threads=1),
        system=dataclasses.replace(system_config, device=device),
        pattern=PatternConfig("simultaneous"),
    )
    settings = tmp_path / "settings"
    arguments = (config, small_bag.path, tmp_path / "two", str(Path(__file__).parent))
    settings.write_bytes(pickle.dumps(arguments))
    (tmp_path / "work.py").write_text(WORK)
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    # As torchrun starts them.
    shared = {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
    }
    processes = [
        WarmProcess(
            [sys.executable, tmp_path / "work.py", settings],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **shared,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
            },
            stderr=subprocess.PIPE,
        )
        for rank in (0, 1)
    ]
    try:
        for process in processes:
            _, said = process.communicate(DEADLINE)
            assert process.returncode == 0, said[-3000:]
    finally:
        for process in processes:
            process.kill()

    expected = gradients(config, small_bag.path)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"gradients{rank}.pt", weights_only=True)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            scale = float(value.double().abs().max())
            torch.testing.assert_close(
                found[name],
                value,
                rtol=NEAR[device],
                atol=NEAR[device] * scale + 1e-7,
                msg=name,
            )

    run_training(config, bag_data([small_bag.path]), tmp_path / "one")
    costs = [
        json.loads((tmp_path / name / "run.json").read_text())["cost"] for name in ("one", "two")
    ]
    for cost in costs:
        del cost["seconds"]
    assert costs[0] == costs[1]
    assert costs[0]["forward"]["detector"] == 12
    rows = [(tmp_path / n / "losses.csv").read_text().splitlines() for n in ("one", "two")]
    first = [[float(value) for value in table[1].split(",")[1:5]] for table in rows]
    # The covariance term is a difference of larger ones: it has fewer digits.
    assert first[1] == pytest.approx(first[0], rel=0.1 * NEAR[device], abs=1e-5)
    assert len(rows[1]) == 1 + 3


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.BatchNorm2d(3)])
def test_alone_a_joint_batch_norm_is_that_of_torch(layer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("conegrad_training.engine.distributed.summed", lambda x: x)
    torch.manual_seed(1)
    shape = (4, 3, 5) if isinstance(layer, nn.BatchNorm1d) else (4, 3, 5, 2)
    joint = JointBatchNorm.of(type(layer)(3)).double()
    layer = layer.double()
    values = [(2 + torch.randn(shape, dtype=torch.float64)).requires_grad_()]
    values.append(values[0].detach().clone().requires_grad_())
    weights = torch.randn(shape)
    for module, inputs in zip((layer, joint), values, strict=True):
        (module.train()(inputs) * weights).sum().backward()
    torch.testing.assert_close(values[1].grad, values[0].grad, rtol=1e-5, atol=1e-6)
    for one, other in zip(joint.buffers(), layer.buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
    inputs = values[0].detach()
    torch.testing.assert_close(joint.eval()(inputs), layer.eval()(inputs), rtol=1e-6, atol=1e-7)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("conegrad_training.data.sample_stream.count", lambda: 2)
    with pytest.raises(ValueError, match="batch is 3, expected a multiple of the 2 processes"):
        SampleBatches([], seed=1, batch=3, steps=1, augmentation=AugmentationConfig())


def test_a_budget_keeps_its_labels_over_a_checkpoint():
    cost = TrainingCost()
    cost.add_labels("end", "a", 6)
    cost.add_labels("end", "a", 6)
    copy = TrainingCost()
    copy.load_state_dict(cost.state_dict())
    copy.add_labels("end", "b", 3)
    assert copy.to_dict()["label_values"] == 9
    assert copy.knows("end", "a")


def test_half_precision_gradients_are_refused(system_config: SystemConfig):
    with pytest.raises(ValueError, match="small gradients vanish"):
        check_precision(dataclasses.replace(system_config, precision="fp16"))


def test_a_missing_cuda_device_is_named(
    system_config: SystemConfig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device is 'cuda', expected 'cpu'"):
        check_precision(dataclasses.replace(system_config, device="cuda"))
