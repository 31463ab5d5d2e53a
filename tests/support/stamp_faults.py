"""Camera, LiDAR and odometry in simulated time, one of them with a fault of its stamps for a while.

The same pieces as in the fusion node decide: gate, pairing, and the records of the inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from stamp_fault_kinds import Fault

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.timing.pairing import CAMERA, LIDAR, ODOMETRY, Pair, Pairing, PairingConfig
from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_data.status.part_status import Level

PERIODS = {CAMERA: 0.1, LIDAR: 0.025, ODOMETRY: 0.01}  # [s]
LATENCY = {CAMERA: 0.06, LIDAR: 0.015, ODOMETRY: 0.002}  # [s] from capture to the fusion
START, END, FINISH = 4.0, 7.0, 11.0  # [s] of the fault, and of the run
SECOND = 1_000_000_000
BASE = 1e9  # [s] that the clock of the stamps shows at time 0


def ns(seconds: float) -> int:
    return round(seconds * SECOND)


@dataclass
class Run:
    """What came out: pairs and complaints by time [s]."""

    pairs: list[tuple[float, Pair]] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)
    refused: int = 0


def messages(sensor: str, fault: Fault | None, base: float):
    """Arrival, stamp and time of capture of every message [s]."""
    period, latency = PERIODS[sensor], LATENCY[sensor]
    count = round(FINISH / period)
    for index in range(count):
        capture = index * period
        arrival, stamp = capture + latency, base + capture
        given = [(arrival, stamp)]
        if fault is not None and START <= capture < END:
            given = fault(capture - START, capture)
            given = [(a + latency, base + s) for a, s in given]
        for a, s in given:
            yield a, s, sensor


def run(
    faults: dict[str, Fault], base: float = BASE, clock: Callable[[float], float] | None = None
):
    """Feed three sensors; stamps are of a clock that shows ``base`` at 0 [s]."""
    clock = clock or (lambda now: base + now)
    pairing, gate, out = Pairing(PairingConfig()), PairingConfig().gate(), Run()
    records = {
        name: InputRecord(f"/{name}", "", 1.0, 1.0, is_optional=name == ODOMETRY)
        for name in PERIODS
    }
    events = [(now, 1, None, "") for now in (0.02 * n for n in range(round(FINISH / 0.02)))]
    for sensor in PERIODS:
        given = messages(sensor, faults.get(sensor), base)
        events += [(arrival, 0, stamp, name) for arrival, stamp, name in given]
    for now, _, stamp, sensor in sorted(events, key=lambda event: event[:2]):
        clock_ns = ns(clock(now))
        if stamp is not None:
            records[sensor].note(ns(stamp), clock_ns, now)
            reason = gate.refusal(sensor, ns(stamp), clock_ns)
            if reason:
                records[sensor].refuse(reason, now)
                out.refused += 1
            elif sensor == CAMERA:
                pairing.add_detections(ns(stamp), stamp)
            elif sensor == LIDAR:
                pairing.add_segmentation(ns(stamp), stamp)
            else:
                pairing.add_odometry(ns(stamp), Pose2(stamp - base, 0.0, 0.0))
        out.pairs += [(now, pair) for pair in pairing.take(gate.now_ns(clock_ns))]
        if stamp is None:
            _tell(out, now, records, pairing, gate, clock_ns)
    return out


def _tell(out, now, records, pairing, gate, clock_ns):
    reason = pairing.why_starved(gate.now_ns(clock_ns))
    if reason:
        out.told.append((now, reason))
    if gate.offset is not None:
        out.told.append((now, "clock"))
    for record in records.values():
        finding = input_status(record, lambda: ["there"], now)
        if finding.level != Level.OK:
            out.told.append((now, finding.text))
