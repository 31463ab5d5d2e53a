"""Plays a bag through the live graph, switches faults on and off, and measures what comes of it.

Time is that of the bag, by which the nodes measure, too: after each image and scan the player waits
for its result before the time goes on, so that a busy machine changes nothing. What needs real time
(how long a model takes) is therefore not in the figures.
"""

import contextlib
import heapq
import itertools
import math
import re
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.geometry.calibration import Calibration
from conegrad_data.bags.reader import BagReader
from conegrad_data.calibration.calibration_source import CalibrationConfig, CalibrationSource
from conegrad_data.decode import read_header
from conegrad_data.recording.headers import first_frame
from conegrad_evaluation.disturbances.fault import Fault
from conegrad_evaluation.disturbances.message_fault import (
    CAMERA,
    LIDAR,
    ODOMETRY,
    SENSORS,
    LiveMessage,
    MessageFault,
)
from conegrad_evaluation.robustness.live_outcome import LiveOutcome, LiveSettings
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.parameters.chosen_parameters import settings
from conegrad_nodes.playback.first_calibration import first_camera_info
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output, decoded
from conegrad_nodes.playback.perceive import (
    DIAGNOSTICS,
    PerceiveOptions,
    answer_topics,
    check_bag,
    graph_inputs,
    output_topics,
)
from conegrad_nodes.playback.player import CONES, InputTopic
from conegrad_nodes.playback.this_machine import on_this_machine

SECOND = 1_000_000_000  # [ns]
STAMP = struct.Struct("<iI")  # seconds and nanoseconds, behind the four bytes of the encapsulation
START_WAIT = 120.0  # [s] of real time until the nodes are active
ANSWER_WAIT = 2.0  # [s] of real time for the result of an image or a scan
WARM_UP = 3.0  # [s] before the first fault
CALM, CALM_WITHIN = 1.0, 10.0  # [s] without a complaint before a fault, and at most until then
GIVE_UP = 10.0  # [s] after a fault
# Words by which a status names the sensor of a fault; the name of its node counts.
NAMED = {
    CAMERA: re.compile(r"camera|image|detections|calibration|extrinsic", re.IGNORECASE),
    LIDAR: re.compile(r"lidar|scan|points|segmentation", re.IGNORECASE),
    ODOMETRY: re.compile(r"odom|motion|sensors|clock", re.IGNORECASE),
}


class _Event(NamedTuple):
    due_ns: int
    number: int
    entry: InputTopic
    data: bytes
    is_faulty: bool


class LiveGraph:
    """The graph of a system with the messages of a bag; use it in a ``with`` statement."""

    def __init__(self, path: Path, options: PerceiveOptions, pace: float) -> None:
        """Start it.

        Args:
            path: of the bag.
            options: what runs, with which parameters.
            pace: fastest speed relative to real time.

        Raises:
            BagError: if the bag cannot be played.
            GraphError: if the nodes do not start.
        """
        self._stack = contextlib.ExitStack()
        try:
            self._open(path, options)
        except BaseException:
            self._stack.close()
            raise
        self._pace = pace
        self.now_ns = self._bag.start_ns
        self._queue: list[_Event] = []
        self._numbers = itertools.count()
        self._messages = self._looped()
        self._wall = time.monotonic() - self.now_ns / SECOND / pace
        self._fault: tuple[MessageFault, int, int] | None = None
        self.first_ns: int | None = None  # arrival of the first message that the fault changed
        self.cones: list[tuple[int, bool, int]] = []  # arrival, whether of all, oldest stamp [ns]
        self.levels: dict[str, tuple[int, int]] = {}  # level of each status, since when [ns]
        self.troubles: list[tuple[int, str, str]] = []  # arrival [ns], name, text
        self._answers = 0

    def _open(self, path: Path, options: PerceiveOptions) -> None:
        enter = self._stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="conegrad-")))
        self._bag = enter(BagReader(path))
        found = check_bag(self._bag, options, folder)
        found.enforce()
        self._roles = found.roles
        queues = {"reliability": "reliable", "sensor_reliability": "reliable", "depth": 10}
        parameters = {**found.parameters, **queues, **options.parameters}
        self.calibration = self._calibration_of(parameters)
        enter(on_this_machine(folder))
        domain = enter(own_domain())
        self._process = enter(GraphProcess(domain, parameters))
        self._inputs = graph_inputs(self._bag, self._roles)
        self.sensors = options.hosts.sensors
        self._answering = {t for topics in answer_topics(options.hosts).values() for t in topics}
        known = output_topics(options.hosts)
        outputs = {topic: known[topic] for topic in (CONES, *self._answering)} | DIAGNOSTICS
        published = {entry.topic: entry.msgtype for entry in self._inputs.values()}
        self._link = enter(GraphLink(domain, published, outputs, self._hear))

    def _calibration_of(self, parameters: Mapping[str, Any]) -> Calibration | None:
        if not {"image", "scan"} <= set(self._roles):
            return None
        source = CalibrationSource(settings(CalibrationConfig, parameters, "calibration"))
        info = first_camera_info(self._bag, self._roles, dict(parameters))
        if info is not None:
            source.take_camera_info(self._bag.decode(info))
        frames = [first_frame(self._bag, self._roles[role]) for role in ("image", "scan")]
        return source.calibration(*frames)[0]

    def __enter__(self) -> "LiveGraph":
        topics = [entry.topic for entry in self._inputs.values()]
        subscribed = lambda: all(self._link.subscribers(topic) for topic in topics)  # noqa: E731
        if not self._link.wait(subscribed, START_WAIT, self._process.check):
            problems = "; ".join(self._link.problems)
            raise GraphError(f"the nodes do not start: {problems}\n{self._process.log()}")
        self._wall = time.monotonic() - self.now_ns / SECOND / self._pace
        self.run(WARM_UP)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def switch_on(self, fault: MessageFault, seconds: float) -> tuple[int, int]:
        """Let a fault act for a while from now on; returns its begin and end [ns]."""
        begin, end = self.now_ns, self.now_ns + round(seconds * SECOND)
        self._fault, self.first_ns = (fault, begin, end), None
        return begin, end

    def run(self, seconds: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Play for a time [s], or until something is so; returns whether it is."""
        end = self.now_ns + round(seconds * SECOND)
        while not is_done():
            if self.now_ns >= end:
                return False
            self._step()
        return True

    def complaints(self) -> set[str]:
        """Names of the statuses that are not OK now."""
        return {name for name, (level, _) in self.levels.items() if level}

    def _looped(self) -> Iterator[tuple[int, InputTopic, bytes]]:
        """Due time [ns], destination and content of each message, again and again."""
        period = self._bag.end_ns - self._bag.start_ns + SECOND // 40
        topics = list(self._inputs)
        for round_number in itertools.count():
            shift = round_number * period
            for raw in self._bag.raw_messages(topics):
                data = bytearray(raw.data)
                STAMP.pack_into(data, 4, *divmod(read_header(raw.data).stamp_ns + shift, SECOND))
                yield raw.receive_ns + shift, self._inputs[raw.topic], bytes(data)

    def _step(self) -> None:
        due_ns, entry, data = next(self._messages)
        for delay, content in self._given(due_ns, entry, data):
            at = due_ns + round(delay * SECOND)
            is_faulty = content is not data or delay > 0
            event = _Event(at, next(self._numbers), entry, content, is_faulty)
            heapq.heappush(self._queue, event)
        while self._queue and self._queue[0].due_ns <= due_ns:
            self._publish(heapq.heappop(self._queue))
        self._advance(due_ns)

    def _given(self, due_ns: int, entry: InputTopic, data: bytes) -> list[tuple[float, bytes]]:
        if self._fault is None or not self._fault[1] <= due_ns < self._fault[2]:
            return [(0.0, data)]
        fault, begin, _ = self._fault
        message = LiveMessage(entry.role, entry.msgtype, data)
        given = fault.sent(message, (due_ns - begin) / SECOND)
        if self.first_ns is None and given != [(0.0, data)]:
            self.first_ns = due_ns
        return given

    def _publish(self, event: _Event) -> None:
        self._advance(event.due_ns)
        before = self._answers
        self._link.publish(event.entry.topic, event.data)
        if SENSORS.get(event.entry.role) in (CAMERA, LIDAR):
            self._link.wait(lambda: self._answers > before, ANSWER_WAIT, self._process.check)

    def _advance(self, now_ns: int) -> None:
        """Let the time go on, not faster than the pace."""
        due = self._wall + now_ns / SECOND / self._pace
        late = time.monotonic() - due
        if late > 0:
            self._wall += late  # it is never caught up with
        self._link.wait(lambda: False, max(0.0, -late), self._process.check)
        self.now_ns = max(self.now_ns, now_ns)
        self._link.set_time(self.now_ns)

    def _hear(self, output: Output) -> None:
        if output.topic in self._answering:
            self._answers += 1
        elif output.topic == CONES:
            msg = decoded(output)
            used = {CAMERA: msg.camera_used, LIDAR: msg.lidar_used}
            stamps = {CAMERA: msg.camera_stamp, LIDAR: msg.lidar_stamp}
            oldest = min(stamps[name].sec * SECOND + stamps[name].nanosec for name in self.sensors)
            self.cones.append((self.now_ns, all(used[name] for name in self.sensors), oldest))
        elif output.topic in DIAGNOSTICS:
            for status in decoded(output).status:
                self._note(status.name, ord(status.level), status.message)

    def _note(self, name: str, level: int, text: str) -> None:
        before, since = self.levels.get(name, (0, self.now_ns))
        self.levels[name] = (level, since if bool(level) == bool(before) else self.now_ns)
        if level:
            self.troubles.append((self.now_ns, name, text))


def outcome(graph: LiveGraph, fault: Fault, seconds: float) -> LiveOutcome:
    """Switch a fault on and off, and measure.

    Raises:
        ValueError: if messages cannot show the fault.
        GraphError: if the graph ends.
    """
    acting = MessageFault(fault, seconds, graph.calibration)
    graph.run(CALM_WITHIN, lambda: _is_calm(graph))
    known = graph.complaints()
    graph.cones.clear()
    graph.run(CALM)
    usual = _longest([at for at, *_ in graph.cones])
    latest = graph.cones[-1][0] if graph.cones else graph.now_ns
    graph.cones.clear()
    graph.troubles.clear()
    begin, end = graph.switch_on(acting, seconds)
    graph.run(seconds)
    graph.run(GIVE_UP, lambda: _is_over(graph, end, known))
    first = begin if graph.first_ns is None else graph.first_ns
    telling = [
        (at, f"{name}: {text}")
        for at, name, text in graph.troubles
        if at >= first and name not in known and NAMED[acting.sensor].search(f"{name} {text}")
    ]
    told, teller = telling[0] if telling else (math.nan, "")
    times = [latest, *(at for at, *_ in graph.cones), graph.now_ns]
    again = [at for at, is_of_all, oldest in graph.cones if is_of_all and oldest >= end]
    is_calm = not graph.complaints() - known
    since = max((at for name, (_, at) in graph.levels.items() if name not in known), default=end)
    return LiveOutcome(
        fault,
        seconds,
        (told - first) / SECOND,
        teller,
        _longest(times),
        usual,
        (again[0] - end) / SECOND if again else math.nan,
        max(0, since - end) / SECOND if is_calm else math.nan,
    )


def measure_live(
    path: Path,
    options: PerceiveOptions,
    faults: Sequence[Fault],
    chosen: LiveSettings,
) -> Iterator[LiveOutcome]:
    """Outcome of each fault, one after the other in one graph, which is never restarted.

    Args:
        path: of the bag.
        options: what runs.
        faults: to switch on.
        chosen: how.

    Raises:
        BagError: if the bag cannot be played.
        GraphError: if the graph does not start, or ends.
        ValueError: if messages cannot show a fault.
    """
    with LiveGraph(path, options, chosen.pace) as graph:
        for fault in faults:
            MessageFault(fault, chosen.seconds, graph.calibration)  # refused before, not amid
        for fault in faults:
            yield outcome(graph, fault, chosen.seconds)


def _is_calm(graph: LiveGraph) -> bool:
    since = max((at for _, at in graph.levels.values()), default=0)
    return not graph.complaints() and graph.now_ns - since >= CALM * SECOND


def _is_over(graph: LiveGraph, end: int, known: set[str]) -> bool:
    """Cones of all sensors came after a fault, and all has been well for a while since."""
    is_whole = any(is_of_all and oldest >= end for _, is_of_all, oldest in graph.cones)
    since = max((at for name, (_, at) in graph.levels.items() if name not in known), default=end)
    is_calm = graph.now_ns - max(since, end) >= CALM * SECOND
    return is_whole and is_calm and not graph.complaints() - known


def _longest(times: Sequence[int]) -> float:
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return max(gaps, default=0) / SECOND
