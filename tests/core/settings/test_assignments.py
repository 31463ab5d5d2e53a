"""Names with values of a command line."""

import pytest

from conegrad_core.settings.assignments import read_assignments


def test_values_are_read_as_yaml():
    values = read_assignments(["a.b=1.5", "c=true", "d=text", "e=[1, 2]", "f=x=y"], "--set")
    assert values == {"a.b": 1.5, "c": True, "d": "text", "e": [1, 2], "f": "x=y"}
    assert read_assignments(["a=1e-3"], "--set") == {"a": 0.001}  # as in ROS, not as in PyYAML


def test_of_two_words_with_one_name_the_later_one_counts():
    assert read_assignments(["a=1", "a=2"], "--set") == {"a": 2}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("a", "--set 'a': expected name=value"),
        ("=1", "--set '=1': expected name=value"),
        ("a=[1", r"--set a=\[1: invalid YAML in line 1, column 3"),
    ],
)
def test_another_form_is_refused(word, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        read_assignments([word], "--set")
