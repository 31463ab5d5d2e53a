"""What the graph still owes: the simulation goes on when nothing is left to wait for.

So a slow computer gives the same drive as a fast one, and no message is lost.
"""

from conegrad_simulation.closed_loop.simulator import CAMERA, LIDAR

NANOSECONDS = 1_000_000_000
# A command may overtake its cones: they come from different processes. The next cones take longer.
OVERTAKING = 0.02  # [s] of the steady clock
NEVER = float("-inf")


class Lockstep:
    """Keeps account of answers by their stamps.

    An image owes detections, a scan owes a segmentation. An image owes cones as soon as a scan
    has passed it and odometry covers both, or once the pairing has given the LiDAR up; a scan
    owes cones of its own once the pairing has given the camera up. Cones owe a command.

    Attributes:
        given_up: answers that did not come, by what they were.
    """

    def __init__(self, pairing_timeout: float) -> None:
        """Begin.

        Args:
            pairing_timeout: silence after which the fusion gives a sensor up [s].
        """
        self._timeout_ns = round(pairing_timeout * NANOSECONDS)
        self._open: set[tuple[str, int]] = set()  # sensor messages without their first result
        self._images: set[int] = set()  # stamps of images without cones
        self._scans: set[int] = set()  # stamps of scans that owe cones of their own
        self._passed_ns = -1  # newest scan that is segmented
        self._odometry_ns = -1  # newest odometry
        self._silent_from: dict[str, int] = {}  # first message of the other sensor since
        self._commands = 0
        self._early = NEVER  # arrival of a command that nothing owed [s]
        self.given_up: dict[str, int] = {}

    def sent(self, sensor: str, stamp_ns: int, *, is_fused: bool = True) -> None:
        """A message of a sensor is published; ``is_fused`` says whether cones are to come."""
        self._open.add((sensor, stamp_ns))
        other = LIDAR if sensor == CAMERA else CAMERA
        self._silent_from.pop(sensor, None)
        silent_from = self._silent_from.setdefault(other, stamp_ns)
        if not is_fused:
            return
        if sensor == CAMERA:
            self._images.add(stamp_ns)
        elif stamp_ns - silent_from >= self._timeout_ns:
            self._scans.add(stamp_ns)

    def moved(self, stamp_ns: int) -> None:
        """Odometry is published."""
        self._odometry_ns = stamp_ns

    def answered(self, sensor: str, stamp_ns: int) -> None:
        """Detections or a segmentation came."""
        self._open.discard((sensor, stamp_ns))
        if sensor == LIDAR:
            self._passed_ns = max(self._passed_ns, stamp_ns)

    def fused(
        self, camera_ns: int | None, lidar_ns: int | None, *, is_driven: bool, now: float
    ) -> None:
        """Cones came, of an image and a scan or of one of them.

        Args:
            camera_ns: stamp of the image, if one took part.
            lidar_ns: stamp of the scan, likewise.
            is_driven: a driver hears them.
            now: time of the steady clock [s].
        """
        self._images = {s for s in self._images if camera_ns is None or s > camera_ns}
        self._scans = {s for s in self._scans if lidar_ns is None or s > lidar_ns}
        is_answered = now - self._early < OVERTAKING
        self._commands += is_driven and not is_answered
        self._early = NEVER

    def commanded(self, now: float) -> None:
        """A command came at a time of the steady clock [s]."""
        if self._commands:
            self._commands -= 1
        else:
            self._early = now

    def owed(self, now_ns: int) -> list[str]:
        """What has to come before the time may go on, in words."""
        owed = ["detections" if sensor == CAMERA else "segmentation" for sensor, _ in self._open]
        lag_from = self._silent_from.get(LIDAR)
        is_lidar_lost = lag_from is not None and now_ns - lag_from >= self._timeout_ns
        is_covered = self._odometry_ns >= self._passed_ns
        for stamp in self._images:
            is_passed = is_covered and stamp <= min(self._passed_ns, self._odometry_ns)
            owed += ["cones"] if is_passed or is_lidar_lost else []
        owed += ["cones"] * len(self._scans) + ["command"] * self._commands
        return owed

    def give_up(self, now_ns: int) -> list[str]:
        """Wait no longer for what is owed; returns it."""
        owed = self.owed(now_ns)
        for name in owed:
            self.given_up[name] = self.given_up.get(name, 0) + 1
        self._open.clear()
        self._images = set()
        self._scans.clear()
        self._commands = 0
        return owed
