"""A bag in, the same bag with cones out: played through the live graph over DDS."""

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.system_record.provenance import provenance
from conegrad_core.timing.pairing import PairingConfig
from conegrad_data.bags import messages
from conegrad_data.bags.made_by import to_notes
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_data.calibration.calibration_file import write_calibration_file
from conegrad_data.recording.bag_readiness import (
    BagFinding,
    BagReadiness,
    Candidate,
    checked,
    readiness,
)
from conegrad_data.recording.headers import first_frame
from conegrad_data.recording.lenient_decoder import LenientDecoder
from conegrad_data.recording.own_car_search import find_own_car
from conegrad_data.recording.topic_probes import probe_topics
from conegrad_data.status.part_status import Level
from conegrad_data.topics.topic_rules import is_rectified
from conegrad_data.topics.topics import (
    COMPRESSED_IMAGE,
    TopicChoice,
    choose_topics,
    find_topics,
    one_lidar,
)
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.parameters.chosen_parameters import (
    check_parameters,
    chosen_pipeline,
    node_parameters,
    read_parameter_files,
    settings,
    stage_settings,
)
from conegrad_nodes.parameters.pipeline_settings import node_settings
from conegrad_nodes.pipeline_hosts import (
    COMPOSED,
    FUSION_NODE,
    WAYS,
    PipelineHosts,
    pipeline_hosts,
)
from conegrad_nodes.playback.bag_checks import CHECKS
from conegrad_nodes.playback.calibration_check import FRAMES_OF_BAG
from conegrad_nodes.playback.first_calibration import first_camera_info
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output, type_name
from conegrad_nodes.playback.player import CAMERA, LIDAR, InputTopic, PlayConfig, Player
from conegrad_nodes.playback.result_tracker import ResultCounts
from conegrad_nodes.playback.this_machine import check_environment, on_this_machine
from conegrad_nodes.port_messages.registry import port_message

FLOAT = "std_msgs/msg/Float64"
DIAGNOSTICS = {"/diagnostics": "diagnostic_msgs/msg/DiagnosticArray"}
# From publishing the triggering message to receiving its cones, both on this side of DDS.
LATENCY = "/player/pipeline_latency"
SENSOR_NAMES = {"image": "images", "scan": "scans", "points": "clouds"}  # by role
PLAYED = ("image", "camera_info", "scan", "points", "odom", "tf_static")  # roles that matter
GRAPH_TOPICS = {
    "image": "/image_raw",
    "camera_info": "/camera_info",
    "scan": "/scan",
    "points": "/points",
    "odom": "/odom",
}


@dataclass(frozen=True)
class PerceiveOptions:
    """What may be chosen about a run.

    Attributes:
        pipeline: that runs, by name or path; empty: as the parameters say, else that of the car.
        stages: composed in the nodes of the car, or apart in nodes of their own.
        play: lockstep or real time.
        parameters: of the nodes by full name, such as ``detector.engine``.
        parameter_files: ROS parameter files; ``parameters`` take precedence.
        topics: topic of the bag by role, where the usual names do not tell.
        vehicle: preset that gives the calibration; empty takes it from the bag.
        domain: ROS domain to share on this machine; None takes one of its own.

    Raises:
        FileNotFoundError: if there is no such pipeline or parameter file.
        ValueError: if the nodes would refuse the pipeline, a parameter or a file of them.
    """

    pipeline: str = ""
    stages: str = COMPOSED
    play: PlayConfig = field(default_factory=PlayConfig)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    parameter_files: Sequence[Path] = ()
    topics: Mapping[str, str] = field(default_factory=dict)
    vehicle: str = ""
    domain: int | None = None

    def __post_init__(self) -> None:
        if self.stages not in WAYS:
            raise ValueError(f"stages is {self.stages!r}, expected one of {', '.join(WAYS)}")
        if self.pipeline:
            given = {**self.parameters, "pipeline": self.pipeline}
            object.__setattr__(self, "parameters", given)
        check_parameters(self.parameters, self.parameter_files)

    @functools.cached_property
    def hosts(self) -> PipelineHosts:
        """Of the stages of the pipeline."""
        return pipeline_hosts(chosen_pipeline(self.parameters, self.parameter_files))

    @functools.cached_property
    def notes(self) -> dict[str, str]:
        """What the new bag says of what made its cones: pipeline, recorded system, weights."""
        parameters = self.of_files | dict(self.parameters)
        hosts = self.hosts
        configs = {name: stage_settings(hosts, name, parameters) for name in hosts.classes}
        return to_notes(provenance(hosts.specification.source, hosts.classes, configs))

    @property
    def of_files(self) -> dict[str, Any]:
        """Parameters of the files by full name."""
        return read_parameter_files(self.parameter_files, list(node_settings(self.hosts)))


class PerceiveResult(NamedTuple):
    """What came of a run.

    Attributes:
        images, scans, fusions: sent, received and lost messages of each stage.
        latencies: from publishing to the cones [s].
        reasons: what the nodes reported whenever an output was missing.
        warnings: what was wrong with the bag.
    """

    images: ResultCounts
    scans: ResultCounts
    fusions: ResultCounts
    latencies: list[float]
    reasons: list[str]
    warnings: list[str]


Progress = Callable[[Iterable[RawMessage], int], Iterable[RawMessage]]
# Topic, message type, time [ns], and the message: serialized, or an object.
MessageSink = Callable[[str, str, int, Any], None]


def perceive_bag(
    bag_path: str | Path,
    output: str | Path,
    options: PerceiveOptions | None = None,
    *,
    progress: Progress | None = None,
) -> PerceiveResult:
    """Play a bag through the nodes of a pipeline and record inputs and outputs in a new bag.

    Ctrl-C ends the nodes and leaves a readable bag of what came until then.

    Args:
        bag_path: the recorded drive.
        output: the bag to create.
        options: how to play.
        progress: wraps the messages to show progress; given them and their number.

    Raises:
        BagError: if a bag cannot be read or written, or lacks a part of the calibration.
        GraphError: if the nodes cannot start, cannot meet or give nothing; says why.
    """
    check_environment()
    options = options or PerceiveOptions()
    with contextlib.ExitStack() as stack:
        prepared = PreparedRun(bag_path, options, stack)
        bag = prepared.bag
        made = BagWriter(output, typestore=bag.typestore, qos=bag.qos, notes=options.notes)
        writer = stack.enter_context(made)
        run = prepared.started(writer.write, stack)
        try:
            run.start()
        except BaseException:
            writer.close()
            shutil.rmtree(writer.path)  # it holds nothing yet, and must not be in the way
            raise
        run.play(progress)
        return run.result()


class PreparedRun:
    """A bag that can be perceived, and what its nodes are started with.

    Attributes:
        bag: open until the stack is closed.
        roles: topic of the bag of each role that is played.
    """

    def __init__(
        self, bag_path: str | Path, options: PerceiveOptions, stack: contextlib.ExitStack
    ) -> None:
        """Open and check the bag.

        Args:
            bag_path: the recorded drive.
            options: how to play.
            stack: ends what is begun here.

        Raises:
            BagError: if the bag cannot be read, or lacks a part of the calibration.
            GraphError: if the environment forbids a graph.
        """
        self.bag = stack.enter_context(BagReader(bag_path))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conegrad-")))
        found = check_bag(self.bag, options, folder)
        found.enforce()
        self.roles = found.roles
        self._options, self._parameters = options, found.parameters
        nodes = list(node_settings(options.hosts))
        self._of_nodes = node_parameters(options.parameter_files, nodes)
        stack.enter_context(on_this_machine(folder))
        self._domain = stack.enter_context(own_domain(options.domain))

    def started(self, sink: MessageSink, stack: contextlib.ExitStack) -> "BagRun":
        """Start the process of the nodes, and join its graph.

        Args:
            sink: gets every message of the bag and of the graph.
            stack: ends both.
        """
        parameters, options = self._parameters, self._options
        process = GraphProcess(self._domain, parameters, node_parameters=self._of_nodes)
        stack.enter_context(process)
        known = {**self._of_nodes[FUSION_NODE], **parameters}
        pairing = settings(PairingConfig, known, "pairing")
        sensors = options.hosts.sensors
        trigger = pairing.trigger if len(sensors) > 1 else sensors[0]
        ahead = first_camera_info(self.bag, self.roles, {**options.of_files, **parameters})
        run = BagRun(self.bag, self.roles, sink, options, trigger, self._domain, process, ahead)
        stack.enter_context(run.link)
        return run


class BagRun:
    """One bag on its way through the graph.

    Attributes:
        link: this side of the graph; a context that the caller enters.
    """

    def __init__(
        self,
        bag: BagReader,
        roles: Mapping[str, str],
        sink: MessageSink,
        options: PerceiveOptions,
        trigger: str,
        domain: int,
        process: GraphProcess,
        ahead: RawMessage | None,
    ) -> None:
        self._bag, self._sink, self._options = bag, sink, options
        self._process, self._trigger, self._ahead = process, trigger, ahead
        self._inputs, self._readable = graph_inputs(bag, roles), LenientDecoder(bag)
        published = {entry.topic: entry.msgtype for entry in self._inputs.values()}
        self._made = {**output_topics(options.hosts, options.stages), **DIAGNOSTICS}
        self.link = GraphLink(domain, published, self._made, self._record)
        self._player = self._new_player()

    def start(self) -> None:
        """Wait for the nodes."""
        self._player.wait_until_active()

    def play(self, progress: Progress | None = None, topics: Sequence[str] | None = None) -> None:
        """Play every message, and pass it to the sink; one is sent ahead of all.

        Args:
            progress: wraps the messages to show progress; given them and their number.
            topics: of the bag, inputs among them; None: all that can be read.
        """
        if self._ahead is not None:
            self._player.send_ahead(self._ahead)
        passed = [
            name
            for name, topic in self._bag.topics.items()
            if topic.is_readable
            and name not in (*self._made, LATENCY)
            and (topics is None or name in topics)
        ]
        count = sum(self._bag.topics[name].count for name in passed)
        stream = self._bag.raw_messages(passed)
        for raw in progress(stream, count) if progress else stream:
            is_input = raw.topic in self._inputs
            if not is_input or self._readable.decode(raw) is not None:
                self._player.play(raw)
            self._sink(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
        self._player.finish()
        self._readable.tell()

    def play_again(self, progress: Progress, topics: Sequence[str]) -> None:
        """Play from the beginning, through the same nodes: for them the time jumps back."""
        self._player = self._new_player()
        self.play(progress, topics)

    def result(self) -> PerceiveResult:
        """What came of it."""
        tracker = self._player.tracker
        return PerceiveResult(
            tracker.images.counts(),
            tracker.scans.counts(),
            tracker.fusions.counts(),
            tracker.fusions.latencies,
            self._player.reasons,
            [*self._bag.warnings, *self._readable.described()],
        )

    def _new_player(self) -> Player:
        answers = answer_topics(self._options.hosts)
        play = self._options.play
        return Player(self.link, self._process, self._inputs, play, self._trigger, answers)

    def _record(self, output: Output) -> None:
        latency = self._player.receive(output)
        now_ns = self._player.receive_ns or self._bag.start_ns
        self._sink(output.topic, output.msgtype, now_ns, output.data)
        if latency is not None:
            self._sink(LATENCY, FLOAT, now_ns, messages.make(FLOAT, data=latency))


def check_bag(bag: BagReader, options: PerceiveOptions, folder: Path) -> BagReadiness:
    """Whether a bag can be perceived, and how: the same for info, the live graph and ``--direct``.

    Args:
        bag: the recorded drive.
        options: what was chosen about the run.
        folder: takes files that the parameters name.

    Raises:
        ValueError: if a setting of the calibration is out of bounds.
    """
    try:
        choice = one_lidar(choose_topics(bag, options.topics), options.topics)
        roles = _played(bag, choice, options.hosts)
        parameters = graph_parameters(bag, roles, options, folder)
        probes = probe_topics(bag, roles)
    except BagError as error:
        return readiness({}, {}, [BagFinding(Level.ERROR, str(error))])
    known = options.of_files | parameters
    is_shared = options.domain is not None
    static = {role: topic for role, topic in choice.roles.items() if role == "tf_static"}
    found = checked(Candidate(bag, {**roles, **static}, known, probes, is_shared), CHECKS)
    notes = [
        BagFinding(Level.OK if role in roles else Level.WARN, choice.notes[role])
        for role in PLAYED
        if role in choice.notes and role not in unused_roles(options.hosts)
    ]
    return readiness(roles, parameters, [*found.findings, *notes])


def input_roles(bag: BagReader, given: Mapping[str, str]) -> dict[str, str]:
    """Topic of the bag of each role that is played.

    A planar scan is preferred to a cloud, unless the cloud alone is named.

    Raises:
        BagError: if there is neither a camera nor a LiDAR, or if several topics fit a role.
    """
    return _played(bag, one_lidar(choose_topics(bag, given), given), pipeline_hosts())


def _played(bag: BagReader, choice: TopicChoice, hosts: PipelineHosts) -> dict[str, str]:
    unused = unused_roles(hosts)
    played = [role for role in PLAYED if role not in unused]
    ambiguities = [choice.ambiguities[role] for role in played if role in choice.ambiguities]
    if ambiguities:
        raise BagError("\n".join(ambiguities))
    roles = {
        role: choice.roles[role]
        for role in GRAPH_TOPICS
        if role in choice.roles and role not in unused
    }
    sensors = [role for role in SENSOR_NAMES if role not in unused]
    if not set(sensors) & set(roles):
        known = [choice.notes[role] for role in sensors if role in choice.notes]
        held = "; ".join(known) or f"it holds {', '.join(bag.topics) or 'nothing'}"
        lacks = " nor ".join(SENSOR_NAMES[role] for role in sensors)
        lacks = f"neither {lacks}" if len(sensors) > 1 else f"no {lacks}"
        of = f", which {hosts.specification.source} takes" if unused else ""
        raise BagError(f"{bag.path} has {lacks}{of}; {held}")
    return roles


def unused_roles(hosts: PipelineHosts) -> frozenset[str]:
    """Roles of topics that a pipeline does not take: of the sensor that it has no input for."""
    unused: set[str] = set()
    if not hosts.camera_ports:
        unused |= {"image", "camera_info"}
    if not hosts.lidar_ports:
        unused |= {"scan", "points"}
    return frozenset(unused)


def answer_topics(hosts: PipelineHosts) -> dict[str, tuple[str, ...]]:
    """Topics of the results of each image and of each scan, by sensor."""
    ports = {CAMERA: hosts.camera_ports, LIDAR: hosts.lidar_ports}
    return {
        sensor: tuple(
            f"/{port_message(hosts.kinds[port]).topic(port)}"
            for port in of_sensor
            if port not in hosts.specification.inputs
        )
        for sensor, of_sensor in ports.items()
    }


def output_topics(hosts: PipelineHosts, way: str = COMPOSED) -> dict[str, str]:
    """Message type of every topic that a run writes into its bag.

    Values that stay between the stages of one node, such as crops, are not among them.
    """
    published = {*hosts.crossing(hosts.camera), *hosts.crossing(hosts.lidar), hosts.cones}
    published |= set(hosts.crossing(hosts.further))
    outputs = {}
    for port in hosts.kinds:
        if port in published:
            message = port_message(hosts.kinds[port])
            outputs[f"/{message.topic(port)}"] = type_name(message.msgtype)
    nodes = hosts.node_names(way)
    return outputs | {f"/{node}/processing_latency": FLOAT for node in nodes}


def graph_inputs(bag: BagReader, roles: Mapping[str, str]) -> dict[str, InputTopic]:
    """Where each topic of the bag goes."""
    inputs = {}
    for role, name in roles.items():
        msgtype = bag.topics[name].msgtype
        topic = GRAPH_TOPICS[role]
        if msgtype == COMPRESSED_IMAGE:
            topic = f"{topic}/compressed"
        inputs[name] = InputTopic(role, topic, msgtype)
    return inputs


def graph_parameters(
    bag: BagReader, roles: Mapping[str, str], options: PerceiveOptions, folder: Path
) -> dict[str, Any]:
    """Parameters of the nodes for a bag: its topics, its calibration, and what the user chose."""
    parameters: dict[str, Any] = {"use_sim_time": True, "autostart": True}
    if not options.play.rate:
        parameters |= {"reliability": "reliable", "sensor_reliability": "reliable", "depth": 10}
        # While a slow model works, the time of the bag runs on: that is no fault in lockstep.
        parameters["stamp_tolerance"] = 10.0
    if "image" in roles and bag.topics[roles["image"]].msgtype == COMPRESSED_IMAGE:
        parameters["image_transport"] = "compressed"
    if "points" in roles:
        parameters["input"] = "points"
    in_files = options.of_files
    if is_rectified(roles.get("image", "")) and "calibration.images" not in in_files:
        parameters["calibration.images"] = "rectified"
    if options.stages != COMPOSED:
        parameters["stages"] = options.stages
    if "image" not in roles:
        parameters["pairing.trigger"] = LIDAR
    parameters |= _calibration(bag, roles, options, folder)
    known = settings(ReductionConfig, in_files | dict(options.parameters), "reduction")
    outline = find_own_car(bag, roles, known)
    if outline is not None:
        parameters["reduction.car_outline"] = outline.as_setting()
    parameters |= dict(options.parameters)
    return parameters


def _lidar_frame(bag: BagReader, roles: Mapping[str, str]) -> str:
    """Frame of the first scan or cloud; empty in a bag without, whose cones are in the base's."""
    return first_frame(bag, roles.get("scan") or roles.get("points"))


def _calibration(
    bag: BagReader, roles: Mapping[str, str], options: PerceiveOptions, folder: Path
) -> dict[str, Any]:
    if options.vehicle:
        chosen = {"calibration.vehicle": options.vehicle, "calibration.extrinsics": "vehicle"}
        # Images before the first scan give cones, too.
        chosen["calibration.default_lidar_frame"] = _lidar_frame(bag, roles)
        if "camera_info" not in roles:
            chosen["calibration.intrinsics"] = "vehicle"
        return chosen
    topic = find_topics(bag, options.topics, ["tf_static"]).get("tf_static")
    if topic is None:
        return {}
    # The wheels of ROS lack tf2_msgs: the transforms of the bag reach the fusion as a file.
    path = folder / FRAMES_OF_BAG
    write_calibration_file(path, (msg for _, _, msg in bag.messages([topic])))
    chosen = {"calibration.file": str(path), "calibration.extrinsics": "file"}
    return {**chosen, "calibration.default_lidar_frame": _lidar_frame(bag, roles)}
