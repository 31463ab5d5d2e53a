"""Threats against systems: the loss grows, what is not attacked stays, weights get no gradient."""

import math

import pytest
import torch
from lidar_system import lidar_alone

from conegrad_core.cones import TrueCones
from conegrad_core.lidar.scan import Scan
from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.attacks.attacked import attacked, end_losses, randomly_changed
from conegrad_evaluation.attacks.threat import read_threat
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import System

SEEN = torch.ones(2, dtype=torch.bool)
CRITERION = EndLoss()


def sample():
    """A scan of two cones as wide as cones are, with their truth."""
    angles = torch.linspace(-math.pi / 2, math.pi / 2, 721)
    ranges = torch.full((721,), math.nan)
    positions = torch.tensor([[3.0, 1.0], [5.0, -1.0]])
    for x, y in positions.tolist():
        distance, bearing = math.hypot(x, y), math.atan2(y, x)
        hit = (angles - bearing).abs() < 0.07 / distance
        ranges[hit] = distance - 0.07
    truth = TrueCones(positions, torch.zeros(2, dtype=torch.int64), SEEN, SEEN)
    return Sample({"scan": Scan(ranges, angles)}, FrameContext(), truth, SampleKey("lap", 3, 0))


@pytest.fixture(scope="module")
def system():
    return System(lidar_alone()).eval()


@pytest.mark.parametrize("word", ["scan_moved:0.2", "scan_removed:20", "scan_added:20"])
def test_an_attack_raises_the_end_loss_more_than_a_random_change_of_its_budget(system, word):
    threat, intact = read_threat(word), sample()
    found = attacked(system, [intact], threat, CRITERION, steps=2, tries=16)
    changed = [intact, *randomly_changed([intact], threat), *found.samples]
    clean, random, worst = end_losses(system, changed, CRITERION).tolist()
    assert worst > clean
    assert worst >= random
    assert worst == pytest.approx(float(found.losses.max()), abs=1e-4)  # the best of all steps
    assert found.losses.shape == (3, 1)


def test_the_same_seed_gives_the_same_attack(system):
    threat = read_threat("scan_added:20")
    first, second, other = (
        attacked(system, [sample()], threat, CRITERION, steps=1, tries=8, seed=seed).samples[0]
        for seed in (1, 1, 2)
    )
    assert torch.equal(
        first.inputs["scan"].ranges.nan_to_num(), second.inputs["scan"].ranges.nan_to_num()
    )
    assert not torch.equal(
        first.inputs["scan"].ranges.nan_to_num(), other.inputs["scan"].ranges.nan_to_num()
    )


def test_the_system_stays_as_it_is_and_its_weights_get_no_gradient(system):
    system.train()
    before = {name: value.clone() for name, value in system.state_dict().items()}
    attacked(system, [sample()], read_threat("scan_moved:0.1"), CRITERION, steps=1, tries=4)
    assert all(part.training for part in system.modules())
    assert all(torch.equal(value, before[name]) for name, value in system.state_dict().items())
    assert all(weight.grad is None for weight in system.parameters())
    system.eval()


def test_an_attack_on_a_port_that_is_missing_is_refused_by_name(system):
    with pytest.raises(ValueError, match="no input of kind Image, expected one for image_pgd"):
        attacked(system, [sample()], read_threat("image_pgd:2"), CRITERION, steps=1)
