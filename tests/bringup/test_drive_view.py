"""A simulated drive as its live view shows it."""

from conegrad_bringup.drive_view import DriveView
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog, SupervisorConfig, TracePoint


def log_of_a_second_lap():
    log = DriveLog(length=100.0, lap_times=[12.5], touched=[4], clearance=0.75, wall_seconds=30.0)
    log.trace.append(TracePoint(15.0, 1.0, 2.0, 0.0, 6.0, -0.25, 120.0))
    return log


def test_the_figures_are_those_of_the_drive_until_now():
    feed = ViewFeed("drive")
    view = DriveView(feed, SupervisorConfig(laps=3))
    view.follow(log_of_a_second_lap())
    assert feed.figures == {}  # nobody looks
    feed.look()
    view.follow(log_of_a_second_lap())
    assert feed.activity == "driving: 15.0 s"
    assert feed.figures == {
        "lap": "2 of 3",
        "driven": "120.0 m of 100.0 m a lap",
        "off the centre line": "0.25 m",
        "cones touched": "1",
        "nearest cone so far": "0.75 m",
        "simulated": "0.5 s per s",
        "lap times": "12.50 s",
    }


def test_messages_of_the_drive_reach_the_feed():
    feed = ViewFeed("drive")
    DriveView(feed, SupervisorConfig()).note("/scan", "sensor_msgs/msg/LaserScan", b"beams")
    assert feed.newest("scan").data == b"beams"
