"""The time of a bag by its stamps and its recorder."""

from conegrad_data.recording.bag_clock import SECOND, BagClock


def times(*given):
    """Time after each (stamp, receive time) [s]."""
    clock = BagClock()
    return [clock.note(round(s * SECOND), round(r * SECOND)) / SECOND for s, r in given]


def test_it_is_the_newest_stamp_whatever_the_clock_of_the_recorder():
    assert times((100, 7), (100.1, 7.1), (100.05, 7.15), (100.2, 7.2)) == [100, 100.1, 100.1, 100.2]


def test_a_stamp_far_ahead_is_not_believed():
    assert times((100, 7), (137, 7.1), (1e8, 7.2), (100.2, 7.2)) == [100, 100, 100, 100.2]


def test_after_a_pause_of_the_recorder_stamps_count_again():
    assert times((100, 7), (160, 67), (160.1, 67.1)) == [100, 160, 160.1]


def test_while_stamps_are_back_the_time_passes_as_at_the_recorder():
    assert times((100, 7), (10, 7.5), (11, 8.5), (12, 9.5)) == [100, 100, 100.5, 101.5]


def test_a_single_late_stamp_changes_nothing():
    assert times((100, 7), (90, 7.1), (100.2, 7.2)) == [100, 100, 100.2]
