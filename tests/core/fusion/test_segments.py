"""LiDAR candidates: which beams form one, and what the candidate says."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import ConeClass
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.scalars import FusionScalars
from conegrad_core.fusion.segments import (
    find_segments,
    group_beams,
    lidar_candidates,
    motion_variances,
)
from conegrad_core.lidar.scan import SegmentedScan

CONFIG = FuserConfig()
STEP = math.radians(0.25)


def candidates(scan, config=CONFIG):
    return lidar_candidates(scan, FusionScalars()(), config)


def members(ranges, logits=None, config=CONFIG):
    ranges = np.array(ranges, dtype=np.float32)
    logits = np.zeros_like(ranges) if logits is None else np.array(logits, dtype=np.float32)
    found = find_segments(ranges, STEP * np.arange(len(ranges)), logits, config)
    return [found.beams[found.segments == s].tolist() for s in range(len(found.counts))]


def test_a_jump_in_range_parts_two_objects():
    assert members([5, 5.01, 5.02, 5.5, 5.5]) == [[0, 1, 2], [3, 4]]


def test_a_few_missing_beams_do_not_part_an_object_but_many_do():
    gap = [np.nan] * 4
    assert members([5, *gap, 5.0]) == [[0, 5]]
    assert members([5, *gap, np.nan, 5.0]) == [[0], [6]]


def test_unusable_returns_belong_to_nothing():
    assert members([np.nan, 0.0, np.inf, -1.0, 99.0]) == []
    assert members([]) == []


def test_what_is_wider_than_a_cone_is_dropped():
    assert members([5.0] * 40) == []  # 40 beams at 5 m are 0.85 m


def test_a_cone_at_a_wall_is_split_off_by_its_probability():
    logits = [-4.0] * 40 + [4.0] * 6 + [-4.0] * 40
    assert members([5.0] * 86, logits) == [list(range(40, 46))]


def test_a_piece_of_wall_is_no_candidate():
    logits = [4.0 if (index // 6) % 2 else -4.0 for index in range(60)]
    assert all(index % 12 >= 6 for segment in members([5.0] * 60, logits) for index in segment)


def test_an_isolated_cone_is_not_torn_apart_by_a_noisy_network():
    assert members([5.0] * 6, [3, -1, 3, -1, 3, 3]) == [[0, 1, 2, 3, 4, 5]]


def test_the_best_candidates_are_kept_in_the_order_of_beams():
    ranges = [5.0, np.nan, np.nan, np.nan, np.nan, np.nan] * 3
    logits = np.zeros(18)
    logits[[0, 6, 12]] = [1.0, -2.0, 3.0]
    assert members(ranges, logits, config=FuserConfig(max_segments=2)) == [[0], [12]]


def test_a_candidate_stands_where_its_cone_does(world):
    scene = world.scene(world.track())
    found = candidates(scene.scan())
    distance = (scene.positions[:, None] - found.positions).norm(dim=-1).amin(1)
    assert distance.max() < 0.02
    assert len(found.positions) == len(scene.positions)


def test_a_candidate_stands_where_its_cone_does_although_the_car_moves(world):
    # 20 m/s and a sharp turn, in a scan of 0.1 s: beams in blocks, each from a pose of its own.
    scene = world.scene(world.track())
    scan = scene.scan()
    blocks = torch.arange(len(scan.ranges)) // 10
    ranges, logits = scan.ranges.clone(), scan.logits.clone()
    motions = torch.zeros(len(ranges), 3)
    for block in blocks.unique():
        chosen = blocks == block
        share = float(block / blocks[-1])
        pose = (2.0 * share, 0.05 * share, 0.1 * share)
        there = scene.moved(*pose).scan()
        ranges[chosen], logits[chosen] = there.ranges[chosen], there.logits[chosen]
        motions[chosen] = torch.tensor(pose)
    skewed = SegmentedScan(ranges, scan.angles, logits)
    found = [candidates(each).positions for each in (skewed, skewed._replace(motions=motions))]
    ahead = scene.positions[scene.positions.norm(dim=-1) > 4]
    worst = [(ahead[:, None] - places).norm(dim=-1).amin(1).max() for places in found]
    assert worst[0] > 0.5
    assert worst[1] < 0.04


def test_a_lidar_that_stands_still_changes_no_bit(world):
    scan = world.scene(world.track()).scan()
    still = candidates(scan._replace(motions=torch.zeros(len(scan.ranges), 3)))
    for found, expected in zip(still, candidates(scan), strict=True):
        assert torch.equal(found, expected)


def test_refuses_motions_of_another_length(world):
    scan = world.scene(world.track()).scan()._replace(motions=torch.zeros(3, 3))
    with pytest.raises(ValueError, match=r"motions has shape \(3, 3\)"):
        candidates(scan)


def test_the_position_follows_the_beams_that_hit_the_cone():
    # Three beams on a cone straight ahead, two on a post beside it that the network rejects.
    angles = torch.arange(-2, 3) * 0.01
    logits = torch.tensor([4.0, 4.0, 4.0, -9.0, -9.0])
    (position,) = candidates(SegmentedScan(torch.full((5,), 5.0), angles, logits)).positions
    # The mean bearing of the three is -0.01; all five would give 0.
    assert math.atan2(*position.detach().flip(0)) == pytest.approx(-0.01, abs=5e-4)


def test_log_odds_follow_the_mean_logit_without_saturation():
    scan = SegmentedScan(torch.full((5,), 5.0), torch.arange(5) * 0.004, torch.full((5,), -30.0))
    scan = scan._replace(logits=scan.logits.requires_grad_())
    log_odds = candidates(scan).log_odds
    log_odds.sum().backward()
    assert log_odds.item() < -20
    assert scan.logits.grad.min() > 0.1


def test_noise_grows_with_range_and_shrinks_with_beams(world):
    near, far = (
        candidates(world.scene(((x, 0.0, ConeClass.BLUE),)).scan()).variances[0] for x in (3, 15)
    )
    assert (near < far).all()


def test_passes_gradients_to_logits_and_ranges():
    ranges = torch.tensor([5.0, 5.01, 5.0, 7.0, 7.1], dtype=torch.float64, requires_grad=True)
    logits = torch.tensor([1.0, -2, 0.5, 3, 1], dtype=torch.float64, requires_grad=True)
    angles = torch.arange(5, dtype=torch.float64) * 0.005
    scalars = type(FusionScalars()())(*(value.double() for value in FusionScalars()()))

    motions = torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64) * torch.arange(5)[:, None]

    def outputs(ranges, logits):
        scan = SegmentedScan(ranges, angles, logits, motions=motions)
        return lidar_candidates(scan, scalars, CONFIG)[:3]

    assert torch.autograd.gradcheck(outputs, (ranges, logits))


def test_refuses_logits_of_another_length():
    with pytest.raises(ValueError, match=r"logits has shape \(3,\)"):
        candidates(SegmentedScan(torch.ones(4), torch.arange(4) * 0.1, torch.ones(3)))


def noisy_scan(deviation, logit=4.0):
    """Eight returns on each of six cones, whose ranges scatter."""
    noise = deviation * np.random.default_rng(0).standard_normal((6, 8))
    row = np.full((6, 16), np.nan)  # eight missing beams part the cones
    row[:, :8] = 4.0 + noise
    ranges = torch.from_numpy(row.ravel()).float()
    angles = STEP * torch.arange(len(ranges))
    return SegmentedScan(ranges, angles, torch.full_like(ranges, logit))


@pytest.mark.parametrize("deviation", [0.005, 0.02, 0.04])
def test_the_scatter_of_returns_is_measured_in_the_scan(deviation):
    found = float(group_beams(noisy_scan(deviation), CONFIG).scatter)
    assert found == pytest.approx(deviation, rel=0.35)


def test_a_scan_that_shows_no_scatter_has_the_usual_one():
    assert float(group_beams(noisy_scan(0.05, logit=-4.0), CONFIG).scatter) == pytest.approx(0.01)


def test_noisy_scans_are_less_certain_along_the_ray_and_not_across():
    quiet, noisy = candidates(noisy_scan(0.0)), candidates(noisy_scan(0.04))
    assert (noisy.variances[:, 0] > 1.5 * quiet.variances[:, 0]).all()
    torch.testing.assert_close(noisy.variances[:, 1], quiet.variances[:, 1], rtol=0.1, atol=0)


def test_wrong_odometry_within_a_scan_grows_with_the_motion_and_the_range():
    config = FuserConfig(odometry_error=0.1)
    motions = torch.tensor([[0.3, 0.4, 0.0], [0.0, 0.0, 0.2]])
    found = motion_variances(motions, torch.tensor([5.0, 10.0]), config)
    torch.testing.assert_close(found, torch.tensor([[0.05**2, 0.05**2], [0.0, 0.2**2]]))
