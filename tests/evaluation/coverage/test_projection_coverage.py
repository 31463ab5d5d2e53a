import numpy as np
import pytest

from conegrad_evaluation.coverage.condition_space import ConditionSpace, read_condition_space
from conegrad_evaluation.coverage.conditions import FrameConditions
from conegrad_evaluation.coverage.projection_coverage import Observed, coverage

SPACE = ConditionSpace(
    of_frames={"light": ("day", "dark"), "speed": ("slow", "fast")},
    of_cones={"colour": ("blue", "yellow")},
    weights={},
    impossible=frozenset(),
    required=1,
)


def seen(block, light, speed, colours, wrong):
    conditions = FrameConditions(
        {"light": light, "speed": speed}, {"colour": np.array(colours, dtype=np.int64)}
    )
    return Observed(block, conditions, np.array(wrong, dtype=bool))


DAY = seen(0, "day", "slow", [0, 1], [False, False])
DARK = seen(1, "dark", "slow", [0], [True])


def test_each_pair_of_values_is_counted():
    found = coverage([DAY, DARK], SPACE)
    # day-slow, dark-slow; day-blue, day-yellow, dark-blue; slow-blue, slow-yellow
    assert (found.pairs, found.covered, found.share) == (12, 7, 7 / 12)
    assert found.by_condition["light", "speed"] == 0.5


def test_a_pair_counts_once_per_block():
    twice = ConditionSpace(**{**vars(SPACE), "required": 2})
    alike = coverage([DAY, DAY, DARK], twice)
    apart = coverage([DAY, DAY._replace(block=2), DARK], twice)
    assert (alike.covered, apart.covered) == (1, 5)  # alike: only slow-blue in both blocks
    assert alike.share == 8 / 24


def test_the_drive_that_shows_most_missing_pairs_is_suggested_first():
    found = coverage([DAY, DARK], SPACE)
    # dark and fast: dark-fast, dark-yellow, fast-blue, fast-yellow are missing
    first, second = found.suggestions
    assert first.drive == {"light": "dark", "speed": "fast"}
    assert len(first.pairs) == 4
    assert second.drive == {"light": "day", "speed": "fast"}
    assert second.pairs == ((("light", "day"), ("speed", "fast")),)


def test_errors_nearby_make_a_missing_pair_worth_more():
    hard = seen(1, "dark", "slow", [0] * 200, [True] * 200)
    easy = seen(0, "day", "slow", [0] * 200, [False] * 200)
    found = coverage([easy, hard], SPACE)
    errors = {gap.pair: gap.error for gap in found.missing}
    dark_fast = errors[("light", "dark"), ("speed", "fast")]
    assert dark_fast > 1.5 * errors[("light", "day"), ("speed", "fast")]


def test_errors_of_a_condition_that_was_made_belong_to_it_alone():
    made = seen(1, "dark", "slow", [0] * 200, [True] * 200)._replace(made="light")
    easy = seen(0, "day", "slow", [0] * 200, [False] * 200)
    found = coverage([easy, made], SPACE)
    assert found.error["light", "dark"] > 0.9
    assert found.error["colour", "blue"] < 0.01


def test_impossible_pairs_and_values_without_weight_are_left_out():
    space = ConditionSpace(
        **{
            **vars(SPACE),
            "impossible": frozenset({frozenset({("light", "dark"), ("speed", "fast")})}),
            "weights": {("colour", "yellow"): 0.0},
        }
    )
    found = coverage([DAY], space)
    assert found.pairs == 3 + 2 + 2
    assert all(s.drive != {"light": "dark", "speed": "fast"} for s in found.suggestions)


def test_a_file_adds_conditions_labels_and_weights(tmp_path):
    path = tmp_path / "conditions.yaml"
    path.write_text(
        "labels: {wet_lap: {weather: rain}}\nvalues: {weather: [dry, rain]}\n"
        "weights: {colour: {big_orange: 2}}\nimpossible: [{weather: rain, light: glare}]\n"
        "required: 5\n"
    )
    space = read_condition_space(path)
    assert space.values["weather"] == ("dry", "rain")
    assert space.labels == {"wet_lap": {"weather": "rain"}}
    assert space.weight(("colour", "big_orange")) == 2.0
    assert frozenset({("weather", "rain"), ("light", "glare")}) in space.impossible


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("label: {}", "conditions.yaml:1: label"),
        ("labels: {lap: {light: bright}}", "light is 'bright', expected one of dark, dim"),
        ("values: {weather: [dry]}", "expected a list of two values or more"),
        ("impossible: [{light: dark}]", "has 1 conditions, expected two"),
        ("weights: {colour: {blue: -1}}", "blue is -1, expected a number of at least 0"),
        ("required: 0", "required is 0, expected a whole number"),
    ],
)
def test_refuses_what_is_no_condition(tmp_path, text, fault):
    path = tmp_path / "conditions.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=fault):
        read_condition_space(path)
