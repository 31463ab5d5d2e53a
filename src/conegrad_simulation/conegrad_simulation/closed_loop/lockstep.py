"""Lockstep of simulation and graph: simulated time advances when no result is pending.

A slow computer therefore gives the same drive as a fast one, and no message is lost.
"""

from conegrad_simulation.closed_loop.simulator import CAMERA, LIDAR

NANOSECONDS = 1_000_000_000
# A command may overtake its cones: they come from different processes. The next cones take longer.
OVERTAKING = 0.1  # [s] of the steady clock, on a busy machine
NEVER = float("-inf")


class Lockstep:
    """Tracks by stamp which results of the graph are pending.

    After an image detections are pending, after a scan a segmentation. Cones of an image are
    pending as soon as a later scan is segmented and odometry covers both, or once the pairing
    timeout of the LiDAR has passed; cones of a scan alone are pending once the pairing timeout
    of the camera has passed. After cones a command is pending, where a driver subscribes.

    Attributes:
        missing_results: number of abandoned results, by kind.
        is_commanded: cones were answered by a command.
        cones_at: arrival of the newest cones on the steady clock [s].
    """

    def __init__(self, pairing_timeout: float) -> None:
        """Start without pending results.

        Args:
            pairing_timeout: the fusion goes on without a sensor after this silence [s].
        """
        self._timeout_ns = round(pairing_timeout * NANOSECONDS)
        self._open: set[tuple[str, int]] = set()  # sensor messages without their first result
        self._images: set[int] = set()  # stamps of images without cones
        self._scans: set[int] = set()  # stamps of scans whose own cones are pending
        self._passed_ns = -1  # newest scan that is segmented
        self._odometry_ns = -1  # newest odometry
        self._silent_from: dict[str, int] = {}  # first message of the other sensor since
        self._commands = 0
        self._early = NEVER  # arrival of a command before its cones [s]
        self.missing_results: dict[str, int] = {}
        self.is_commanded = False
        self.cones_at = NEVER

    def add_sensor_message(self, sensor: str, stamp_ns: int, *, is_fused: bool = True) -> None:
        """Note a published sensor message.

        Args:
            sensor: ``camera`` or ``lidar``.
            stamp_ns: of the message [ns].
            is_fused: a fusion node runs, so that cones follow.
        """
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

    def add_odometry(self, stamp_ns: int) -> None:
        """Note a published odometry with its stamp [ns]."""
        self._odometry_ns = stamp_ns

    def add_result(self, sensor: str, stamp_ns: int) -> None:
        """Note detections (``camera``) or a segmentation (``lidar``) with their stamp [ns]."""
        self._open.discard((sensor, stamp_ns))
        if sensor == LIDAR:
            self._passed_ns = max(self._passed_ns, stamp_ns)

    def add_cones(
        self, camera_ns: int | None, lidar_ns: int | None, *, is_driven: bool, now: float
    ) -> None:
        """Note cones of an image and a scan, or of one of them.

        Args:
            camera_ns: stamp of the image [ns]; None without an image.
            lidar_ns: stamp of the scan [ns]; None without a scan.
            is_driven: a driver is subscribed, so that a command follows.
            now: time of the steady clock [s].
        """
        self._images = {s for s in self._images if camera_ns is None or s > camera_ns}
        self._scans = {s for s in self._scans if lidar_ns is None or s > lidar_ns}
        self.cones_at = now
        is_answered = now - self._early < OVERTAKING
        self.is_commanded |= is_answered
        self._commands += is_driven and not is_answered
        self._early = NEVER

    def add_command(self, now: float) -> None:
        """Note a command that arrived at a time of the steady clock [s]."""
        if self._commands:
            self._commands -= 1
            self.is_commanded = True
        else:
            self._early = now

    def pending(self, now_ns: int) -> list[str]:
        """Kinds of the results that are pending at a simulated time [ns], one entry per result."""
        pending = ["detections" if sensor == CAMERA else "segmentation" for sensor, _ in self._open]
        silent_from = self._silent_from.get(LIDAR)
        is_lidar_lost = silent_from is not None and now_ns - silent_from >= self._timeout_ns
        is_covered = self._odometry_ns >= self._passed_ns
        for stamp in self._images:
            is_passed = is_covered and stamp <= min(self._passed_ns, self._odometry_ns)
            pending += ["cones"] if is_passed or is_lidar_lost else []
        pending += ["cones"] * len(self._scans) + ["command"] * self._commands
        return pending

    def abandon(self, now_ns: int) -> list[str]:
        """Drop all pending results and count them as missing; returns their kinds."""
        pending = self.pending(now_ns)
        for name in pending:
            self.missing_results[name] = self.missing_results.get(name, 0) + 1
        self._open.clear()
        self._images = set()
        self._scans.clear()
        self._commands = 0
        return pending
