"""Settings refuse values out of bounds, and replace words that were renamed."""

import logging
import math
from dataclasses import dataclass

import pytest

from conegrad_core.settings import Config, SettingError, setting


@dataclass(frozen=True)
class Turn(Config):
    """Settings of this test."""

    angle: float = setting(0.0, "[rad]", low=-1.0, high=1.0)
    count: int = setting(1, "How often", low=1)
    limits: tuple[float, ...] = setting((0.0, 1.0), "[m]", high=5.0)
    order: str = setting("left_first", "left_first or right_first")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("order", ("left_first", "right_first"), {"left": "left_first"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"angle": 2.0}, r"Turn\.angle is 2\.0, expected a value in \[-1\.0, 1\.0\]"),
        ({"angle": math.nan}, r"Turn\.angle is nan, expected a value in"),
        ({"count": 0}, r"Turn\.count is 0, expected at least 1"),
        ({"count": True}, r"Turn\.count is True, expected a number"),
        ({"limits": (1.0, 6.0)}, r"Turn\.limits is 6\.0, expected at most 5\.0"),
        ({"order": "up"}, r"Turn\.order is 'up', expected one of left_first, right_first"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_was_expected(values, message):
    with pytest.raises(SettingError, match=f"^{message}"):
        Turn(**values)


def test_a_refusal_names_the_option_where_one_was_typed():
    with pytest.raises(SettingError) as refused:
        Turn(angle=2.0)
    assert refused.value.by_option == "--angle is 2.0, expected a value in [-1.0, 1.0]"


def test_a_renamed_word_is_replaced_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert Turn(order="left").order == "left_first"
    assert caplog.messages == ["order left is now order left_first (until 0.3)"]
