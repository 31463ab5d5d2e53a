"""A drive of the simulated car as a live view shows it."""

import contextlib
import time
from collections.abc import Iterator

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_nodes.view_server.view import served
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog, SupervisorConfig
from conegrad_simulation.closed_loop.live_drive import DriveFollower, DriveOptions

PERIOD = 0.5  # [s] between two changes of the figures


class DriveView:
    """Passes messages and figures of a drive to a feed."""

    def __init__(self, feed: ViewFeed, supervisor: SupervisorConfig) -> None:
        self._feed, self._laps = feed, supervisor.laps
        self._due = 0.0
        self.note = feed.note

    def follow(self, log: DriveLog) -> None:
        """Show the figures until now, if somebody looks."""
        if time.monotonic() < self._due or not self._feed.is_watched:
            return
        self._due = time.monotonic() + PERIOD
        figures = log.summary()
        self._feed.say(f"driving: {log.seconds:.1f} s")
        done = len(log.lap_times)
        shown = {
            "lap": f"{min(done + 1, self._laps)} of {self._laps}",
            "driven": f"{figures['driven']} m of {figures['lap_length']} m a lap",
            "off the centre line": f"{abs(log.trace[-1].lateral):.2f} m",
            "cones touched": str(figures["cones_touched"]),
            "nearest cone so far": f"{log.clearance:.2f} m",
            "simulated": f"{figures['sim_time_factor']} s per s",
        }
        if done:
            shown["lap times"] = ", ".join(f"{value:.2f} s" for value in log.lap_times)
        self._feed.show(shown)


@contextlib.contextmanager
def drive_view(config: ViewConfig, options: DriveOptions) -> Iterator[DriveFollower | None]:
    """Serve a drive while the block runs; None where nobody wants to look.

    Raises:
        OSError: if a port cannot be had.
    """
    if not config.view:
        yield None
        return
    feed = ViewFeed(f"Drive: {options.scene.track}", expected=("image", "scan", "cones"))
    feed.say("starting perception and driver")
    with served(feed, config):
        yield DriveView(feed, options.supervisor)
