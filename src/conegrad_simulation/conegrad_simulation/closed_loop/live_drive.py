"""A drive in the live graph: simulator here, perception and driver in processes of their own."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.parameter import Parameter

from conegrad_nodes.bags.writer import BagWriter
from conegrad_nodes.decode import cones_from_msg
from conegrad_nodes.parameter_names import check_names
from conegrad_nodes.playback.chosen_parameters import names_in_files
from conegrad_nodes.playback.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_nodes.playback.transport import large_messages
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.film import Film
from conegrad_simulation.closed_loop.referee import DriveLog, Referee, RefereeConfig
from conegrad_simulation.closed_loop.simulator import CAMERA, SensorConfig, Simulator
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode, settle
from conegrad_simulation.gazebo.scene_settings import (
    SceneDescription,
    SceneSettings,
    describe_scene,
)
from conegrad_simulation.sensor_messages import static_transforms

DRIVER = "conegrad_simulation.driver.driver_node"
# The fusion gives a lost sensor up after this, well before the driver would stop for want of cones.
PAIRING_TIMEOUT = 0.15  # [s]
RELIABLE = {"use_sim_time": True, "reliability": "reliable"}
CHECK_PERIOD = 0.5  # [s] between two looks whether the processes still run


@dataclass(frozen=True)
class DriveOptions:
    """What may be chosen about a drive.

    Attributes:
        scene: track, vehicle, world and seed.
        sensors: of the simulated car, with their faults.
        bicycle: its actuators.
        referee: when the drive ends.
        parameters: of the perception nodes by full name, such as ``detector.engine``.
        parameter_files: of the perception nodes; ``parameters`` take precedence.
        driver_parameters: of the driver by full name, such as ``pursuit.speed``.
        start_timeout: longest wait for the nodes [s].
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    sensors: SensorConfig = field(default_factory=SensorConfig)
    bicycle: BicycleConfig = field(default_factory=BicycleConfig)
    referee: RefereeConfig = field(default_factory=RefereeConfig)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    parameter_files: Sequence[Path] = ()
    driver_parameters: Mapping[str, Any] = field(default_factory=dict)
    start_timeout: float = 120.0


class Drive(NamedTuple):
    """What came of a drive: the scene, what was measured, and a film of it."""

    description: SceneDescription
    log: DriveLog
    film: Film


Progress = Callable[[float, float], None]  # share of the drive, simulated time over wall time


def drive(bag: Path, options: DriveOptions, *, progress: Progress | None = None) -> Drive:
    """Drive on perceived cones alone and record everything with the truth.

    Ctrl-C ends the processes and leaves a readable bag of what came until then.

    Args:
        bag: the recording to create.
        options: what to drive.
        progress: is told how far the drive is.

    Raises:
        ValueError: if a setting is unknown or out of bounds.
        BagError: if the recording exists.
        GraphError: if a process cannot start or ends; says why.
    """
    check_names([*options.parameters, *names_in_files(options.parameter_files)])
    description = describe_scene(options.scene)
    simulator = Simulator(description, options.sensors, options.bicycle)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conegrad-")))
        stack.enter_context(large_messages(folder))
        domain = stack.enter_context(own_domain())
        processes = [
            stack.enter_context(process) for process in _processes(domain, options, simulator)
        ]
        node, executor = stack.enter_context(_joined(domain, simulator, options))
        loop = _Loop(node, executor, processes)
        loop.wait_for_partners(options.start_timeout)
        writer = stack.enter_context(BagWriter(bag, is_compressed=simulator.is_raw))
        node.listener = lambda topic, msgtype, data: writer.write(topic, msgtype, node.now_ns, data)
        node.listener(*_serialized(node))
        referee = Referee(description, simulator.car, options.referee)
        film = Film(simulator)
        loop.run(referee, film, progress)
        return Drive(description, referee.log, film)


class _Loop:
    """Steps the simulator and waits for the graph, until the referee ends the drive."""

    def __init__(
        self, node: SimulatorNode, executor: EventsExecutor, processes: Sequence[GraphProcess]
    ) -> None:
        self._node, self._executor, self._processes = node, executor, processes
        self._last_check = 0.0

    def wait_for_partners(self, timeout: float) -> None:
        """Wait until perception and driver are there.

        Raises:
            GraphError: if they are not in time, or cannot start.
        """
        end = time.monotonic() + timeout
        while silent := self._node.silent_partners():
            self._executor.spin_once(0.05)
            self._check()
            stuck = [text for text in self._problems() if "cannot configure" in text]
            if stuck or time.monotonic() > end:
                logs = "\n".join(process.log() for process in self._processes)
                said = "; ".join(self._problems()) or "the nodes report no problem"
                raise GraphError(f"nothing on {', '.join(silent)}; {said}\n{logs}")
        self._spin(0.5)  # the ways back are found as well

    def run(self, referee: Referee, film: Film, progress: Progress | None) -> None:
        """Drive until the end."""
        started = time.monotonic()
        log = referee.log
        try:
            while not log.outcome:
                happening = self._node.step()
                referee.look()
                settle(self._node, self._executor, self._check)
                if happening.event.kind == CAMERA:
                    if self._node.cones is not None:
                        film.show_cones(cones_from_msg(self._node.cones))
                    film.show(happening.picture)
                log.wall_seconds = time.monotonic() - started
                if progress is not None:
                    progress(referee.progress(), log.seconds / max(log.wall_seconds, 1e-9))
        finally:
            log.given_up = dict(self._node.lockstep.given_up)
        if not log.is_finished:
            said = [text for text in self._problems() if "driver" in text]
            log.outcome = "; ".join([log.outcome, *said])

    def _problems(self) -> list[str]:
        return [f"{name}: {text}" for name, text in sorted(self._node.problems.items())]

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            self._executor.spin_once(min(0.05, remaining))

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._last_check > CHECK_PERIOD:
            self._last_check = now
            for process in self._processes:
                process.check()


def _processes(
    domain: int, options: DriveOptions, simulator: Simulator
) -> list[contextlib.AbstractContextManager[GraphProcess]]:
    vehicle = simulator.description.settings.vehicle
    perception = {
        **RELIABLE,
        "autostart": True,
        "sensor_reliability": "reliable",
        "depth": 10,
        # While a slow model works the time stands still: old stamps are no fault.
        "stamp_tolerance": 10.0,
        "input_timeout": 10.0,
        "image_transport": "raw" if simulator.is_raw else "compressed",
        "calibration.vehicle": vehicle,
        "calibration.extrinsics": "vehicle",
        "pairing.timeout": PAIRING_TIMEOUT,
        **options.parameters,
    }
    driver = {
        **RELIABLE,
        "vehicle": vehicle,
        "scale": simulator.description.scale,
        **options.driver_parameters,
    }
    return [
        GraphProcess(domain, perception, parameter_files=options.parameter_files),
        GraphProcess(domain, driver, module=DRIVER),
    ]


@contextlib.contextmanager
def _joined(domain: int, simulator: Simulator, options: DriveOptions) -> Any:
    """The simulator's node in the graph, and its executor."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    timeout = float(options.parameters.get("pairing.timeout", PAIRING_TIMEOUT))
    overrides = [Parameter("pairing_timeout", value=timeout)]
    node = SimulatorNode(
        simulator, context=context, use_global_arguments=False, parameter_overrides=overrides
    )
    executor = EventsExecutor(context=context)
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown(context=context)


def _serialized(node: SimulatorNode) -> tuple[str, str, bytes]:
    """The static transforms, for the recording: live they need tf2_msgs."""
    entry = static_transforms(node.simulator.description.vehicle)
    return entry.topic, entry.msgtype, node.serialized(entry)
