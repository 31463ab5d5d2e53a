"""Which candidates are published, and that each cone is published once."""

import pytest
import torch

from conegrad_core.cones import ConeClass, Cones
from conegrad_core.fusion.selection import select_cones


def candidates(positions, logits, colours, source):
    one_hot = torch.nn.functional.one_hot(torch.tensor(colours), 5).float()
    covariances = torch.eye(2).repeat(len(positions), 1, 1)
    return Cones(
        torch.tensor(positions), covariances, one_hot, torch.tensor(logits), torch.tensor(source)
    )


BLUE, YELLOW, UNKNOWN = ConeClass.BLUE, ConeClass.YELLOW, ConeClass.UNKNOWN


def test_keeps_what_probably_exists_best_first():
    cones = candidates([[1.0, 0], [2, 0], [3, 0]], [0.1, -0.1, 2.0], [BLUE] * 3, [3, 3, 3])
    assert select_cones(cones).positions.tolist() == [[3, 0], [1, 0]]
    assert len(select_cones(cones, min_existence=0.6).positions) == 1


def test_duplicates_leave_the_best_one():
    cones = candidates([[5.0, 0], [5.2, 0], [5.6, 0]], [1.0, 2.0, 0.5], [BLUE] * 3, [1, 2, 3])
    kept = select_cones(cones)
    assert kept.positions[:, 0].tolist() == pytest.approx([5.2, 5.6])
    assert len(select_cones(cones, merge_distance=0.0).positions) == 3


def test_a_cone_without_colour_takes_that_of_its_duplicate():
    cones = candidates([[5.0, 0], [5.1, 0]], [2.0, 1.0], [UNKNOWN, YELLOW], [2, 1])
    kept = select_cones(cones)
    assert kept.positions.tolist() == [[5.0, 0.0]]
    assert kept.colours.argmax(-1).tolist() == [YELLOW]
    assert kept.source.tolist() == [3]


def test_a_known_colour_stays():
    cones = candidates([[5.0, 0], [5.1, 0]], [2.0, 1.0], [BLUE, YELLOW], [3, 1])
    assert select_cones(cones).colours.argmax(-1).tolist() == [BLUE]


def test_nothing_selected_keeps_its_shapes():
    cones = candidates([[5.0, 0]], [-2.0], [BLUE], [3])
    kept = select_cones(cones)
    assert kept.positions.shape == (0, 2)
    assert kept.covariances.shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_existence": 0.0}, "min_existence is 0.0, expected a value between 0 and 1"),
        ({"merge_distance": -1.0}, "merge_distance is -1.0 m, expected 0 or more"),
    ],
)
def test_refuses_bad_settings(settings, message):
    cones = candidates([[5.0, 0]], [-2.0], [BLUE], [3])
    with pytest.raises(ValueError, match=message):
        select_cones(cones, **settings)
