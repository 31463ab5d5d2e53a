"""Faults in the live graph: which are tried, what counts as missed, what the report says."""

import json
import math

import pytest

from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.robustness.live_outcome import LiveOutcome, live_faults
from conegrad_evaluation.robustness.live_report import live_text
from conegrad_evaluation.robustness.robustness_report import write_robustness

GOOD = LiveOutcome(
    read_fault("camera_slow:3"), 3.0, 0.4, "pairing: no detections", 0.12, 0.1, 0.2, 0.9
)


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({}, []),
        ({"told": 1.2}, ["told after 1.20 s"]),
        ({"told": math.nan}, ["not told"]),
        ({"gap": 0.4}, ["0.40 s without cones"]),
        ({"gap": 0.5, "usual_gap": 0.5}, []),
        ({"cones": 2.5}, ["recovered after 2.50 s"]),
        ({"calm": math.nan}, ["not recovered"]),
    ],
)
def test_what_is_over_its_target_is_missed(changed, missed):
    assert GOOD._replace(**changed).missed == missed


def test_all_means_every_fault_that_messages_of_the_sensors_can_show():
    names = {fault.name for fault in live_faults(("all",), ("camera", "lidar"))}
    assert {"camera_slow", "lidar_frozen", "odometry_lost", "image_glare", "camera_yaw"} <= names
    assert "camera_moved" not in names
    alone = {fault.name for fault in live_faults(("all",), ("lidar",))}
    assert {"scan_fog", "odometry_frozen"} <= alone
    assert not any(name.startswith(("camera", "image", "no_image")) for name in alone)


def test_the_report_shows_outcomes_without_any_figures(tmp_path):
    never = GOOD._replace(told=math.nan, teller="", calm=math.nan)
    report = write_robustness(None, tmp_path, "car/3", {}, [GOOD, never])
    text = report.read_text()
    assert "no detections" in text
    assert "not told; not recovered" in text
    first, second = json.loads((tmp_path / "robustness.json").read_text())["live"]
    assert first["told"] == 0.4
    assert second["told"] is None
    assert second["missed"] == ["not told", "not recovered"]
    assert "1 of 2 faults" in live_text([GOOD, never])
