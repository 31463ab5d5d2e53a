"""Loop of a live drive: step the simulator, wait for the graph, check the car."""

import time
from collections.abc import Callable, Sequence

from rclpy.experimental import EventsExecutor

from conegrad_data.recording.base_odometry import BASE_FRAME
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_simulation.closed_loop.animation import DriveAnimation
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog, DriveSupervisor
from conegrad_simulation.closed_loop.simulator import CAMERA, EventOutput
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode

CHECK_PERIOD = 0.5  # [s] between two checks of the processes

ProgressCallback = Callable[
    [float, float], None
]  # share of the drive, simulated time over wall time


FollowCallback = Callable[[DriveLog], None]


class DriveLoop:
    """Steps the simulator and waits for the graph, until the supervisor ends the drive."""

    def __init__(
        self, node: SimulatorNode, executor: EventsExecutor, processes: Sequence[GraphProcess]
    ) -> None:
        self._node, self._executor, self._processes = node, executor, processes
        self._last_check = 0.0

    def wait_for_partners(self, timeout: float) -> None:
        """Wait until perception and driver have joined the graph.

        Args:
            timeout: longest wait [s].

        Raises:
            GraphError: if they do not join in time, or cannot start.
        """
        end = time.monotonic() + timeout
        while missing := self._node.missing_partners():
            self._executor.spin_once(0.05)
            self._check()
            stuck = [text for text in self._problems() if "cannot configure" in text]
            if stuck or time.monotonic() > end:
                logs = "\n".join(process.log() for process in self._processes)
                problems = "; ".join(self._problems()) or "the nodes report no problem"
                raise GraphError(f"nothing on {', '.join(missing)}; {problems}\n{logs}")
        self._spin(0.5)  # subscriptions in the other direction are discovered as well

    def run(
        self,
        supervisor: DriveSupervisor,
        animation: DriveAnimation,
        progress: ProgressCallback | None,
        follow: FollowCallback | None = None,
    ) -> None:
        """Step the simulation until the supervisor ends the drive.

        Args:
            supervisor: measures the drive and ends it.
            animation: gets the image and the newest cones of each camera event.
            progress: called with the share of the drive and the speed against wall time.
            follow: called with the measurements until now.
        """
        started = time.monotonic()
        log = supervisor.log
        try:
            while not log.outcome:
                output = self._node.step()
                supervisor.update()
                self._node.wait_until_due(self._executor, self._check)
                self._animate(animation, output)
                log.wall_seconds = time.monotonic() - started
                if progress is not None:
                    progress(supervisor.progress(), log.seconds / max(log.wall_seconds, 1e-9))
                if follow is not None:
                    follow(log)
        finally:
            log.missing_results = dict(self._node.lockstep.missing_results)
        if not log.is_finished:
            problems = [text for text in self._problems() if "driver" in text]
            log.outcome = "; ".join([log.outcome, *problems])

    def _animate(self, animation: DriveAnimation, output: EventOutput) -> None:
        if output.event.kind != CAMERA:
            return
        monitor = self._node.monitor
        if monitor.cones is not None:
            animation.set_cones(
                monitor.cones, monitor.cones_pose, in_base=monitor.cones_frame == BASE_FRAME
            )
        animation.add_frame(output.picture)

    def _problems(self) -> list[str]:
        return [f"{name}: {text}" for name, text in sorted(self._node.monitor.problems.items())]

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
