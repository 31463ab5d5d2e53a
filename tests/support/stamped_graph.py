"""The running perception with three sensors on the wall clock, one of them at fault for a while."""

import heapq
import itertools
import time
from dataclasses import dataclass

from conegrad_msgs.msg import ConeArray
from diagnostic_msgs.msg import DiagnosticArray
from fuzz_graph import FuzzedGraph
from sane_outputs import stamp_ns

from conegrad_core.timing.pairing import CAMERA, LIDAR, ODOMETRY
from conegrad_nodes.encode import stamp_to_msg

PERIODS = {CAMERA: 0.1, LIDAR: 0.05, ODOMETRY: 0.02}  # [s]
TOPICS = {CAMERA: ("image_raw", "camera_info"), LIDAR: ("scan",), ODOMETRY: ("odom",)}
# Statuses that tell of a fault of the sensor.
PARTS = {
    CAMERA: ("input /image_raw", "input /detections", "pairing"),
    LIDAR: ("input /scan", "input /segmentation", "pairing"),
    ODOMETRY: ("input /odom", "pairing"),
}
SPEED = 3.0  # [m/s]
MICRO, SECOND = 1_000, 1_000_000_000  # [ns]
FAULTY_NS = 7  # added to stamps of a sensor at fault: all others are whole microseconds
CALM = 1.0  # [s] without a complaint before a fault
CALM_WITHIN = 20.0  # [s] after a fault
GIVE_UP = 10.0  # [s]


@dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    Attributes:
        told: time from the first message that it changed until a diagnostic named it [s]; stamps
            that begin to loop, for one, are right until they go back.
        teller: the status that did.
        silence: longest time without cones, from its begin until nothing complains any more [s].
        recovery: time from its end until cones of both sensors, measured after it, and pairing
            without a complaint [s].
    """

    told: float
    teller: str
    silence: float
    recovery: float


class StampedGraph(FuzzedGraph):
    """The perception, and what it says while its sensors send at their rates."""

    def __enter__(self):
        self._cones = []  # arrival [s], stamps of image and scan [ns]
        self._troubles = []  # arrival [s], status
        self._levels = {}
        self._base_ns = time.time_ns() // SECOND * SECOND
        self._start = time.monotonic() - (time.time_ns() - self._base_ns) / SECOND
        super().__enter__()
        self._queue = []  # arrival [s], number, sensor, stamp [s], whether it is at fault
        self._numbers = itertools.count()
        self._fault = None  # sensor, fault, begin and end [s]
        self._first = None  # capture of the first message that the fault changed [s]
        whole = int(self._now()) + 1  # [s], from here on all sensors send
        self._captures = {sensor: round(whole / period) for sensor, period in PERIODS.items()}
        self._run_until(lambda: self._is_calm(CALM), CALM_WITHIN)
        return self

    def outcome(self, sensor, fault, seconds):
        """Apply a fault to a sensor for a while, and see what comes of it.

        Args:
            sensor: at fault.
            fault: of ``stamp_fault_kinds``.
            seconds: how long.
        """
        begin = float(int(self._now()) + 1)
        end = begin + seconds
        self._fault, self._first = (sensor, fault, begin, end), None
        self._run_until(lambda: self._now() >= end, GIVE_UP)
        has_recovered = self._run_until(lambda: self._recovered(end) is not None, GIVE_UP)
        recovered = self._recovered(end) if has_recovered else float("inf")
        self._run_until(lambda: self._is_calm(CALM), CALM_WITHIN)
        with self._lock:
            cones = [at for at, *_ in self._cones if at > begin]
            troubles = [(at, name) for at, name in self._troubles if at >= self._first]
        tellers = [(at, name) for at, name in troubles if name.endswith(PARTS[sensor])]
        told, teller = tellers[0] if tellers else (float("inf"), "")
        times = [begin, *cones, self._now()]
        silence = max(b - a for a, b in itertools.pairwise(times))
        return Outcome(told - self._first, teller, silence, recovered - end)

    def complaints(self):
        """Statuses that are not OK now."""
        with self._lock:
            return sorted(name for name, (level, _) in self._levels.items() if level)

    def _now(self):
        """Time on the clock of the stamps since their base [s]."""
        return time.monotonic() - self._start

    def _is_calm(self, seconds):
        with self._lock:
            since = max((at for level, at in self._levels.values()), default=0.0)
        return not self.complaints() and self._now() - since >= seconds

    def _recovered(self, end):
        """When both sensors gave cones and pairing had no complaint; None until then."""
        end_ns = self._base_ns + round(end * SECOND)
        with self._lock:
            paired = [
                at
                for at, *stamps in self._cones
                if min(stamps) >= end_ns and not any(stamp % MICRO for stamp in stamps)
            ]
            pairing = [v for name, v in self._levels.items() if name.endswith(": pairing")]
        if not paired or any(level for level, _ in pairing):
            return None
        return max(paired[0], *(at for _, at in pairing))

    def _run_until(self, is_done, longest):
        """Send until something is so; says whether it was, within a time [s]."""
        begun = self._now()
        while not is_done():
            if self._now() - begun > longest:
                return False
            self.process.check()
            self._send_due()
            time.sleep(0.002)
        return True

    def _send_due(self):
        now = self._now()
        for sensor, period in PERIODS.items():
            while (capture := self._captures[sensor] * period) <= now:
                self._captures[sensor] += 1
                self._enqueue(sensor, round(capture, 6))
        while self._queue and self._queue[0][0] <= now:
            _, _, sensor, capture, stamp, is_faulty = heapq.heappop(self._queue)
            self._send_sensor(sensor, capture, stamp, is_faulty)

    def _enqueue(self, sensor, capture):
        given, is_faulty = [(capture, capture)], False
        if self._fault is not None:
            faulty, fault, begin, end = self._fault
            is_faulty = sensor == faulty and begin <= capture < end
            if is_faulty:
                given = fault(round(capture - begin, 6), capture)
                given = [(round(arrival, 6), round(stamp, 6)) for arrival, stamp in given]
                if self._first is None and given != [(capture, capture)]:
                    self._first = capture
        for arrival, stamp in given:
            number = next(self._numbers)
            heapq.heappush(self._queue, (arrival, number, sensor, capture, stamp, is_faulty))

    def _send_sensor(self, sensor, capture, stamp, is_faulty):
        ns = self._base_ns + round(stamp * SECOND / MICRO) * MICRO + FAULTY_NS * is_faulty
        for topic in TOPICS[sensor]:
            msg = self._target.makers[topic]()
            msg.header.stamp = stamp_to_msg(ns)
            if sensor == ODOMETRY:
                msg.pose.pose.position.x = SPEED * capture
            self._send(topic, msg)

    def _listen(self):
        super()._listen()
        self._node.create_subscription(ConeArray, "cones", self._on_cones, 100)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 100)

    def _on_cones(self, msg):
        stamps = (stamp_ns(msg.camera_stamp), stamp_ns(msg.lidar_stamp))
        used = (msg.camera_used, msg.lidar_used)
        stamps = [stamp if is_used else -1 for stamp, is_used in zip(stamps, used, strict=True)]
        with self._lock:
            self._cones.append((self._now(), *stamps))

    def _on_status(self, msg):
        now = self._now()
        with self._lock:
            for status in msg.status:
                level = ord(status.level)
                before, at = self._levels.get(status.name, (None, now))
                self._levels[status.name] = (level, at if level == before else now)
                if level and not before:
                    self._troubles.append((now, status.name))
