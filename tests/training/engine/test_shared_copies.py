"""Copies of a shared model per branch, and their weighted average."""

import copy

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from conegrad_training.engine.shared_copies import SharedCopies, weighted_mean


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def optimizer_of(model: nn.Module) -> AdamW:
    return AdamW(model.parameters(), lr=0.1)


def step(model: nn.Module, optimizer: AdamW, target: float) -> None:
    """One step towards outputs of a value; batch-norm statistics follow."""
    inputs = torch.arange(15.0).reshape(5, 3) * target
    (model(inputs) - target).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_mean_is_weighted_and_counts_are_the_largest():
    one = {"w": torch.tensor([1.0, 2.0]), "count": torch.tensor(7)}
    other = {"w": torch.tensor([5.0, 4.0]), "count": torch.tensor(9)}
    mean = weighted_mean([one, other], [0.75, 0.25])
    assert mean["w"].tolist() == [2.0, 2.5]
    assert mean["count"] == 9


def test_each_branch_trains_as_if_it_were_alone(model: nn.Module):
    alone = {name: copy.deepcopy(model) for name in ("left", "right")}
    optimizers = {name: optimizer_of(alone[name]) for name in alone}
    optimizer = optimizer_of(model)
    copies = SharedCopies(model, optimizer, {"left": 1.0, "right": 1.0})
    for _ in range(3):
        for name, target in (("left", 1.0), ("right", -2.0)):
            copies.enter(name)
            step(model, optimizer, target)
            step(alone[name], optimizers[name], target)
            assert equal(state(model), state(alone[name]))
    assert not equal(state(alone["left"]), state(alone["right"]))


def test_an_average_makes_all_copies_the_weighted_mean_statistics_included(model: nn.Module):
    alone = {name: copy.deepcopy(model) for name in ("left", "right")}
    optimizer = optimizer_of(model)
    copies = SharedCopies(model, optimizer, {"left": 3.0, "right": 1.0})
    for name, target in (("left", 1.0), ("right", -2.0)):
        copies.enter(name)
        step(model, optimizer, target)
        step(alone[name], optimizer_of(alone[name]), target)
    copies.average()
    expected = weighted_mean([state(alone[name]) for name in alone], [0.75, 0.25])
    assert equal(state(model), expected)
    copies.enter("left")
    assert equal(state(model), expected)
    left, right = (alone[name].state_dict()["1.running_mean"] for name in alone)
    torch.testing.assert_close(model.state_dict()["1.running_mean"], 0.75 * left + 0.25 * right)


def test_a_branch_that_never_learned_holds_the_mean_back(model: nn.Module):
    before, optimizer = state(model), optimizer_of(model)
    copies = SharedCopies(model, optimizer, {"left": 1.0, "idle": 1.0})
    copies.enter("left")
    step(model, optimizer, 1.0)
    learned = state(model)
    copies.average()
    halfway = 0.5 * (before["0.weight"] + learned["0.weight"])
    torch.testing.assert_close(model.state_dict()["0.weight"], halfway)


def test_without_a_branch_the_model_is_the_mean_and_begins_anew(model: nn.Module):
    optimizer = optimizer_of(model)
    copies = SharedCopies(model, optimizer, {"left": 1.0, "right": 1.0})
    copies.average()  # nothing yet
    step(model, optimizer, 1.0)
    trained = state(model)
    copies.enter("right")
    assert equal(state(model), trained)  # copies begin as the model is by then
    copies.enter("")
    assert equal(state(model), trained)
    assert copies.state_dict() == {"active": "", "states": {}, "moments": {}}


def test_copies_go_on_from_their_state(model: nn.Module, tmp_path):
    def trained(model: nn.Module, optimizer: AdamW, copies: SharedCopies, steps: range) -> None:
        for number in steps:
            name = ("left", "right")[number % 2]
            copies.enter(name)
            step(model, optimizer, 1.0 + number)
            if number % 4 == 3:
                copies.average()

    other = copy.deepcopy(model)
    weights = {"left": 1.0, "right": 2.0}
    optimizer = optimizer_of(model)
    copies = SharedCopies(model, optimizer, weights)
    trained(model, optimizer, copies, range(7))
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(),
             "copies": copies.state_dict()}  # fmt: skip
    torch.save(saved, tmp_path / "checkpoint.pt")
    trained(model, optimizer, copies, range(7, 12))

    read = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    other.load_state_dict(read["model"])
    second = optimizer_of(other)
    second.load_state_dict(read["optimizer"])
    resumed = SharedCopies(other, second, weights)
    resumed.load_state_dict(read["copies"])
    trained(other, second, resumed, range(7, 12))
    assert equal(state(other), state(model))
