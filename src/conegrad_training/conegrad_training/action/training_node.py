"""Training node: an action that trains on bags, with progress that can be watched."""

import math
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from conegrad_msgs.action import Train
from conegrad_msgs.msg import TrainingStatus
from rclpy._rclpy_pybind11 import RCLError
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions

from conegrad_core.settings import Config, setting
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_training.action.goal_run import CANCELLED, COMPLETED, FAILED, Outcome, run_goal
from conegrad_training.action.goal_settings import (
    GoalSettings,
    check_goal,
    read_goal_settings,
    run_folder,
)
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.progress import Progress

# Who comes late sees the last status alone. Who listens misses none that another follows at once,
# since each waits until the one before has arrived.
STATUS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ARRIVAL = Duration(seconds=0.2)  # longest wait for that
PATIENCE = 5.0  # [s] without such waits after one that was in vain: somebody was cut off
THREADS = 3  # one trains, the others answer
FAREWELL = 3.0  # [s] after the last run, for its result to reach the client
WAKE_PERIOD = 0.2  # [s] between two checks whether the process was asked to stop


@dataclass(frozen=True)
class TrainingNodeConfig(Config):
    """Settings of the training node."""

    output: str = setting("runs", "Folder in which each run gets a folder of its own")


class TrainingNode(Node):  # type: ignore[misc]
    """Trains on bags when asked; the same run as ``conegrad train``.

    One run at a time, in a thread of its own: other goals are refused, with the reason in the log
    and in the status. Cancelling writes a checkpoint and states where it is. The node needs an
    executor with several threads.

    Serves: action ``train`` (conegrad_msgs/Train).
    Publishes: ``training_status`` (conegrad_msgs/TrainingStatus).
    Parameters: the fields of :class:`TrainingNodeConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("training_node", **node_options)
        self._config = declare_config(self, TrainingNodeConfig)
        self._status = TrainingStatus(state="idle")
        self._publisher = self.create_publisher(TrainingStatus, "training_status", STATUS)
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._waits_from = -math.inf  # time.monotonic() from which statuses wait again
        self._settings: GoalSettings | None = None  # of the run in progress
        self._output = Path()  # of that run
        self._is_stopping = False
        self._ended = -math.inf  # time.monotonic() at the end of the last run
        self._server = ActionServer(
            self,
            Train,
            "train",
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )
        self._tell("ready")

    @property
    def is_training(self) -> bool:
        """A run is in progress."""
        return self._settings is not None

    @property
    def is_owing(self) -> bool:
        """A run is in progress, or its result may still be on the way to the client."""
        return self.is_training or time.monotonic() < self._ended + FAREWELL

    def stop(self) -> None:
        """Let the run in progress end after its step, with a checkpoint; take no other."""
        self._is_stopping = True

    def destroy_node(self) -> None:
        """Close the action, then destroy."""
        self._server.destroy()
        super().destroy_node()

    def _on_goal(self, goal: Any) -> GoalResponse:
        with self._lock:
            try:
                self._settings, self._output = self._checked(goal)
            except (ValueError, OSError) as error:
                self.get_logger().warning(f"refused a goal: {error}")
                self._tell(f"refused a goal: {getattr(error, 'outline', error)}")
                return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _checked(self, goal: Any) -> tuple[GoalSettings, Path]:
        """Settings and folder of a goal that can be begun."""
        if self._is_stopping:
            raise ValueError("the node is about to end")
        if self._settings is not None:
            raise ValueError(f"a run is in progress in {self._status.run or 'a new folder'}")
        if not goal.bags:
            raise ValueError("bags is empty, expected at least one path")
        missing = [bag for bag in goal.bags if not Path(bag).exists()]
        if missing:
            raise ValueError(f"bags has {missing[0]!r}, which does not exist on this machine")
        path = Path(goal.config) if goal.config else None
        settings = read_goal_settings(path, goal.pattern, goal.steps)
        root = Path(self._config.output).expanduser()
        check_goal(settings, root)
        return settings, run_folder(root, settings).absolute()

    def _on_cancel(self, goal_handle: Any) -> CancelResponse:
        self._tell("asked to stop")
        return CancelResponse.ACCEPT

    def _execute(self, goal_handle: Any) -> Train.Result:
        settings = self._settings
        if settings is None:
            raise RuntimeError("a goal runs that was not accepted")
        try:
            return self._run(goal_handle, settings, self._output)
        except Exception as error:
            self._tell(f"failed: {error!r}, see the log of the node", state=FAILED, eta=0.0)
            raise  # a fault of the program: rclpy logs it and aborts the goal
        finally:
            self._ended = time.monotonic()
            self._settings = None

    def _run(self, goal_handle: Any, settings: GoalSettings, output: Path) -> Train.Result:
        self._tell(
            f"preparing a run in {output}",
            state="preparing",
            run=str(output),
            pattern=settings.training.pattern.pattern,
            step=0,
            total_steps=settings.training.run.steps,
            loss_names=[],
            loss_values=[],
        )

        def on_step(report: StepReport, progress: Progress) -> None:
            self._on_step(report, progress)
            goal_handle.publish_feedback(Train.Feedback(status=self._status))

        outcome = run_goal(
            [Path(bag) for bag in goal_handle.request.bags],
            settings,
            output,
            on_step=on_step,
            is_cancelled=lambda: goal_handle.is_cancel_requested or self._is_stopping,
            clock=time.monotonic,
        )
        return self._finish(goal_handle, outcome)

    def _on_step(self, report: StepReport, progress: Progress) -> None:
        self._tell(
            f"step {progress.done} of {progress.total}",
            state="training",
            step=progress.done,
            total_steps=progress.total,
            loss_names=list(report.losses),
            loss_values=list(report.losses.values()),
            steps_per_second=progress.steps_per_second,
            eta=progress.eta,
        )

    def _finish(self, goal_handle: Any, outcome: Outcome) -> Train.Result:
        self._tell(outcome.message, state=outcome.state, eta=0.0)
        level = self.get_logger().error if outcome.state == FAILED else self.get_logger().info
        level(outcome.message)
        if outcome.state == COMPLETED:
            goal_handle.succeed()
        elif outcome.state == CANCELLED and goal_handle.is_cancel_requested:
            goal_handle.canceled()
        else:
            goal_handle.abort()
        return Train.Result(
            completed=outcome.state == COMPLETED,
            output=self._status.run,
            checkpoint=str(outcome.checkpoint or ""),
            message=outcome.message,
        )

    def _tell(self, message: str, **changes: Any) -> None:
        """Publish the status with a new message and changed fields; any thread may call it."""
        with self._telling:
            for name, value in changes.items():
                setattr(self._status, name, value)
            self._status.message = message
            self._status.header.stamp = self.get_clock().now().to_msg()
            self._await_arrival()
            self._publisher.publish(self._status)

    def _await_arrival(self) -> None:
        """Wait until the last status has arrived: the next one takes its place."""
        if time.monotonic() < self._waits_from:
            return
        try:
            if not self._publisher.wait_for_all_acked(ARRIVAL):
                self._waits_from = time.monotonic() + PATIENCE
        except RCLError:  # a middleware that cannot tell
            self._waits_from = math.inf


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_node``."""
    is_asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: is_asked_to_stop.set())
    # Not the handlers of rclpy: they would cut the line before the checkpoint could be reported.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = TrainingNode()
    except ValueError as error:
        rclpy.try_shutdown()
        raise SystemExit(str(error)) from error
    executor = MultiThreadedExecutor(THREADS)
    executor.add_node(node)
    try:
        while not is_asked_to_stop.is_set():
            executor.spin_once(WAKE_PERIOD)
        node.stop()
        while node.is_owing:
            executor.spin_once(WAKE_PERIOD)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
