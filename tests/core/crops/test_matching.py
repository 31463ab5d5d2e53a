"""Which true cone a crop shows."""

import torch

from conegrad_core.crops.cutting import windows_around
from conegrad_core.crops.matching import NONE, match_crops

TRUE_BOXES = torch.tensor([[10.0, 10.0, 24.0, 30.0], [30.0, 10.0, 44.0, 30.0]])


def matches(*boxes: list[float]) -> list[int]:
    return match_crops(windows_around(torch.tensor(boxes)), TRUE_BOXES).tolist()


def test_a_window_belongs_to_the_box_that_it_covers_best():
    assert matches([31.0, 9.0, 45.0, 29.0], [11.0, 12.0, 23.0, 31.0]) == [1, 0]


def test_several_windows_may_show_one_cone():
    assert matches([10.0, 10.0, 24.0, 30.0], [11.0, 11.0, 25.0, 31.0]) == [0, 0]


def test_a_window_elsewhere_or_of_another_size_shows_none():
    assert matches([60.0, 10.0, 74.0, 30.0], [10.0, 15.0, 20.0, 22.0]) == [NONE, NONE]


def test_nothing_matches_nothing():
    assert match_crops(torch.zeros(0, 4), TRUE_BOXES).shape == (0,)
    assert match_crops(windows_around(TRUE_BOXES), torch.zeros(0, 4)).tolist() == [NONE, NONE]
