"""Plays a bag through the live graph: in lockstep, so that nothing is lost, or at a rate."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.settings import Config, setting
from conegrad_data.bags.reader import RawMessage
from conegrad_data.decode import read_header
from conegrad_data.recording.bag_clock import BagClock
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output, decoded
from conegrad_nodes.playback.result_tracker import NANOSECONDS, AwaitedResults, ResultTracker

CAMERA, LIDAR = "camera", "lidar"
CONES = "/cones"
END_MARGIN = 0.5  # [s] of bag time after the last message, in which timeouts end
# An image on its way holds the bag time back at this distance: the fusion gives up a sensor that
# lags by 0.3 s of bag time, and a slow camera must not come near that while its model works.
AHEAD = 0.03  # [s]
FIRST_MESSAGE_WAIT = 0.3  # [s] after the first message of an input
END_WAIT = 3.0  # [s] for the last outputs
LOSSES_UNTIL_GIVING_UP = 5  # in a row, with nothing ever received: the graph cannot work


@dataclass(frozen=True)
class PlayConfig(Config):
    """How a bag is played."""

    rate: float = setting(0.0, "Speed relative to real time; 0 plays in lockstep", low=0.0)
    timeout: float = setting(10.0, "Longest wait for an output in lockstep [s]", low=0.1)
    start_timeout: float = setting(120.0, "Longest wait for the nodes to start [s]", low=1.0)


class InputTopic(NamedTuple):
    """A topic of the bag that is played: its role, and the topic of the graph it goes to."""

    role: str
    topic: str
    msgtype: str


class Player:
    """Publishes the messages of a bag, and assigns outputs by their stamps.

    Attributes:
        tracker: which results were received, and which were lost.
        now_ns: time of the graph: the newest stamp [ns].
        receive_ns: receive time of the newest message of the bag [ns].
        reasons: what the nodes reported whenever an output was missing.
    """

    def __init__(
        self,
        link: GraphLink,
        process: GraphProcess,
        inputs: Mapping[str, InputTopic],
        config: PlayConfig,
        trigger: str,
        answers: Mapping[str, Sequence[str]],
    ) -> None:
        """Take a connected graph.

        Args:
            link: this side of it.
            process: the other side.
            inputs: by topic of the bag.
            config: how to play.
            trigger: sensor whose every message gives cones, ``camera`` or ``lidar``.
            answers: topics of the results of each message, by sensor.
        """
        self._link, self._process, self._inputs = link, process, inputs
        self._config, self._trigger = config, trigger
        self._clock = BagClock()
        self._start_ns: int | None = None
        self._started = 0.0
        self._losses_in_a_row = 0
        self._published_ns = -1
        self._begun: set[str] = set()
        self.tracker = ResultTracker(answers[CAMERA], answers[LIDAR])
        self._sensors = {topic: sensor for sensor in answers for topic in answers[sensor]}
        self.now_ns = 0
        self.receive_ns = 0
        self.reasons: list[str] = []

    def wait_until_active(self) -> None:
        """Wait until every input is subscribed to.

        Raises:
            GraphError: if a node cannot start, with its reason.
        """
        topics = {entry.topic for entry in self._inputs.values()}
        if not self._link.wait(
            lambda: all(self._link.subscribers(topic) for topic in topics),
            self._config.start_timeout,
            self._check_start,
        ):
            silent = ", ".join(sorted(t for t in topics if not self._link.subscribers(t)))
            raise GraphError(
                f"nothing subscribed to {silent} within {self._config.start_timeout:.0f} s; "
                f"{self._explanation()}; on a busy machine --start-timeout gives the nodes longer"
                f"\n{self._process.log()}".rstrip()
            )
        self._link.wait(lambda: False, 0.5, self._process.check)  # outputs are found as well

    def send_ahead(self, raw: RawMessage) -> None:
        """Publish a message that all others need, such as the first camera_info, at no time."""
        self._link.publish(self._inputs[raw.topic].topic, raw.data)
        self._link.wait(lambda: False, FIRST_MESSAGE_WAIT, self._process.check)

    def play(self, raw: RawMessage) -> None:
        """Publish one message of the bag; in lockstep, after waiting for those before it.

        Raises:
            GraphError: if the process ended, or nothing is ever received.
        """
        entry = self._inputs.get(raw.topic)
        self.receive_ns = raw.receive_ns
        if self._config.rate:
            self._wait_for_time(raw.receive_ns)
        if entry is None:
            return
        stamp_ns = read_header(raw.data).stamp_ns
        now_ns = self.now_ns
        if entry.role != "camera_info":  # its stamp is not used
            now_ns = max(now_ns, self._clock.note(stamp_ns, raw.receive_ns))
        if not self._config.rate:
            self._wait_for_answers(entry, now_ns)
        self._advance(now_ns)
        self._note(entry, stamp_ns)
        self._link.publish(entry.topic, raw.data)
        if entry.topic not in self._begun:
            self._begun.add(entry.topic)
            # The first odometry and the first camera_info have to be there before the first pair.
            begun = time.perf_counter()
            self._link.wait(lambda: False, FIRST_MESSAGE_WAIT, self._process.check)
            # Else what comes next would be late, and come all at once.
            self._started += time.perf_counter() - begun

    def finish(self) -> None:
        """Let the time run on until the last outputs are there; count what is missing as lost."""
        tracker = self.tracker
        for stage in (tracker.images, tracker.scans):
            self._link.wait(stage.is_idle, END_WAIT, self._process.check)
            self._give_up(stage, self.now_ns)
        steps = 10
        for _ in range(steps):
            self._advance(self.now_ns + round(END_MARGIN * NANOSECONDS / steps))
            self._link.wait(tracker.fusions.is_idle, END_MARGIN / steps, self._process.check)
        self._link.wait(tracker.fusions.is_idle, END_WAIT, self._process.check)
        self._give_up(tracker.fusions, self.now_ns)

    def receive(self, output: Output) -> float | None:
        """Book an output; returns the latency of cones that were awaited [s]."""
        if output.topic in self._sensors:
            sensor = self._sensors[output.topic]
            stamp_ns = read_header(output.data).stamp_ns
            stage = self._stage(sensor)
            stage.receive(stamp_ns, output.arrival, output.topic)
            if sensor != self._trigger and stamp_ns not in stage.waiting:
                self.tracker.note_partner(stamp_ns)
        elif output.topic == CONES:
            self._losses_in_a_row = 0
            msg = decoded(output)
            stamp = msg.camera_stamp if self._trigger == CAMERA else msg.lidar_stamp
            stamp_ns = stamp.sec * NANOSECONDS + stamp.nanosec
            return self.tracker.fusions.receive(stamp_ns, output.arrival)
        return None

    def _stage(self, sensor: str) -> AwaitedResults:
        return self.tracker.images if sensor == CAMERA else self.tracker.scans

    def _note(self, entry: InputTopic, stamp_ns: int) -> None:
        sensor = {"image": CAMERA, "scan": LIDAR, "points": LIDAR}.get(entry.role)
        if sensor is None:
            return
        if sensor in self._sensors.values():
            self._stage(sensor).send(stamp_ns)
        if sensor == self._trigger:
            self.tracker.fusions.send(stamp_ns)

    def _wait_for_answers(self, entry: InputTopic, now_ns: int) -> None:
        tracker = self.tracker
        if entry.role == "image" or tracker.images.oldest_age(now_ns) > AHEAD:
            self._wait_for(tracker.images)
        if entry.role in ("scan", "points"):
            self._wait_for(tracker.scans)
        # Nothing may be left behind by a jump of the time.
        if self._published_ns >= 0 and now_ns - self._published_ns > 0.1 * NANOSECONDS:
            self._wait_for(tracker.images)
            self._wait_for(tracker.scans)
        self._wait_for_cones(now_ns)

    def _wait_for(self, stage: AwaitedResults) -> None:
        if not self._link.wait(stage.is_idle, self._config.timeout, self._process.check):
            self._give_up(stage, self.now_ns)

    def _wait_for_cones(self, now_ns: int) -> None:
        tracker = self.tracker
        overdue = tracker.overdue(now_ns)
        if not overdue:
            return
        # Inputs on their way decide the oldest pairs, so they come first.
        for stage in (tracker.images, tracker.scans):
            self._wait_for(stage)
        # The time may have to pass before the fusion gives up waiting for a partner.
        self._advance(now_ns)
        fusions = tracker.fusions
        if not self._link.wait(
            lambda: all(stamp > overdue for stamp in fusions.waiting),
            self._config.timeout,
            self._process.check,
        ):
            self._give_up(fusions, overdue)

    def _give_up(self, stage: AwaitedResults, before_ns: int) -> None:
        lost = stage.give_up(before_ns)
        if not lost:
            return
        self._losses_in_a_row += 1
        reason = self._explanation()
        if reason not in self.reasons:
            self.reasons.append(reason)
        if self._losses_in_a_row >= LOSSES_UNTIL_GIVING_UP and not self.tracker.fusions.received:
            raise GraphError(
                f"no output for {len(self.tracker.fusions.lost)} messages in a row; {reason}"
            )

    def _explanation(self) -> str:
        problems = self._link.problems
        if not problems:
            return "the nodes report no problem"
        return "the nodes report: " + "; ".join(problems)

    def _check_start(self) -> None:
        self._process.check()
        stuck = [text for text in self._link.problems if "cannot configure" in text]
        if stuck:
            raise GraphError("; ".join(stuck))

    def _advance(self, now_ns: int) -> None:
        self.now_ns = max(self.now_ns, now_ns)
        if self.now_ns != self._published_ns:
            self._published_ns = self.now_ns
            self._link.set_time(self.now_ns)

    def _wait_for_time(self, receive_ns: int) -> None:
        """Wait until a message is due in real time."""
        if self._start_ns is None:
            self._start_ns, self._started = receive_ns, time.perf_counter()
        due = self._started + (receive_ns - self._start_ns) / NANOSECONDS / self._config.rate
        self._link.wait(lambda: False, max(0.0, due - time.perf_counter()), self._process.check)
