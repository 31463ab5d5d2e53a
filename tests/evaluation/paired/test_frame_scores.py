"""The verdict on two systems, worked out by hand."""

import pytest

from conegrad_evaluation.paired.frame_scores import FrameScores, compare_frames, drives_of

STEP = 100_000_000


def scores(right, frames=200, first=0):
    """Ten true cones and ten perceived ones in each frame."""
    stamps = tuple(first + STEP * n for n in range(frames))
    ten = (10,) * frames
    return FrameScores(("lap",) * frames, stamps, tuple(right), ten, ten)


def test_a_system_that_finds_more_in_every_block_is_better():
    verdict = compare_frames(scores([8, 9] * 100), scores([9, 10] * 100))
    assert (verdict.old, verdict.new) == (pytest.approx(0.85), pytest.approx(0.95))
    assert verdict.word == "better"
    assert str(verdict).startswith("f1_colour 0.850 -> 0.950, +0.100 (95 % interval +0.0")
    assert compare_frames(scores([9, 10] * 100), scores([8, 9] * 100)).word == "worse"


def test_what_one_block_gains_and_others_lose_is_not_settled():
    gained = [10] * 40 + [7] * 40 + [10] * 40 + [8] * 40 + [9] * 40
    verdict = compare_frames(scores([9] * 200), scores(gained))
    assert verdict.word == "not settled"
    assert str(verdict).endswith("not settled: the interval holds 0")


def test_a_single_frame_gives_no_interval():
    verdict = compare_frames(scores([8], frames=1), scores([9], frames=1))
    assert verdict.word == "not settled"
    assert "too few for an interval" in str(verdict)


def test_other_frames_are_refused():
    with pytest.raises(ValueError, match="expected the same frames"):
        compare_frames(scores([8] * 200), scores([8] * 200, first=5))


def test_scores_survive_json():
    found = scores([8, 9], frames=2)
    assert FrameScores.of_dict(found.to_dict()) == found


def test_recordings_are_resampled_apart_in_blocks_of_two_seconds():
    bags, stamps = ["a"] * 50 + ["b"] * 3, [STEP * n for n in range(50)] + [0, 0, 0]
    assert [tuple(drive) for drive in drives_of(bags, stamps)] == [(50, 20), (3, 1)]
