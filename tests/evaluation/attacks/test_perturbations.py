"""What attacks make of single values: steps, budgets, and what sensors deliver."""

import math

import numpy as np
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.attacks.beam_choice import best_groups, neighbouring_returns
from conegrad_evaluation.attacks.image_pgd import LevelChange
from conegrad_evaluation.attacks.scan_added import CLEARANCE, SpoofedReturns
from conegrad_evaluation.attacks.scan_moved import RangeChange
from conegrad_evaluation.attacks.scan_removed import RemovedBeams


def draws():
    return np.random.default_rng(5)


def scan():
    """Two cones at 4 and 7 m before a wall at 10 m; the last beams have no return."""
    ranges = torch.full((181,), 10.0)
    ranges[60:64], ranges[120:123], ranges[170:] = 4.0, 7.0, math.nan
    return Scan(ranges, torch.linspace(-math.pi / 2, math.pi / 2, 181))


def changed_beams(before, after):
    same = torch.isclose(before.ranges, after.ranges, equal_nan=True)
    return (~same).nonzero()[:, 0].tolist()


def test_a_level_moves_along_the_sign_of_its_gradient_up_to_its_budget():
    image = np.array([[[100, 254, 3]]], dtype=np.uint8)
    change = LevelChange(image, 4.0)
    gradient = torch.tensor([[[7.0, 0.001, -2.0]]])
    change.ascend(gradient, 0.4)
    torch.testing.assert_close(change.leaf, torch.tensor([[[1.6, 1.6, -1.6]]]))
    for _ in range(3):
        change.ascend(gradient, 0.4)
    assert change.delivered().tolist() == [[[104, 255, 0]]]  # 8 bits, cut at white and black
    assert change.delivered().dtype == np.uint8


def test_a_budget_that_is_not_whole_is_not_exceeded_by_rounding():
    image = np.full((2, 2, 3), 100, dtype=np.uint8)
    change = LevelChange(image, 1.7)
    change.randomize(draws())
    assert np.abs(change.delivered().astype(int) - 100).max() == 1


def test_moved_returns_stay_within_the_budget_and_no_return_appears():
    change = RangeChange(scan(), 0.1)
    change.randomize(draws())
    moved = change.delivered().ranges - scan().ranges
    torch.testing.assert_close(moved[:170].abs(), torch.full((170,), 0.1), atol=1e-5, rtol=0)
    assert moved[170:].isnan().all()
    for _ in range(5):
        change.ascend(torch.ones(181), 0.5)
    torch.testing.assert_close(change.delivered().ranges[60], torch.tensor(4.1))


def test_the_best_groups_are_those_that_raise_the_loss_most_per_beam():
    groups = [np.arange(0, 5), np.arange(10, 12), np.arange(20, 23), np.arange(30, 31)]
    worth = {0: 5.0, 10: 4.0, 20: 0.5, 30: -1.0}

    def losses(values):
        return torch.tensor([sum(worth[int(group[0])] for group in value) for value in values])

    chosen = best_groups(groups, 7, list, losses)
    assert [int(group[0]) for group in chosen] == [10, 0]  # 2 and 1 per beam; then none fits
    assert [int(g[0]) for g in best_groups(groups, 4, list, losses)] == [10]
    assert best_groups(groups[3:], 4, list, losses) == []  # it would lower the loss


def test_returns_are_grouped_by_their_surface():
    groups = neighbouring_returns(scan(), 100)
    assert [(int(g[0]), len(g)) for g in groups] == [
        (0, 60), (60, 4), (64, 56), (120, 3), (123, 47),
    ]  # fmt: skip
    assert max(len(group) for group in neighbouring_returns(scan(), 10)) == 10


def test_removed_beams_are_those_of_the_cone_that_counts():
    change = RemovedBeams(scan(), 4)

    def losses(values):
        return torch.stack([value.ranges[60:64].isnan().float().sum() for value in values])

    change.search(losses, draws(), 100)
    assert changed_beams(scan(), change.delivered()) == [60, 61, 62, 63]
    change.randomize(draws())
    assert 1 <= len(changed_beams(scan(), change.delivered())) <= 4


def test_spoofed_returns_lie_before_the_surface_and_are_no_cones():
    intact = scan()
    change = SpoofedReturns(intact, 12)
    change.randomize(draws())
    for _ in range(5):
        change.ascend(torch.ones_like(change.leaf), 1.0)  # away from the sensor
    spoofed = change.delivered()
    beams = changed_beams(intact, spoofed)
    assert 1 <= len(beams) <= 12
    surface = intact.ranges.nan_to_num(nan=math.inf)
    assert (spoofed.ranges[beams] <= surface[beams] - CLEARANCE + 1e-5).all()
    labels = {"beams": torch.ones(181, dtype=torch.bool)}
    assert change.labels(labels)["beams"].logical_not().nonzero()[:, 0].tolist() == beams
    assert labels["beams"].all()  # the sample's own stay
