"""Failure modes of single frames: the row of each error and its mode."""

import pytest
import torch

from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_evaluation.metrics.failure_modes import (
    FALSE_CONE_MODES,
    MISS_MODES,
    count_failure_modes,
    false_cones,
    missed_truth,
)
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult, match_frame

B, Y, U = ConeClass.BLUE, ConeClass.YELLOW, ConeClass.UNKNOWN
CONFIG = EvaluationConfig()


def frame(cones, truth, *, camera=True, lidar=True, source=3) -> FrameResult:
    """Match of cones (x, y, colour, existence) to truth (x, y, class)."""
    colours = torch.tensor([int(row[2]) for row in cones], dtype=torch.int64)
    classes = torch.tensor([int(row[2]) for row in truth], dtype=torch.int64)
    return match_frame(
        Cones(
            torch.tensor([row[:2] for row in cones], dtype=torch.float64).reshape(-1, 2),
            0.01 * torch.eye(2).repeat(len(cones), 1, 1),
            torch.nn.functional.one_hot(colours, 5).double(),
            torch.tensor([row[3] for row in cones], dtype=torch.float64).logit(),
            torch.full((len(cones),), source),
        ),
        TrueCones(
            torch.tensor([row[:2] for row in truth], dtype=torch.float64).reshape(-1, 2),
            classes,
            torch.full((len(truth),), camera),
            torch.full((len(truth),), lidar),
        ),
        CONFIG,
    )


def test_rows_of_misses_and_false_cones():
    result = frame([(5, 0, B, 0.9), (9, 3, Y, 0.9)], [(5, 0, B), (8, -3, Y), (5, 4, B)])
    assert missed_truth(result, CONFIG) == [(1, "both"), (2, "both")]
    assert false_cones(result, CONFIG) == [(1, "clutter")]


@pytest.mark.parametrize(
    ("camera", "lidar", "mode"), [(True, False, "camera_only"), (False, True, "lidar_only")]
)
def test_a_miss_names_the_sensor_that_could_see_it(camera: bool, lidar: bool, mode: str):
    result = frame([], [(5, 0, B)], camera=camera, lidar=lidar)
    assert missed_truth(result, CONFIG) == [(0, mode)]


def test_truth_that_no_sensor_could_see_is_not_missed():
    assert missed_truth(frame([], [(5, 0, B)], camera=False, lidar=False), CONFIG) == []


def test_misplaced_ends_at_three_match_distances():
    near, far = frame([(5, 1.5, B, 0.9)], [(5, 0, B)]), frame([(5, 1.51, B, 0.9)], [(5, 0, B)])
    assert missed_truth(near, CONFIG) == [(0, "misplaced")]
    assert false_cones(near, CONFIG) == [(0, "misplaced")]
    assert missed_truth(far, CONFIG) == [(0, "both")]
    assert false_cones(far, CONFIG) == [(0, "clutter")]


def test_cones_below_the_existence_threshold_are_not_false():
    assert false_cones(frame([(9, 9, B, 0.4)], [(5, 0, B)]), CONFIG) == []


def test_an_unknown_colour_is_a_miss_only_where_the_camera_could_see():
    cones, truth = [(5, 0, U, 0.9)], [(5, 0, B)]
    assert missed_truth(frame(cones, truth), CONFIG) == [(0, "unknown_colour")]
    assert missed_truth(frame(cones, truth, camera=False), CONFIG) == []
    assert false_cones(frame(cones, truth, camera=False), CONFIG) == []


def test_counts_by_source_add_up_to_all():
    frames = [
        frame([(9, 9, B, 0.9)], [(5, 0, B)], source=1),
        frame([(5, 0, Y, 0.9), (7, 7, B, 0.9)], [(5, 0, B)], source=2),
    ]
    modes = count_failure_modes(frames, CONFIG)
    assert modes.misses["both"] == 1
    assert modes.misses["wrong_colour"] == 1
    assert modes.false_cones == {"wrong_colour": 1, "duplicate": 0, "misplaced": 0, "clutter": 2}
    assert modes.false_cones_by_source["camera"]["clutter"] == 1
    assert modes.false_cones_by_source["lidar"]["clutter"] == 1
    assert modes.false_cones_by_source["both"]["clutter"] == 0
    for mode, count in modes.false_cones.items():
        assert sum(of[mode] for of in modes.false_cones_by_source.values()) == count


def test_every_mode_has_a_count_without_frames():
    modes = count_failure_modes([], CONFIG)
    assert modes.misses == dict.fromkeys(MISS_MODES, 0)
    assert modes.false_cones == dict.fromkeys(FALSE_CONE_MODES, 0)
