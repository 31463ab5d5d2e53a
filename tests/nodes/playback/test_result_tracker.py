"""Which results were received, and which were lost."""

from conegrad_nodes.playback.result_tracker import AwaitedResults, ResultCounts, ResultTracker

MILLISECOND = 1_000_000


def test_an_answer_belongs_to_the_input_of_its_stamp():
    stage = AwaitedResults("images")
    stage.send(10)
    stage.send(20)
    latency = stage.receive(10, stage.waiting[10] + 0.25)
    assert latency == 0.25
    assert list(stage.waiting) == [20]
    assert stage.counts() == ResultCounts(sent=2, received=1, lost=0)


def test_an_answer_that_nobody_waits_for_is_not_counted():
    stage = AwaitedResults("images")
    assert stage.receive(10, 1.0) is None
    assert stage.counts() == ResultCounts(0, 0, 0)


def test_what_is_given_up_is_lost_by_stamp():
    stage = AwaitedResults("images")
    for stamp in (10, 20, 30):
        stage.send(stamp)
    assert stage.give_up(20) == [10, 20]
    assert stage.lost == [10, 20]
    assert not stage.is_idle()


def test_cones_are_overdue_once_the_other_sensor_has_passed():
    tracker = ResultTracker()
    tracker.fusions.send(100 * MILLISECOND)
    assert tracker.overdue(300 * MILLISECOND) == 0  # no scan yet: the pair is not decided
    tracker.note_partner(110 * MILLISECOND)
    assert tracker.overdue(200 * MILLISECOND) == 0  # decided, but it may still be on its way
    assert tracker.overdue(300 * MILLISECOND) == 100 * MILLISECOND


def test_cones_are_overdue_after_the_timeout_of_the_pairing_without_the_other_sensor():
    tracker = ResultTracker()
    tracker.fusions.send(100 * MILLISECOND)
    assert tracker.overdue(451 * MILLISECOND) == 100 * MILLISECOND


def test_the_age_is_that_of_the_oldest_input_on_its_way():
    stage = AwaitedResults("images")
    assert stage.oldest_age(500 * MILLISECOND) == 0.0
    stage.send(100 * MILLISECOND)
    stage.send(200 * MILLISECOND)
    assert stage.oldest_age(500 * MILLISECOND) == 0.4
