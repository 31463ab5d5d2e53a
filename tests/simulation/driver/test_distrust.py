"""When contradictions stop the car, and when it may drive on."""

from conegrad_core.consistency.reason import Reason
from conegrad_simulation.driver.distrust import Distrust

SWAPPED = Reason("colours_swapped", "60 % of the near cones have the colour of the other side")
DARK = Reason("image_unlike", "dark")


def feed(distrust, messages, start=0):
    """Messages at 10 Hz, 1 for a contradiction."""
    for number, is_wrong in enumerate(messages, start):
        distrust.observe(number * 100_000_000, [SWAPPED] if is_wrong else [])


def test_one_contradiction_is_a_glitch_and_three_in_a_row_are_too_many():
    distrust = Distrust(0.2)
    feed(distrust, [0, 1, 0, 0, 0, 0])
    assert not distrust.is_too_long
    feed(distrust, [1, 1, 1], start=6)
    assert distrust.is_too_long
    assert distrust.text == str(SWAPPED)


def test_a_contradiction_in_every_other_message_stops_the_car_as_well():
    distrust = Distrust(0.2)
    feed(distrust, [0, 1] * 6)
    assert distrust.is_too_long


def test_the_car_drives_on_after_two_seconds_without_contradiction():
    distrust = Distrust(0.2)
    feed(distrust, [0] + [1] * 50)
    feed(distrust, [0] * 18, start=51)
    assert distrust.is_too_long
    feed(distrust, [0] * 3, start=69)
    assert not distrust.is_too_long


def test_reasons_that_only_shorten_the_view_do_not_stop_it():
    distrust = Distrust(0.2)
    for number in range(50):
        distrust.observe(number * 100_000_000, [DARK])
    assert not distrust.is_too_long
