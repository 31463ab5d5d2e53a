"""The simulated car: commands move it, and its odometry drifts."""

import math
from collections import deque

from conegrad_core.vehicle import ChassisPreset
from conegrad_simulation.closed_loop.bicycle import (
    BicycleConfig,
    BicycleState,
    DriveCommand,
    move,
    yaw_rate,
)
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.attitude import Attitude
from conegrad_simulation.recording.drive import CarState, OdometryDrift

STOP = DriveCommand(0.0, 0.0)


class SimulatedCar:
    """A car that stands at a pose until it is commanded to drive.

    Attributes:
        time: up to which it has been moved [s].
    """

    def __init__(
        self,
        start: Pose,
        chassis: ChassisPreset,
        config: BicycleConfig,
        attitude: Attitude,
        drift: OdometryDrift,
    ) -> None:
        """Place the car.

        Args:
            start: pose of ``base_link`` in the map.
            chassis: size and limits of the car.
            config: lags and delay of the actuators.
            attitude: pitch and roll of the body.
            drift: errors of the odometry.
        """
        self._chassis, self._config = chassis, config
        self._attitude, self._drift = attitude, drift
        self._state = BicycleState(*start)
        self._command = STOP
        self._queue: deque[tuple[float, DriveCommand]] = deque()
        self._odometry = start
        self.time = 0.0

    def command(self, command: DriveCommand) -> None:
        """Give a command now; it reaches the actuators after their delay."""
        self._queue.append((self.time + self._config.delay, command))

    def advance(self, time: float) -> None:
        """Move the car to a time [s]; an earlier time changes nothing."""
        while self._queue and self._queue[0][0] <= time:
            due, command = self._queue.popleft()
            self._move(max(due, self.time))
            self._command = command
        self._move(max(time, self.time))

    def state(self, time: float) -> CarState:
        """State of the car now.

        Raises:
            ValueError: if ``time`` is not that up to which it has been moved [s].
        """
        if abs(time - self.time) > 1e-6:
            raise ValueError(f"time is {time}, expected {self.time}, up to which the car has moved")
        state = self._state
        rate = yaw_rate(state, self._chassis)
        pitch, roll = self._attitude.at(self.time, state.acceleration, state.speed * rate)
        return CarState(self.pose, state.speed, rate, pitch, roll)

    @property
    def pose(self) -> Pose:
        """True pose of ``base_link`` in the map."""
        return Pose(self._state.x, self._state.y, self._state.yaw)

    @property
    def odometry(self) -> Pose:
        """Pose that the odometry reports; equal to the true one at the start."""
        return self._odometry

    @property
    def is_commanded(self) -> bool:
        """Whether a command was given."""
        return bool(self._queue) or self._command != STOP

    def _move(self, time: float) -> None:
        seconds = time - self.time
        if seconds <= 0.0:
            return
        before = self._state
        self._state = move(before, self._command, seconds, self._chassis, self._config)
        self._odometry = _reckoned(self._odometry, before, self._state, seconds, self._drift)
        self.time = time


def _reckoned(
    pose: Pose, before: BicycleState, after: BicycleState, seconds: float, drift: OdometryDrift
) -> Pose:
    """Pose of the odometry after a true motion."""
    turn = pose.yaw - before.yaw
    scale = 1.0 + drift.speed_error
    dx, dy = scale * (after.x - before.x), scale * (after.y - before.y)
    return Pose(
        pose.x + math.cos(turn) * dx - math.sin(turn) * dy,
        pose.y + math.sin(turn) * dx + math.cos(turn) * dy,
        after.yaw + turn + drift.yaw_rate_bias * seconds,
    )
