"""Stage node: any stage of a pipeline file over topics."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from std_msgs.msg import Header

from conegrad_core.camera.image import RgbImage
from conegrad_core.pipeline.build import stage_config
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.hosted_stage import HostedStage
from conegrad_nodes.node_base.qos import LATEST, RESULTS
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import StageNodeConfig
from conegrad_nodes.parameters.parameter_names import known_names, names_of
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.port_message import PortMessage, Received
from conegrad_nodes.port_messages.registry import port_message

LONGEST_WAIT = 50  # stamps of which some inputs are still missing; then the oldest is dropped


class StageInputs(NamedTuple):
    """Messages of one stamp, by port; their header is that of the first port."""

    header: Header
    by_port: Mapping[str, Any]


class StageNode(SensorNode):
    """Runs one stage of a pipeline file on the messages of its input ports.

    A stage with several inputs gets messages of equal stamps. The results have the header of the
    message of its first input. A stage gets no calibration and no motion.

    Subscribes: the topic of each input port. Publishes: that of each output port, as the messages
    of its kind say (entry points ``conegrad.port_messages``); ``~/debug_image``
    (sensor_msgs/Image) while subscribed, if an input is an image on which a result can be drawn;
    ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds);
    ``/diagnostics``.
    Parameters: the fields of :class:`StageNodeConfig`; the name of the stage and the fields of its
    settings, whose defaults are those of the pipeline file.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("stage_node", **node_options)
        self._config: StageNodeConfig = declare_config(self, StageNodeConfig)
        self.hosted = HostedStage(self._config.pipeline, self._config.stage)
        part, stage_class = self.hosted.part, self.hosted.stage_class
        defaults = stage_config(part, self.hosted.name, stage_class.config_class, {})
        self.declare_loaded(stage_class.config_class, self.hosted.name, defaults)
        self._read = {port: port_message(kind) for port, kind in part.inputs.items()}
        self._written = {
            port: port_message(stage_class.outputs[slot])
            for slot, port in part.stages[self.hosted.name].outputs.items()
        }
        self._drawable = [port for port, m in self._written.items() if _draws(m)]
        self._image = next((port for port, m in self._read.items() if m is IMAGE), "")
        self._waiting: dict[int, dict[str, Any]] = {}
        self._unmatched = 0  # stamps of which an input was missing, since the last complete one
        self._warnings: tuple[str, ...] = ()
        for port, message in self._read.items():
            on_message = functools.partial(self._on_message, port)
            self.subscribe_to(message.msgtype, message.topic(port), on_message)

    def known_parameters(self) -> list[str]:
        """Those of the car, whose parameter files may be given to this node too, and its own."""
        own = [("", StageNodeConfig), (self.hosted.name, self.hosted.stage_class.config_class)]
        return sorted({*known_names(), *names_of(own)})

    def load(self) -> None:
        """Load the stage and create the outputs."""
        super().load()
        self._outputs = {
            port: self.create_lifecycle_publisher(message.msgtype, message.topic(port), RESULTS)
            for port, message in self._written.items()
        }
        if self._image and self._drawable:
            debug = self.create_lifecycle_publisher(IMAGE.msgtype, "~/debug_image", LATEST)
            self._debug: Any = debug
        else:
            self._debug = None

    def warm_up(self) -> None:
        """Begin without messages; what a stage runs on is not known before the first one."""
        self._waiting.clear()
        self._unmatched = 0
        self.start_worker()

    def release(self) -> None:
        """Drop the stage and the outputs."""
        if self.hosted.is_loaded:
            self.hosted.release()
            for publisher in (*self._outputs.values(), *filter(None, [self._debug])):
                self.destroy_lifecycle_publisher(publisher)

    def check(self) -> list[PartStatus]:
        """Further: warnings about the latest messages, and inputs without equal stamps."""
        found = super().check()
        if self._warnings:
            text = "; ".join(self._warnings)
            found.append(PartStatus("messages", Level.WARN, "doubtful", text))
        if self._unmatched:
            text = (
                f"the last {self._unmatched} stamps came on some of the inputs only, expected "
                f"equal stamps on {', '.join(source.record.topic for source in self.inputs)}"
            )
            found.append(PartStatus("inputs", Level.WARN, "unmatched", text))
        return found

    def process(self, arrived: Arrived) -> None:
        """Publish the results of the messages of one stamp."""
        given: StageInputs = arrived.msg
        received = {port: self._read[port].decode(msg) for port, msg in given.by_port.items()}
        self._warnings = tuple(text for one in received.values() for text in one.warnings)
        details = _details(received)
        try:
            values = self.run_stage({port: one.value for port, one in received.items()})
            messages = {
                port: self._written[port].encode(value, given.header, details)
                for port, value in values.items()
                if value is not None
            }
        except ValueError as error:
            raise DecodeError(f"stage {self.hosted.name}: {error}") from error
        for port, msg in messages.items():
            self.deliver(self._outputs[port], arrived, msg, values[port])
        if self._debug is not None and self._debug.get_subscription_count() > 0:
            drawn = self._drawn(received[self._image].value, values)
            self._debug.publish(IMAGE.encode(drawn, given.header, details))

    def _drawn(self, image: RgbImage, values: Mapping[str, Any]) -> RgbImage:
        """The image with all results that can be drawn."""
        for port in self._drawable:
            if values[port] is not None:
                drawn = self._written[port].draw(image, values[port])
                image = image if drawn is None else drawn
        return image

    def _on_message(self, port: str, msg: Any, arrival: float) -> None:
        """Let the stage run as soon as all inputs of a stamp are there."""
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        found = self._waiting.setdefault(stamp_ns, {})
        found[port] = msg
        if len(found) == len(self._read):
            del self._waiting[stamp_ns]
            self._unmatched = 0
            by_port = {name: found[name] for name in self._read}
            first = next(iter(by_port.values()))
            self.submit(StageInputs(first.header, by_port), arrival)
        elif len(self._waiting) > LONGEST_WAIT:
            del self._waiting[next(iter(self._waiting))]
            self._unmatched += 1


def _draws(message: PortMessage) -> bool:
    """Whether values of a kind can be drawn on an image."""
    return type(message).draw is not PortMessage.draw and message is not IMAGE


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
