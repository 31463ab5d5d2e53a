"""A bag through the nodes into the feed of a live view: a real child process, real topics."""

import contextlib
import json

import pytest

from conegrad_data.bags.types import BagError
from conegrad_nodes.playback.perceive import PerceiveOptions
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.page_state import PageState
from conegrad_nodes.viewing.bag_view import view_bag

pytestmark = pytest.mark.ros


def test_inputs_and_results_of_a_bag_are_shown(drive, parameters):
    feed = ViewFeed("a drive")
    entered = []

    @contextlib.contextmanager
    def server():
        entered.append(feed.expected)
        yield

    options = PerceiveOptions(parameters=parameters)  # in lockstep
    view_bag(drive, options, feed, server())
    assert entered == [("image", "scan", "cones")]
    assert len(feed.recent("cones")) == len(feed.recent("image")) == 6
    assert feed.activity == "played 0.7 s"
    assert feed.newest("tf_static") is not None

    state = json.loads(PageState(feed).newest()[1])
    latencies = {entry["topic"] for entry in state["latencies"]}
    assert "/fusion_node/processing_latency" in latencies
    assert "fusion_node: calibration" in [status["name"] for status in state["statuses"]]
    assert "/scan" in [entry["topic"] for entry in state["topics"]]


def test_a_bag_that_is_too_short_to_loop_is_refused(drive, parameters):
    options = PerceiveOptions(parameters=parameters)
    with pytest.raises(BagError, match=r"has 0\.7 s, expected 2 s or more to loop"):
        view_bag(drive, options, ViewFeed("a drive"), contextlib.nullcontext(), loop=True)
