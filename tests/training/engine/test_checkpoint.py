"""Checkpoints: whole, exact, and refused where they do not belong."""

import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn

from conegrad_training.engine.checkpoint import TrainingState, load_checkpoint, save_checkpoint

CONFIG = {"seed": 1, "steps": 10}


def make_state() -> TrainingState:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
    return TrainingState(model, optimizer, schedule)


def train(state: TrainingState, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        noise = random.random() + np.random.rand()
        loss = (state.model(torch.rand(4, 2)) - noise).square().mean()
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        state.scheduler.step()
        losses.append(loss.item())
    return losses


def test_a_resumed_run_goes_on_exactly_as_if_never_stopped(tmp_path):
    state = make_state()
    train(state, 5)
    save_checkpoint(tmp_path / "run" / "last.pt", state, 5, CONFIG, best=0.25)
    expected = train(state, 5)

    resumed = make_state()
    step, extra = load_checkpoint(tmp_path / "run" / "last.pt", resumed, CONFIG)
    assert (step, extra) == (5, {"best": 0.25})
    assert train(resumed, 5) == expected


def test_a_failed_write_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_checkpoint(path, make_state(), 5, CONFIG)

    def fail(content, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, make_state(), 6, CONFIG)
    monkeypatch.undo()
    assert load_checkpoint(path, make_state(), CONFIG)[0] == 5


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: b"", id="empty"),
        pytest.param(lambda whole: whole[: len(whole) // 2], id="cut short"),
        pytest.param(lambda whole: bytes(len(whole)), id="zeroed"),
        pytest.param(lambda whole: b"no archive" * 100, id="something else"),
        pytest.param(lambda whole: pickle.dumps(print), id="pickle"),
        pytest.param(lambda whole: flipped(whole, len(whole) // 2), id="one byte of a tensor"),
        pytest.param(lambda whole: flipped(whole, 200), id="one byte of the names"),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "last.pt"
    state = TrainingState(model := nn.Linear(200, 200), torch.optim.AdamW(model.parameters()))
    save_checkpoint(path, state, 5, CONFIG)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"last\.pt is (damaged \(|no checkpoint)") as refused:
        load_checkpoint(path, state, CONFIG)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith("delete it to begin anew, or choose another output folder")


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize("content", [[1, 2], {"step": 1}, 5])
def test_another_archive_of_torch_is_no_checkpoint(tmp_path, content):
    torch.save(content, tmp_path / "last.pt")
    with pytest.raises(ValueError, match="is not a checkpoint of a training"):
        load_checkpoint(tmp_path / "last.pt", make_state(), CONFIG)


def test_a_checkpoint_of_another_network_is_refused_in_one_line(tmp_path):
    other = nn.Linear(3, 1)
    state = TrainingState(other, torch.optim.AdamW(other.parameters()))
    save_checkpoint(tmp_path / "last.pt", state, 5, CONFIG)
    own = make_state()
    with pytest.raises(ValueError, match=r"does not fit this run \(.*size mismatch") as refused:
        load_checkpoint(tmp_path / "last.pt", TrainingState(own.model, own.optimizer), CONFIG)
    assert "\n" not in str(refused.value)


def test_refuses_a_checkpoint_of_other_settings_by_name(tmp_path):
    save_checkpoint(tmp_path / "last.pt", make_state(), 5, CONFIG)
    with pytest.raises(ValueError, match=r"steps = 10 \(now 20\)"):
        load_checkpoint(tmp_path / "last.pt", make_state(), {"seed": 1, "steps": 20})


def test_refuses_a_checkpoint_without_the_schedule(tmp_path):
    state = make_state()
    save_checkpoint(tmp_path / "last.pt", TrainingState(state.model, state.optimizer), 5, CONFIG)
    with pytest.raises(ValueError, match="holds no scheduler"):
        load_checkpoint(tmp_path / "last.pt", make_state(), CONFIG)


class Grown(nn.Module):
    """A model that got one weight more since its checkpoint was written."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        for name in names:
            self.register_parameter(name, nn.Parameter(torch.ones(2)))

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        state_dict.setdefault(prefix + "new", torch.ones(2))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def test_a_checkpoint_of_before_a_weight_existed_goes_on(tmp_path):
    def stepped(model):
        optimizer = torch.optim.AdamW(
            [{"params": [weight], "lr": 0.1} for weight in (model.first,)]
            + [{"params": [w for n, w in model.named_parameters() if n != "first"], "lr": 0.2}]
        )
        return TrainingState(model, optimizer)

    before = stepped(Grown("first", "last"))
    (before.model.first.sum() + 2 * before.model.last.sum()).backward()
    before.optimizer.step()
    save_checkpoint(tmp_path / "last.pt", before, 1, CONFIG)

    after = stepped(Grown("first", "new", "last"))
    load_checkpoint(tmp_path / "last.pt", after, CONFIG)
    moments = after.optimizer.state_dict()["state"]
    assert sorted(moments) == [0, 2]  # the new weight, 1, begins without
    torch.testing.assert_close(moments[2]["exp_avg"], torch.full((2,), 0.2))
    torch.testing.assert_close(after.model.last, before.model.last)
