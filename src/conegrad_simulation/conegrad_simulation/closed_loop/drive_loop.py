"""The loop of a live drive: step the simulator, wait for the graph, watch the car."""

import time
from collections.abc import Callable, Sequence

from rclpy.experimental import EventsExecutor

from conegrad_data.recording.base_odometry import BASE_FRAME
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_simulation.closed_loop.animation import Film
from conegrad_simulation.closed_loop.drive_supervisor import Referee
from conegrad_simulation.closed_loop.simulator import CAMERA, Happening
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode

CHECK_PERIOD = 0.5  # [s] between two looks whether the processes still run

Progress = Callable[[float, float], None]  # share of the drive, simulated time over wall time


class DriveLoop:
    """Steps the simulator and waits for the graph, until the referee ends the drive."""

    def __init__(
        self, node: SimulatorNode, executor: EventsExecutor, processes: Sequence[GraphProcess]
    ) -> None:
        self._node, self._executor, self._processes = node, executor, processes
        self._last_check = 0.0

    def wait_for_partners(self, timeout: float) -> None:
        """Wait until perception and driver are there.

        Raises:
            GraphError: if they are not in time, or cannot start.
        """
        end = time.monotonic() + timeout
        while silent := self._node.missing():
            self._executor.spin_once(0.05)
            self._check()
            stuck = [text for text in self._problems() if "cannot configure" in text]
            if stuck or time.monotonic() > end:
                logs = "\n".join(process.log() for process in self._processes)
                said = "; ".join(self._problems()) or "the nodes report no problem"
                raise GraphError(f"nothing on {', '.join(silent)}; {said}\n{logs}")
        self._spin(0.5)  # the ways back are found as well

    def run(self, referee: Referee, film: Film, progress: Progress | None) -> None:
        """Drive until the end."""
        started = time.monotonic()
        log = referee.log
        try:
            while not log.outcome:
                happening = self._node.step()
                referee.look()
                self._node.settle(self._executor, self._check)
                self._film(film, happening)
                log.wall_seconds = time.monotonic() - started
                if progress is not None:
                    progress(referee.progress(), log.seconds / max(log.wall_seconds, 1e-9))
        finally:
            log.given_up = dict(self._node.lockstep.given_up)
        if not log.is_finished:
            said = [text for text in self._problems() if "driver" in text]
            log.outcome = "; ".join([log.outcome, *said])

    def _film(self, film: Film, happening: Happening) -> None:
        if happening.event.kind != CAMERA:
            return
        answers = self._node.answers
        if answers.cones is not None:
            film.show_cones(
                answers.cones, answers.cones_pose, in_base=answers.cones_frame == BASE_FRAME
            )
        film.show(happening.picture)

    def _problems(self) -> list[str]:
        return [f"{name}: {text}" for name, text in sorted(self._node.answers.problems.items())]

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            self._executor.spin_once(min(0.05, remaining))

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._last_check > CHECK_PERIOD:
            self._last_check = now
            for process in self._processes:
                process.check()
