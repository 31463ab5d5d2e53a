"""What the page is told: cones, returns, rates, diagnostics and what is missing."""

import json

import pytest
from view_messages import (
    CONES,
    SECOND,
    note_cones,
    note_latency,
    note_odometry,
    note_scan,
    note_scene,
    note_statuses,
)

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.page_state import PageState


def state_of(feed):
    number, content = PageState(feed).newest()
    state = json.loads(content)
    assert state["number"] == number
    return state


def test_cones_come_nearest_first_with_their_ellipses():
    feed = ViewFeed("run")
    note_cones(feed)
    cones = state_of(feed)["cones"]
    assert cones["frame"] == "lidar"
    near, far = cones["rows"]
    # Deviations of 0.1 m ahead and 0.3 m to the left: at 2 sigma the longer half axis is 0.6 m.
    assert (near["x"], near["y"], near["colour"], near["source"]) == (3.0, 1.5, "blue", "both")
    assert near["ellipse"][:2] == [0.6, 0.2]
    assert abs(near["ellipse"][2]) == pytest.approx(1.571, abs=1e-3)
    assert near["existence"] == 1.0
    assert (far["colour"], far["existence"], far["source"]) == ("yellow", 0.5, "camera")


def test_beams_without_a_return_are_left_out():
    feed = ViewFeed("run")
    note_scan(feed)
    assert state_of(feed)["returns"]["rows"] == [[0.0, -4.0, 0], [0.0, 2.0, 0]]


def test_returns_are_those_of_the_time_of_the_cones():
    feed = ViewFeed("run")
    for shift in range(3):
        note_scan(feed, stamp_ns=(1 + shift) * SECOND, frame=f"scan {1 + shift}")
    note_cones(feed, stamp_ns=2 * SECOND + 1000)
    assert state_of(feed)["returns"]["frame"] == "scan 2"


def test_motion_rates_and_latencies_are_told():
    feed = ViewFeed("run")
    note_odometry(feed)
    for milliseconds in (30, 10, 20):
        note_latency(feed, milliseconds / 1e3)
    state = state_of(feed)
    assert state["motion"]["x"] == 3.0
    assert state["motion"]["yaw"] == pytest.approx(0.5)
    (latency,) = state["latencies"]
    assert latency["topic"] == "/camera_node/processing_latency"
    assert (latency["p50"], latency["p95"]) == (20.0, 30.0)
    assert {entry["topic"] for entry in state["topics"]} == {"/odom", latency["topic"]}


def test_the_worst_status_comes_first_and_an_old_one_is_stale(monkeypatch):
    feed = ViewFeed("run")
    note_statuses(feed, camera=0, lidar=2)
    note_statuses(feed, lidar=1, fusion=2)
    statuses = state_of(feed)["statuses"]
    assert [(status["name"], status["level"]) for status in statuses] == [
        ("fusion", "ERROR"),
        ("lidar", "WARN"),
        ("camera", "OK"),
    ]
    assert statuses[0]["message"] == "fusion says so"
    later = feed.newest("diagnostics").arrival + 7.0
    monkeypatch.setattr("conegrad_nodes.view_server.statuses.time.monotonic", lambda: later)
    stale = state_of(feed)["statuses"]
    assert {status["level"] for status in stale} == {"STALE"}
    assert "7 s ago: camera says so" in [status["message"] for status in stale]


def test_what_does_not_come_is_named(monkeypatch):
    feed = ViewFeed("run", expected=("image", "scan", "cones"))
    assert state_of(feed)["missing"] == []  # too early to say
    note_scan(feed)
    start = feed.newest("scan").arrival
    for module in ("statuses", "page_state"):
        path = f"conegrad_nodes.view_server.{module}.time.monotonic"
        monkeypatch.setattr(path, lambda: start + 4.0)
    assert state_of(feed)["missing"] == [
        "nothing from the camera (image_raw or image_raw/compressed) yet",
        "nothing from the LiDAR (scan or points) for 4 s",
        "nothing from the fusion (cones) yet",
        "nothing on /diagnostics: no node of ConeGrad is on this graph, or it starts",
    ]


def test_a_message_that_cannot_be_decoded_is_named_and_the_rest_is_shown():
    feed = ViewFeed("run")
    note_scene(feed)
    feed.note("/cones", CONES, bytes(30))
    state = state_of(feed)
    assert state["cones"] is None
    assert state["returns"]["rows"]
    (fault,) = state["missing"]
    assert fault.startswith("/cones cannot be shown: ")


def test_figures_and_curves_of_a_training_are_told():
    feed = ViewFeed("training")
    feed.say("step 2 of 9")
    feed.show({"pattern": "integral"})
    feed.plot(1, {"position": 0.5, "colour": 0.25})
    feed.plot(2, {"position": 0.4})
    state = state_of(feed)
    assert (state["title"], state["activity"]) == ("training", "step 2 of 9")
    assert state["figures"] == {"pattern": "integral"}
    assert state["curves"] == {"position": [[1, 0.5], [2, 0.4]], "colour": [[1, 0.25]]}
