"""What the three perception nodes share: life cycle, inputs, diagnostics."""

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from conegrad_core.camera.engines.engine import EngineError
from conegrad_core.settings import Config
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.monitoring.diagnostics import Diagnostics
from conegrad_nodes.monitoring.heartbeat import PART, heartbeat_values
from conegrad_nodes.monitoring.process_identity import this_process
from conegrad_nodes.monitoring.publisher_names import OwnTopic
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.latency import LatencyTopics
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.parameter_names import explain_unknown

C = TypeVar("C", bound=Config)

WATCH_PERIOD = 0.1  # [s] between two checks of the inputs
LOAD_ERRORS = (ValueError, OSError, ImportError, EngineError)


class PerceptionNode(LifecycleNode):
    """Life cycle of a node that runs a model.

    ``configure`` loads the model, ``activate`` warms it up and subscribes, ``deactivate``
    unsubscribes, ``cleanup`` releases the memory. A model that cannot be loaded fails the
    transition with the reason in the log and in the diagnostics; the node stays and may be
    configured again.

    Args:
        name: of the node.
        node_options: of rclpy.node.Node, e.g. context and parameter_overrides.
    """

    def __init__(self, name: str, **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.inputs: list[Input] = []
        self.own_topics: list[OwnTopic] = []
        self.latency = LatencyTopics(self)
        self._diagnostics = Diagnostics(self)
        self._load_error = ""
        self._unknown_parameters: list[str] | None = None
        self._failure: BaseException | None = None
        self._state = "unconfigured"
        self._settable: tuple[str, ...] = ()
        self.add_on_set_parameters_callback(self._on_set)
        self._process = this_process()
        self._watch_timer = self.create_timer(
            WATCH_PERIOD, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    @abstractmethod
    def load(self) -> None:
        """Load the model and create the outputs; errors of LOAD_ERRORS fail the transition."""

    @abstractmethod
    def warm_up(self) -> None:
        """Run the model once, so that the first message is as fast as the next."""

    @abstractmethod
    def release(self) -> None:
        """Drop the model and the outputs."""

    @property
    @abstractmethod
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""

    def declare_loaded(self, config_class: type[C], prefix: str, defaults: C | None = None) -> C:
        """Declare settings that :meth:`load` reads again; they may be set while unconfigured."""
        self._settable += (f"{prefix}.",)
        return declare_config(self, config_class, prefix, is_settable=True, defaults=defaults)

    def known_parameters(self) -> list[str] | None:
        """Parameters of which none is unknown; None: those of the nodes of the car."""
        return None

    @property
    def provenance(self) -> Mapping[str, str]:
        """What the node has loaded, by name; empty where it has nothing."""
        return {}

    def halt(self) -> None:
        """Stop threads, before the inputs close."""

    def check(self) -> list[PartStatus]:
        """Further findings of the node, and what else it does ten times per second."""
        return []

    def start(self) -> None:
        """Configure and activate, if the parameter ``autostart`` says so."""
        if not self.wants_start:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model."""
        started = time.perf_counter()
        self._load_error = ""
        with self._keeping_failure():
            try:
                self.load()
            except LOAD_ERRORS as error:
                self._load_error = f"cannot configure: {error}"
                self.release()
                return TransitionCallbackReturn.FAILURE
        self._state = "inactive"
        self.get_logger().info(f"configured in {time.perf_counter() - started:.1f} s")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Warm up and subscribe."""
        with self._keeping_failure():
            self.warm_up()
            result = super().on_activate(state)
            for source in self.inputs:
                source.open()
        self._state = "active"
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe."""
        self._stop()
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the model."""
        self.release()
        self._state = "unconfigured"
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and release the model."""
        self._stop()
        self.release()
        self._state = "finalized"
        return super().on_shutdown(state)

    def destroy_node(self) -> None:
        """Stop threads, then destroy."""
        self._stop()
        super().destroy_node()

    def part_statuses(self) -> list[PartStatus]:
        """The state of the node and of all its parts."""
        values = self.latency.summary() | heartbeat_values(
            self._process, self._state, is_managed=self.wants_start
        )
        values |= self.provenance
        node = PartStatus(PART, Level.OK, self._state, self._state, values)
        if self._load_error:
            node = PartStatus(PART, Level.ERROR, "cannot configure", self._load_error, values)
        elif self._is_without_clock():
            text = "use_sim_time is set, but nothing is published on /clock"
            node = PartStatus(PART, Level.WARN, "no clock", text, values)
        found = [node, *self._parameter_statuses()]
        if self._state == "active":
            found += [*(source.status() for source in self.inputs), *self.check()]
            for topic in self.own_topics:
                found += topic.statuses()
        return found

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Refuse what would have no effect: settings of what is loaded already."""
        names = [p.name for p in parameters if p.name.startswith(self._settable)]
        if not names or self._state == "unconfigured":
            return SetParametersResult(successful=True)
        reason = (
            f"{', '.join(names)}: may be set while the node is unconfigured, it is {self._state}"
        )
        return SetParametersResult(successful=False, reason=reason)

    def _parameter_statuses(self) -> list[PartStatus]:
        """Parameters that are given but that no node has."""
        if self._unknown_parameters is None:
            # rclpy keeps what was given, but offers no way to ask for it.
            others = [n for n in self._parameter_overrides if not self.has_parameter(n)]
            self._unknown_parameters = explain_unknown(others, self.known_parameters())
        text = "; ".join(self._unknown_parameters)
        return [PartStatus("parameters", Level.WARN, "unknown", text)] if text else []

    def _stop(self) -> None:
        self.halt()
        for source in self.inputs:
            source.close()

    def _watch(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._diagnostics.report(self.part_statuses())

    def _is_without_clock(self) -> bool:
        is_simulated = self.get_parameter("use_sim_time").value
        return bool(is_simulated) and self.get_clock().now().nanoseconds == 0

    @contextmanager
    def _keeping_failure(self) -> Iterator[None]:
        """Keep an unexpected exception: rclpy swallows those of transitions, _watch raises it."""
        try:
            yield
        except BaseException as failure:
            self._failure = failure
            raise
