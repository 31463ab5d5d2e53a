"""Where the car was a moment ago, for images that were taken earlier than their stamps say."""

from collections import deque

from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive import CarState

LONGEST = 600.0  # [s] that is kept: a camera may be frozen for that long


class CarHistory:
    """States of a car by time; a :class:`conegrad_simulation.recording.drive.Motion`."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._states: deque[CarState] = deque()

    def add(self, time: float, state: CarState) -> None:
        """Keep a state; one at the time of the newest replaces it."""
        if self._times and time <= self._times[-1]:
            self._states[-1] = state
            return
        self._times.append(time)
        self._states.append(state)
        while self._times[0] < time - LONGEST:
            self._times.popleft()
            self._states.popleft()

    def state(self, time: float) -> CarState:
        """State at a time [s], interpolated; before the first it stood where it was then."""
        after = next((k for k, t in enumerate(reversed(self._times)) if t <= time), None)
        if after is None:
            return self._states[0]
        if after == 0:
            return self._states[-1]
        a, b = self._states[-after - 1], self._states[-after]
        before, span = self._times[-after - 1], self._times[-after] - self._times[-after - 1]
        share = (time - before) / span
        pairs = zip((*a.pose, *a[1:]), (*b.pose, *b[1:]), strict=True)
        x, y, yaw, *others = (first + share * (last - first) for first, last in pairs)
        return CarState(Pose(x, y, yaw), *others)
