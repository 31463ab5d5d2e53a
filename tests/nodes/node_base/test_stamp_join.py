"""Results of one image that come on several topics."""

from conegrad_nodes.node_base.stamp_join import FEW, MANY, StampJoin

TOPICS = {"detections": "/detections", "keypoints": "/keypoints"}


def test_parts_meet_by_their_stamps_in_the_order_of_the_topics():
    join = StampJoin(TOPICS)
    assert join.add("keypoints", 1, "k1") is None
    assert join.add("keypoints", 2, "k2") is None
    found = join.add("detections", 1, "d1")
    assert list(found.items()) == [("detections", "d1"), ("keypoints", "k1")]
    assert join.add("detections", 2, "d2") == {"detections": "d2", "keypoints": "k2"}


def test_one_topic_needs_no_other():
    assert StampJoin({"detections": "/detections"}).add("detections", 5, "d") == {"detections": "d"}


def test_what_is_older_than_a_complete_stamp_is_dropped_and_soon_told():
    join = StampJoin(TOPICS)
    for stamp in range(FEW):
        join.add("detections", stamp, "d")
    assert join.fault() == ""  # they may be on their way
    join.add("detections", FEW, "d")
    assert join.add("keypoints", FEW, "k") is not None
    assert join.dropped == FEW
    assert join.fault() == ""  # the newest is complete


def test_a_topic_that_stays_away_is_named_with_the_reason():
    join = StampJoin(TOPICS)
    for stamp in range(MANY):
        join.add("detections", stamp, "d")
    assert join.fault() == (
        f"the last {MANY} stamps came on some of the inputs only: nothing with the stamps of "
        "/detections on /keypoints, expected equal stamps on /detections, /keypoints"
    )
    join.clear()
    assert join.fault() == ""


def test_stamps_that_never_meet_are_told_and_do_not_pile_up():
    join = StampJoin(TOPICS)
    for stamp in range(0, 200, 2):
        join.add("detections", stamp, "d")
        join.add("keypoints", stamp + 1, "k")
    assert "no stamp is on all of them" in join.fault()
    assert join.dropped >= 140
