"""How fast a run is, and when it will be done."""

from collections import deque

RECENT = 20  # steps of the speed


class Progress:
    """Speed over the last steps, waiting for samples and checkpoints included."""

    def __init__(self, done: int, total: int, now: float) -> None:
        """Begin to count.

        Args:
            done: steps taken before.
            total: steps of the whole run.
            now: of a clock that never goes back [s].
        """
        self.done, self.total = done, total
        self._times: deque[float] = deque([now], maxlen=RECENT + 1)

    def step(self, now: float) -> None:
        """One more step is done."""
        self.done += 1
        self._times.append(now)

    @property
    def steps_per_second(self) -> float:
        """Speed over the last steps [1/s]; 0 before the first."""
        passed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / passed if passed > 0 else 0.0

    @property
    def eta(self) -> float:
        """Time left at that speed [s]; infinite before the first step."""
        left = self.total - self.done
        if left == 0:
            return 0.0
        return left / self.steps_per_second if self.steps_per_second > 0 else float("inf")
