import numpy as np
import pytest

from conegrad_evaluation.paired.paired_difference import (
    Drive,
    PairedRates,
    interval_of,
    paired_differences,
)


def rates(old, new, totals):
    old, new, totals = (np.asarray(a, dtype=float)[:, None] for a in (old, new, totals))
    return PairedRates(np.stack([old, new]), np.stack([totals, totals]), totals)


def test_rates_are_those_of_all_frames_together():
    found = paired_differences(rates([1, 8], [2, 9], [2, 10]), [Drive(2, 1)])
    assert (found.old[0], found.new[0]) == (9 / 12, 11 / 12)


def test_the_error_is_that_of_a_paired_difference():
    random = np.random.default_rng(1)
    both = random.integers(0, 10, 400)
    gained = random.random(400) < 0.3
    found = paired_differences(rates(both, both + gained, np.full(400, 11)), [Drive(400, 1)])
    expected = np.std(gained / 11, ddof=1) / np.sqrt(400)  # what both share cancels
    assert found.errors[0] == pytest.approx(expected, rel=0.05)


def test_frames_that_repeat_each_other_count_less():
    random = np.random.default_rng(2)
    gained = np.repeat(random.random(60) < 0.5, 10)
    apart, together = (
        paired_differences(rates(0 * gained, gained, np.ones(600)), [Drive(600, block)])
        for block in (1, 30)
    )
    assert together.errors[0] > 2 * apart.errors[0]
    assert (together.blocks[0], together.units[0]) == (20, 40)  # a cone counts per half block


def test_blocks_that_are_too_short_are_seen_as_such():
    random = np.random.default_rng(3)
    gained = np.repeat(random.random(400) < 0.5, 10)  # of each error ten frames
    found = paired_differences(rates(0 * gained, gained, np.ones(4000)), [Drive(4000, 20)])
    plain = 0.5 / np.sqrt(400)
    assert found.errors[0] == pytest.approx(plain, rel=0.1)  # 20 frames alone: 0.82 of the error


def test_the_error_is_that_of_resampled_blocks():
    random = np.random.default_rng(4)
    old, totals = random.integers(0, 5, 60), random.integers(5, 9, 60)
    new = np.minimum(old + random.integers(0, 3, 60), totals)
    found = paired_differences(rates(old, new, totals), [Drive(60, 1)])
    drawn = random.integers(60, size=(4000, 60))
    resampled = (new - old)[drawn].sum(axis=1) / totals[drawn].sum(axis=1)
    assert found.errors[0] == pytest.approx(resampled.std() * np.sqrt(60 / 59), rel=0.05)


def test_drives_are_resampled_apart():
    gained = np.repeat([0.0, 1.0], 50)  # all of the difference is between both drives
    found = paired_differences(
        rates(0 * gained, gained, np.ones(100)), [Drive(50, 1), Drive(50, 1)]
    )
    assert found.errors[0] == pytest.approx(np.sqrt(2) / 102)  # the least error


def test_systems_that_found_the_same_still_have_an_error():
    found = paired_differences(rates(np.ones(50), np.ones(50), np.ones(50)), [Drive(50, 5)])
    interval = interval_of(0.0, found.errors[0], found.blocks[0], 0.025)
    assert 0.1 < interval.high < 0.4  # one in ten of ten independent cones may be unseen


def test_a_rate_without_cones_has_no_value():
    found = paired_differences(rates([0, 0], [0, 0], [0, 0]), [Drive(2, 1)])
    assert np.isnan([found.old[0], found.new[0], found.errors[0]]).all()


def test_refuses_drives_of_other_lengths():
    with pytest.raises(ValueError, match=r"drives have \[3\] frames, expected 2 together"):
        paired_differences(rates([1, 1], [1, 1], [1, 1]), [Drive(3, 1)])
