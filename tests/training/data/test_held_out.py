import pytest

from conegrad_training.data.held_out import held_out_rows


def test_the_last_third_of_every_recording_is_kept_aside():
    rows = held_out_rows({"one": 9, "other": 4}, "")
    assert list(range(9))[rows["one"].training] == [0, 1, 2, 3, 4, 5]
    assert list(range(9))[rows["one"].held_out] == [6, 7, 8]
    assert list(range(4))[rows["other"].training] == [0, 1, 2]
    assert list(range(4))[rows["other"].held_out] == [3]


def test_named_recordings_are_kept_aside_as_a_whole():
    rows = held_out_rows({"one": 2, "other": 4}, "other")
    assert list(range(2))[rows["one"].training] == [0, 1]
    assert list(range(2))[rows["one"].held_out] == []
    assert list(range(4))[rows["other"].training] == []
    assert list(range(4))[rows["other"].held_out] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("lengths", "names", "message"),
    [
        pytest.param({"a": 9}, "b", "held_out has 'b', expected some of a", id="unknown name"),
        pytest.param({"a": 9, "b": 9}, "a, b", "nothing is left to learn from", id="all of them"),
        pytest.param({"a": 2}, "", "a has 2 rows, expected at least 3", id="too short"),
    ],
)
def test_refuses_a_split_that_leaves_a_side_empty(lengths, names, message):
    with pytest.raises(ValueError, match=message):
        held_out_rows(lengths, names)
