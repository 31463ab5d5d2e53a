"""Which detections and which segmentation belong together: by their stamps alone."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from conegrad_core.geometry.odometry import (
    OdometryBuffer,
    Path2,
    Pose2,
    path_around,
    relative_pose,
)
from conegrad_core.settings import Config, setting
from conegrad_core.timing.stamps import StampGate

CAMERA, LIDAR, ODOMETRY = "camera", "lidar", "odometry"
ODOMETRY_POSES = 2000  # held for interpolation: 10 s at 200 Hz
SECOND = 1_000_000_000  # [ns]
CLOCK_SLACK = 10.0  # [s], a clock further ahead of all stamps is not theirs (a bag without /clock)
SWEEP_WAIT_NS = 20_000_000  # [ns] after the last beam that its odometry is waited for
RECENT = 10  # messages of the other sensor within which a sensor counts as sending
NOUNS = {CAMERA: "camera frame", LIDAR: "scan"}
NAMES = {CAMERA: "detections", LIDAR: "segmentation"}
STALL = 0.7  # [s] without an output, late triggers or not, after which the partner goes alone
# A sensor is given up earlier than after the timeout where its messages came evenly before.
INTERVALS = 20  # latest ones between arrivals of a sensor, the longest of which is the usual one
FEW_INTERVALS = 8  # tell nothing
PATIENCE = 1.25  # usual intervals
LEAST_PATIENCE = 0.13  # [s], so that a hiccup costs no image, and the rest goes on within 0.15 s
RESTART = 3  # messages in a row that rise, before the newest of their sensor: it began anew


@dataclass(frozen=True)
class PairingConfig(Config):
    """Settings of the pairing of both sensors."""

    trigger: str = setting(CAMERA, "Sensor whose every message gives cones: camera or lidar")
    tolerance: float = setting(
        0.05, "Stamps this far apart are paired even without odometry [s]", low=0.0
    )
    moving_tolerance: float = setting(
        0.15, "Stamps this far apart are paired when odometry covers both [s]", low=0.0
    )
    timeout: float = setting(
        0.3, "A sensor is given up when it is silent this long while the other sends [s]", low=0.0
    )
    camera_offset: float = setting(0.0, "Added to stamps of the camera for pairing [s]")
    lidar_offset: float = setting(0.0, "Added to stamps of the LiDAR for pairing [s]")
    buffer: int = setting(64, "Messages held per sensor", low=1)
    reset_jump: float = setting(
        1.0,
        "Stamps of all sensors this far back mean a new run: everything held is dropped [s]",
        low=0.0,
    )
    max_stamp_age: float = setting(
        5.0, "A message whose stamp is older by the node's clock is not used [s]", low=0.0
    )
    max_stamp_ahead: float = setting(
        0.5, "A message whose stamp is further ahead of it is not used [s]", low=0.0
    )

    def gate(self) -> StampGate:
        """Which stamps are used at all, by a clock."""
        return StampGate(self.max_stamp_age, self.max_stamp_ahead)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trigger not in (CAMERA, LIDAR):
            fault = f"is {self.trigger!r}, expected 'camera' or 'lidar'"
            raise self.refusal("trigger", fault)


class Pair(NamedTuple):
    """What is fused at once.

    Attributes:
        stamp_ns: of the cones: the scan's stamp as given; without a scan the image's.
        detections: of the image, or None.
        segmentation: of the scan, or None.
        motion: ``base_at_scan_from_base_at_image``, or None where odometry does not cover both
            stamps or one sensor is alone; ``geometry.odometry.sensor_motion`` moves it to a sensor.
        lag: stamp of the image minus that of the scan, offsets included [s]; 0 for one alone.
        reason: why a sensor is alone; empty for a pair.
        path: of the base during the scan, from its stamp; None where all beams are at the stamp,
            or odometry does not cover them.
        pose: ``odom_from_base`` at the stamp of the cones, None where no odometry covers it.
        origin: of that pose; another number is another frame of the odometry.
    """

    stamp_ns: int
    detections: Any
    segmentation: Any
    motion: Pose2 | None
    lag: float
    reason: str
    path: Path2 | None = None
    pose: Pose2 | None = None
    origin: int = 0


class PairingStatus(NamedTuple):
    """What happened since the start, for diagnostics.

    Attributes:
        paired: pairs of both sensors.
        camera_alone: images without a scan.
        lidar_alone: scans without an image.
        dropped: messages with a stamp not after the one before, or too late to be used.
        resets: times that the stamps of all sensors jumped back.
        reason: why the last output was not a pair, or why there is none; empty if all is well.
    """

    paired: int
    camera_alone: int
    lidar_alone: int
    dropped: int
    resets: int
    reason: str


class _Item(NamedTuple):
    time_ns: int  # with the sensor's offset
    stamp_ns: int  # as given
    value: Any
    span: tuple[float, float] = (0.0, 0.0)  # [s] after the stamp, first and last beam

    @property
    def end_ns(self) -> int:
        return self.time_ns + round(self.span[1] * SECOND)


class Pairing:
    """Pairs detections and segmentations that arrive in any interleaving.

    Every message of the triggering sensor gives one output. It is paired with the nearest message
    of the other sensor as soon as stamps tell that no nearer one can come, and alone when the
    other sensor is silent for the timeout. While the triggering sensor itself is silent for that
    long, the other sensor's messages are put out alone. Silence counts from the first message of
    the sensor that goes on, so that slow sensors (1 Hz, say) are not given up between messages.
    A message before the newest one of its sensor is dropped. Three such in a row that rise among
    themselves mean that the clock of this sensor was set: only what it sent after them is dropped.
    Where the stamps of all sensors are back by ``reset_jump``, everything begins anew.
    Depends on stamps and their order only; which stamps are plausible at all, a
    :class:`conegrad_core.timing.stamps.StampGate` says before.

    Args:
        config: settings.
        sensors: that are expected; where one is, its messages are put out alone, at once.

    Attributes:
        config: the settings.
        trigger: sensor whose every message gives an output.
    """

    def __init__(
        self, config: PairingConfig | None = None, sensors: Sequence[str] = (CAMERA, LIDAR)
    ) -> None:
        self.config = config or PairingConfig()
        self._sensors = tuple(sensors)
        offsets = {CAMERA: self.config.camera_offset, LIDAR: self.config.lidar_offset}
        self._offsets = {sensor: round(offset * SECOND) for sensor, offset in offsets.items()}
        self.trigger = self.config.trigger if len(self._sensors) > 1 else self._sensors[0]
        self._partner = LIDAR if self.trigger == CAMERA else CAMERA
        self._counts = {CAMERA: 0, LIDAR: 0, "both": 0}
        self._dropped = self._resets = 0
        self._odometry = OdometryBuffer(ODOMETRY_POSES)
        self._clear()

    def add_detections(self, stamp_ns: int, detections: Any) -> None:
        """Take the detections of an image."""
        self._add(CAMERA, stamp_ns, detections)

    def add_segmentation(
        self, stamp_ns: int, segmentation: Any, span: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Take the segmentation of a scan.

        Args:
            stamp_ns: of the scan.
            segmentation: of its beams.
            span: times of its first and its last beam after the stamp [s].
        """
        self._add(LIDAR, stamp_ns, segmentation, span)

    def add_odometry(self, stamp_ns: int, pose: Pose2) -> None:
        """Take a pose ``odom_from_base``.

        Raises:
            ValueError: if the pose is not finite.
        """
        self._arrive(ODOMETRY, _Item(stamp_ns, stamp_ns, pose))

    @property
    def odometry_jumps(self) -> int:
        """Poses so far that no car reaches from the one before."""
        return self._odometry.jumps

    def forget_odometry(self) -> None:
        """Drop all poses: those to come are in another frame."""
        self._odometry.clear()

    def take(self, now_ns: int | None = None) -> list[Pair]:
        """Outputs that are decided by now, oldest first.

        Args:
            now_ns: present time on the clock of the stamps, if known: it only lets a timeout end
                when every sensor has stopped.
        """
        latest = self._latest(now_ns)
        self._note_arrivals(now_ns)
        pairs = []
        while self._waiting and self._decided(self._waiting[0], latest):
            pairs.append(self._paired(self._waiting.popleft()))
        pairs += self._partners_alone()
        return [pair for pair in pairs if self._counted(pair)]

    def flush(self) -> list[Pair]:
        """Outputs of everything that still waits, as if the timeout were over (end of a bag)."""
        pairs = self.take()
        while self._waiting:
            pairs.append(self._paired(self._waiting.popleft()))
            self._counted(pairs[-1])
        return pairs

    def status(self, now_ns: int | None = None) -> PairingStatus:
        """Counts since the start, and what is wrong now."""
        counts = (self._counts["both"], self._counts[CAMERA], self._counts[LIDAR])
        return PairingStatus(*counts, self._dropped, self._resets, self.why_starved(now_ns))

    def why_starved(self, now_ns: int | None = None) -> str:
        """Why there are no pairs, in words; empty if pairs come."""
        latest = self._latest(now_ns)
        names = {sensor: NAMES[sensor] for sensor in self._sensors}
        for sensor, name in names.items():
            if sensor not in self._newest:
                return f"no {name} received yet"
        for sensor, name in names.items():
            silence = (latest - self._newest[sensor]) / SECOND
            others_send = len(names) > 1 and self._since[sensor] < RECENT
            if silence >= self.config.timeout and others_send:
                return f"stamps of {name} are {silence:.2f} s behind: check clocks or offset"
            if silence >= self.config.timeout:
                return f"no {name} for {silence:.1f} s"
        return self._last_reason or self._why_uncorrected(latest)

    def _why_uncorrected(self, latest: int) -> str:
        """Why pairs are not corrected for motion although there was odometry."""
        newest = self._odometry.newest_ns
        if newest is None or latest - newest < self.config.timeout * SECOND:
            return ""
        return f"no odometry for {(latest - newest) / SECOND:.1f} s: motion is not corrected"

    def _latest(self, now_ns: int | None) -> int:
        """The newest stamp, or the present time where it is on the same clock."""
        newest = max(self._newest.values(), default=0)
        if now_ns is None or now_ns - newest > CLOCK_SLACK * SECOND:
            return newest
        return max(newest, now_ns)

    def _clear(self) -> None:
        self._held: deque[_Item] = deque(maxlen=self.config.buffer)  # of the partner
        self._waiting: deque[_Item] = deque(maxlen=self.config.buffer)  # of the trigger
        self._newest: dict[str, int] = {}
        self._strays: dict[str, list[_Item]] = {}  # messages before the newest, in a row
        self._since = {CAMERA: 0, LIDAR: 0}  # messages of the other sensor since the last own one
        # First message of the other sensor since the last own one: a slow sensor is not silent.
        self._silent_from: dict[str, int] = {}
        self._now_ns: int | None = None  # of the latest take()
        # Arrivals are seen by take(): newest stamp then, time then, and intervals between them.
        self._arrivals: dict[str, tuple[int, int]] = {}
        self._intervals = {
            sensor: deque[int](maxlen=INTERVALS) for sensor in (CAMERA, LIDAR, ODOMETRY)
        }
        self._put_out_ns: int | None = None
        self._progress_ns: int | None = None  # newest stamp of the partner at the last output
        self._has_dropped = False  # the trigger's messages, as older than the last output
        self._is_late = False  # the partner goes on without the trigger, which comes too late
        self._last_reason = ""
        self._odometry.clear()

    def _add(
        self, sensor: str, stamp_ns: int, value: Any, span: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self._arrive(sensor, _Item(stamp_ns + self._offsets[sensor], stamp_ns, value, span))

    def _arrive(self, sensor: str, item: _Item) -> None:
        newest = self._newest_of(sensor)
        if newest is None or item.time_ns > newest:
            self._strays.pop(sensor, None)
            self._keep(sensor, item)
            return
        self._dropped += 1
        strays = self._strays.get(sensor, [])
        rises = bool(strays) and item.time_ns > strays[-1].time_ns
        self._strays[sensor] = [*(strays if rises else []), item]
        jump_ns = newest - item.time_ns
        if jump_ns >= self.config.reset_jump * SECOND and self._all_are_back(jump_ns):
            self._reset(jump_ns)
        elif len(self._strays[sensor]) >= RESTART:
            self._restart(sensor)

    def _newest_of(self, sensor: str) -> int | None:
        return self._odometry.newest_ns if sensor == ODOMETRY else self._newest.get(sensor)

    def _all_are_back(self, jump_ns: int) -> bool:
        """The latest stamps of all sensors are back by about a jump from the newest ones."""
        sensors = [s for s in (CAMERA, LIDAR, ODOMETRY) if self._newest_of(s) is not None]
        newest = {sensor: self._newest_of(sensor) or 0 for sensor in sensors}
        front = max(newest.values())
        strays = {name: items[-1].time_ns for name, items in self._strays.items()}
        present = [strays.get(sensor, newest[sensor]) for sensor in sensors]
        is_back = front - max(present) >= self.config.reset_jump * SECOND
        is_one = max(present) - min(present) < self.config.reset_jump * SECOND
        return len(sensors) > 1 and is_back and is_one

    def _reset(self, jump_ns: int) -> None:
        strays = [(item, name) for name, items in self._strays.items() for item in items]
        self._dropped -= len(strays)
        self._clear()
        self._resets += 1
        for item, sensor in sorted(strays, key=lambda stray: stray[0].time_ns):
            self._keep(sensor, item)
        self._last_reason = f"stamps jumped back by {jump_ns / SECOND:.1f} s: started anew"

    def _restart(self, sensor: str) -> None:
        """Go on from the strays of a sensor; what it sent for a later time is dropped."""
        strays = self._strays.pop(sensor)
        first_ns = strays[0].time_ns
        self._dropped -= len(strays)
        if sensor == ODOMETRY:
            self._odometry.clear()
        elif sensor == self.trigger:
            self._waiting = _before(self._waiting, first_ns)
        else:
            self._held = _before(self._held, first_ns)
        self._newest.pop(sensor, None)
        for item in strays:
            self._keep(sensor, item)

    def _keep(self, sensor: str, item: _Item) -> None:
        if sensor == ODOMETRY:
            self._odometry.add(item.stamp_ns, item.value)
            return
        self._newest[sensor] = item.time_ns
        self._since = {name: count + 1 for name, count in self._since.items()} | {sensor: 0}
        if self._is_too_late(sensor, item):
            self._dropped += 1
            return
        self._silent_from.pop(sensor, None)
        self._silent_from.setdefault(LIDAR if sensor == CAMERA else CAMERA, item.time_ns)
        if sensor != self.trigger:
            self._held.append(item)
            return
        if len(self._waiting) == self._waiting.maxlen:
            self._dropped += 1
        self._waiting.append(item)

    def _is_too_late(self, sensor: str, item: _Item) -> bool:
        """A message of the trigger that still comes later than the partner can wait for it."""
        if sensor == self.trigger and self._is_late:
            newest = self._newest.get(self._partner, item.time_ns)
            self._is_late = newest - item.time_ns >= self.config.timeout * SECOND
            return self._is_late
        return False

    def _note_arrivals(self, now_ns: int | None) -> None:
        """Take the times at which messages come; without a clock none is known."""
        front = max(self._newest.values(), default=0)
        is_known = now_ns is not None and now_ns - front <= CLOCK_SLACK * SECOND
        self._now_ns = now_ns if is_known else None
        if self._now_ns is None:
            self._arrivals.clear()
            return
        for sensor, intervals in self._intervals.items():
            newest_ns = self._newest_of(sensor)
            seen_ns, at_ns = self._arrivals.get(sensor, (None, self._now_ns))
            if newest_ns is not None and newest_ns != seen_ns:
                self._arrivals[sensor] = newest_ns, self._now_ns
                if seen_ns is not None:
                    intervals.append(self._now_ns - at_ns)

    def _is_overdue(self, sensor: str) -> bool:
        """The next message of a sensor that sends evenly should have come by now."""
        intervals = self._intervals[sensor]
        is_unknown = self._now_ns is None or sensor not in self._arrivals
        if len(intervals) < FEW_INTERVALS or is_unknown:
            return False
        patience_ns = max(PATIENCE * max(intervals), LEAST_PATIENCE * SECOND)
        return (self._now_ns or 0) - self._arrivals[sensor][1] >= patience_ns

    def _lags(self, sensor: str, time_ns: int) -> bool:
        """A sensor has been silent for the timeout at a time, while the other was sending."""
        start = self._silent_from.get(sensor, time_ns)
        return time_ns - start >= self.config.timeout * SECOND

    def _decided(self, item: _Item, latest_ns: int) -> bool:
        if self._partner not in self._sensors:
            return True
        waited = latest_ns - item.time_ns >= self.config.timeout * SECOND
        if waited or self._lags(self._partner, latest_ns):
            return True
        if self._is_overdue(self._partner):
            return True
        return self._newest.get(self._partner, item.time_ns - 1) >= item.time_ns and (
            self._odometry_is_ready(item, latest_ns)
        )

    def _odometry_is_ready(self, item: _Item, latest_ns: int) -> bool:
        """Odometry covers the item and its partner, and all beams of the scan, or has stopped.

        For the beams it is waited for a moment only: its motion is carried on to the last ones.
        """
        newest = self._odometry.newest_ns
        if newest is None:
            return True
        partner = self._nearest(item)
        needed = max(item.time_ns, partner.time_ns)
        if newest < needed:
            is_given_up = needed - newest >= self.config.timeout * SECOND
            return is_given_up or self._is_overdue(ODOMETRY)
        end = max(item.end_ns, partner.end_ns)
        return newest >= end or latest_ns - end >= SWEEP_WAIT_NS

    def _nearest(self, item: _Item) -> _Item:
        return min(self._held, key=lambda other: abs(other.time_ns - item.time_ns))

    def _paired(self, item: _Item) -> Pair:
        if self._partner not in self._sensors:
            return self._alone(self.trigger, item, "")
        if not self._held:
            return self._alone(self.trigger, item, f"no {NAMES[self._partner]} received yet")
        partner = self._nearest(item)
        image, scan = (item, partner) if self.trigger == CAMERA else (partner, item)
        lag = (image.time_ns - scan.time_ns) / SECOND
        motion = self._motion(image.time_ns, scan.time_ns)
        config = self.config
        allowed = config.tolerance
        if motion is not None:
            allowed = max(config.tolerance, config.moving_tolerance)
        if abs(lag) <= allowed:
            fixed = (self._path(scan), *self._pose(scan))
            return Pair(scan.stamp_ns, image.value, scan.value, motion, lag, "", *fixed)
        hint = "check clocks or offset" + ("" if motion else ", or give odometry")
        reason = (
            f"nearest {NOUNS[self._partner]} is {abs(lag):.2f} s away, "
            f"tolerance {allowed:g} s: {hint}"
        )
        return self._alone(self.trigger, item, reason)

    def _partners_alone(self) -> list[Pair]:
        """Messages of the partner that came while the trigger was given up."""
        if not self._held:
            return []
        newest_ns = self._held[-1].time_ns
        stalled_ns = newest_ns - (self._progress_ns or newest_ns)
        if self._has_dropped and stalled_ns >= STALL * SECOND:
            self._is_late = True
        is_silent = self._lags(self.trigger, newest_ns)
        is_overdue = not self._waiting and self._is_overdue(self.trigger)
        if not (self._is_late or is_silent or is_overdue):
            return []
        name = NAMES[self.trigger]
        reason = f"no {name} for more than {self.config.timeout:g} s"
        if is_overdue and not is_silent:
            usual = max(self._intervals[self.trigger]) / SECOND
            reason = f"no {name}, which came every {usual:.2f} s"
        if self._is_late:
            reason = f"{name} come too late"
        return [
            self._alone(self._partner, item, reason)
            for item in self._held
            if (
                self._is_late
                or self._lags(self.trigger, item.time_ns)
                or (is_overdue and item.time_ns == newest_ns)  # those before it are stale
            )
            and (self._put_out_ns is None or item.time_ns > self._put_out_ns)
        ]

    def _alone(self, sensor: str, item: _Item, reason: str) -> Pair:
        detections = item.value if sensor == CAMERA else None
        segmentation = item.value if sensor == LIDAR else None
        fixed = (self._path(item), *self._pose(item))
        return Pair(item.stamp_ns, detections, segmentation, None, 0.0, reason, *fixed)

    def _pose(self, item: _Item) -> tuple[Pose2 | None, int]:
        return self._odometry.near(item.time_ns), self._odometry.origin

    def _path(self, item: _Item) -> Path2 | None:
        first, last = item.span
        if first == last:
            return None
        return path_around(self._odometry.near, item.time_ns, first, last)

    def _motion(self, image_ns: int, scan_ns: int) -> Pose2 | None:
        at_image, at_scan = self._odometry.at(image_ns), self._odometry.at(scan_ns)
        if at_image is None or at_scan is None:
            return None
        return relative_pose(at_scan, at_image)

    def _counted(self, pair: Pair) -> bool:
        """Count an output; False for one older than what is already out."""
        sensor = LIDAR if pair.segmentation is not None else CAMERA
        time_ns = pair.stamp_ns + self._offsets[sensor]
        self._forget_what_is_ahead()
        side = pair.detections if self.trigger == CAMERA else pair.segmentation
        if self._put_out_ns is not None and time_ns < self._put_out_ns:
            self._dropped += 1
            self._has_dropped = self._has_dropped or side is not None
            return False
        self._put_out_ns = time_ns
        self._progress_ns = max(self._newest.get(self._partner, time_ns), time_ns)
        self._has_dropped = False
        both = pair.segmentation is not None and pair.detections is not None
        self._counts["both" if both else sensor] += 1
        self._last_reason = pair.reason
        return True

    def _forget_what_is_ahead(self) -> None:
        """What came out for a time that no sensor is at any more does not hold others back."""
        front = max(self._newest.values(), default=0)
        limit_ns = front + round(self.config.reset_jump * SECOND)
        if self._put_out_ns is not None and self._put_out_ns >= limit_ns:
            self._put_out_ns = None


def _before(items: deque[_Item], time_ns: int) -> deque[_Item]:
    return deque((item for item in items if item.time_ns < time_ns), maxlen=items.maxlen)
