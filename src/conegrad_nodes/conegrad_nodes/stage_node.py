"""Stage node: any stage of a pipeline file over topics."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from rclpy.parameter import Parameter
from std_msgs.msg import Header

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.pipeline.errors import PipelineError
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.hosted_part import HostedPart
from conegrad_nodes.node_base.qos import LATEST
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.stamp_join import StampJoin
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import StageNodeConfig
from conegrad_nodes.parameters.parameter_names import known_names, names_of
from conegrad_nodes.parameters.pipeline_settings import known_to_nodes
from conegrad_nodes.pipeline_hosts import pipeline_hosts, stage_node_name
from conegrad_nodes.port_messages.debug_image import can_draw, debug_image
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.port_message import Received
from conegrad_nodes.port_messages.registry import port_message
from conegrad_nodes.port_messages.scan import SCAN


class StageInputs(NamedTuple):
    """Messages of one stamp, by port; their header is that of the first port."""

    header: Header
    by_port: Mapping[str, Any]


class StageNode(SensorNode):
    """Runs one stage of a pipeline file on the messages of its input ports.

    A stage with several inputs gets messages of equal stamps. The results have the header of the
    message of its first input. A stage gets no calibration and no motion: the fusion node runs
    those that need them.

    Subscribes: the topic of each input port. Publishes: that of each output port, as the messages
    of its kind say (entry points ``conegrad.port_messages``); ``~/debug_image``
    (sensor_msgs/Image) while subscribed, if an input is an image on which a result can be drawn;
    ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds);
    ``/diagnostics``.
    Parameters: the fields of :class:`StageNodeConfig`; the name of the stage and the fields of its
    settings, whose defaults are those of the pipeline file; ``reduction.`` and ``sweep.`` as of the
    LiDAR node, for a stage that reads a scan.

    Args:
        stage: its name, in place of the parameter; the node is then called ``STAGE_node``.
        node_options: of rclpy.node.Node.
    """

    def __init__(self, stage: str = "", **node_options: Any) -> None:
        if stage:
            chosen = Parameter("stage", value=stage)
            given = node_options.pop("parameter_overrides", None) or []
            node_options["parameter_overrides"] = [*given, chosen]
        super().__init__(stage_node_name(stage or "stage"), **node_options)
        self._config: StageNodeConfig = declare_config(self, StageNodeConfig)
        self.hosted = HostedPart(self._config.pipeline, [self._config.stage])
        part, stage_class = self.hosted.part, self.hosted.classes[self._config.stage]
        if stage_class.needs_calibration:
            self.get_logger().warning(
                f"the stage {self.hosted.name} needs the calibration, which this node does not "
                "have: the fusion node runs it"
            )
        self.declare_stages()
        written = part.stages[self.hosted.name].outputs.items()
        self._kinds = {**part.inputs, **{port: stage_class.outputs[slot] for slot, port in written}}
        self._read = {port: port_message(kind) for port, kind in part.inputs.items()}
        self._written = {port: port_message(self._kinds[port]) for _, port in written}
        self._image = next((port for port, m in self._read.items() if m is IMAGE), "")
        self._is_drawable = any(map(can_draw, self._written.values()))
        self._open_inputs()
        self._warnings: tuple[str, ...] = ()

    def _open_inputs(self) -> None:
        """Declare an input per port that the stage reads."""
        if SCAN in self._read.values():
            self._scans = ScanReader(
                declare_config(self, ReductionConfig, "reduction"),
                declare_config(self, SweepConfig, "sweep"),
            )
        for port, message in self._read.items():
            source = message.msgtype, message.topic(port)
            if message is IMAGE and port == "image":
                source = IMAGE.transports[self._config.image_transport]
            elif message is SCAN and port == "scan":
                source = SCAN.sources[self._config.input], self._config.input
            self.subscribe_to(*source, functools.partial(self._on_message, port))
        topics = (entry.record.topic for entry in self.inputs)
        self._join = StampJoin(dict(zip(self._read, topics, strict=True)))

    def known_parameters(self) -> list[str]:
        """Those of the car, whose parameter files may be given to this node too, and its own."""
        stages = [(name, c.config_class) for name, c in self.hosted.classes.items()]
        known = known_to_nodes(self._config.pipeline) if self._runs_live() else None
        return sorted({*(known or known_names()), *names_of([("", StageNodeConfig), *stages])})

    def _runs_live(self) -> bool:
        """Whether the whole pipeline can run live: that of this stage alone may not."""
        try:
            pipeline_hosts(self._config.pipeline)
        except PipelineError:
            return False
        return True

    def load(self) -> None:
        """Load the stage and create the outputs."""
        super().load()
        self.open_outputs(self._written)
        self._debug: Any = None
        if self._image and self._is_drawable:
            self._debug = self.create_lifecycle_publisher(IMAGE.msgtype, "~/debug_image", LATEST)

    def warm_up(self) -> None:
        """Begin without messages; what a stage runs on is not known before the first one."""
        self._join.clear()
        self.start_worker()

    def release(self) -> None:
        """Drop the stage and the outputs."""
        if self.hosted.is_loaded:
            super().release()
            if self._debug is not None:
                self.destroy_lifecycle_publisher(self._debug)

    def check(self) -> list[PartStatus]:
        """Further: warnings about the latest messages, and inputs without equal stamps."""
        found = super().check()
        if self._warnings:
            text = "; ".join(self._warnings)
            found.append(PartStatus("messages", Level.WARN, "doubtful", text))
        if fault := self._join.fault():
            found.append(PartStatus("inputs", Level.WARN, "unmatched", fault))
        return found

    def process(self, arrived: Arrived) -> None:
        """Publish the results of the messages of one stamp."""
        given: StageInputs = arrived.msg
        received = {}
        for source, (port, msg) in zip(self.inputs, given.by_port.items(), strict=True):
            with source.skipping():
                received[port] = self._decoded(port, msg)
        if len(received) < len(given.by_port):
            return
        self._warnings = tuple(text for one in received.values() for text in one.warnings)
        details = _details(received)
        read = {port: one.value for port, one in received.items()}
        try:
            values = self.run_stages(read)
            self.deliver(arrived, values, given.header, details)
        except ValueError as error:
            raise DecodeError(f"stage {self.hosted.name}: {error}") from error
        if self._debug is not None and self._debug.get_subscription_count() > 0:
            messages = {**self._read, **self._written}
            drawn = debug_image(read[self._image], {**read, **values}, messages, self._kinds)
            self._debug.publish(IMAGE.encode(drawn, given.header, details))

    def _decoded(self, port: str, msg: Any) -> Received:
        message = self._read[port]
        return SCAN.received(self._scans.read(msg)) if message is SCAN else message.decode(msg)

    def _on_message(self, port: str, msg: Any, arrival: float) -> None:
        """Let the stage run as soon as all inputs of a stamp are there."""
        by_port = self._join.add(port, stamp_ns_from_msg(msg.header.stamp), msg)
        if by_port is not None:
            first = next(iter(by_port.values()))
            self.submit(StageInputs(first.header, by_port), arrival)


def _details(received: Mapping[str, Received]) -> dict[str, Any]:
    """Details of all messages; of two alike, that of the first input counts."""
    details: dict[str, Any] = {}
    for one in received.values():
        details = {**one.details, **details}
    return details


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes stage_node``."""
    run([StageNode])


if __name__ == "__main__":
    main()
