"""Drive in the live graph: simulator in this process, perception and driver in their own."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.parameter import Parameter

from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.parameters.chosen_parameters import (
    check_parameters,
    node_parameters,
    settings,
)
from conegrad_nodes.parameters.parameter_names import check_names, names_of
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.this_machine import check_environment, on_this_machine
from conegrad_simulation.closed_loop.animation import DriveAnimation
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.drive_loop import DriveLoop, ProgressCallback
from conegrad_simulation.closed_loop.drive_supervisor import (
    DriveLog,
    DriveSupervisor,
    SupervisorConfig,
)
from conegrad_simulation.closed_loop.simulator import SensorConfig, Simulator
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode
from conegrad_simulation.driver.driver_node import PARTS
from conegrad_simulation.scene.scene_settings import SceneDescription, SceneSettings, describe_scene

DRIVER = "conegrad_simulation.driver.driver_node"
# After this the fusion goes on without a lost sensor, long before the driver stops without cones.
PAIRING_TIMEOUT = 0.15  # [s]
START_TIMEOUT = 120.0  # [s]
RELIABLE = {"use_sim_time": True, "reliability": "reliable"}


@dataclass(frozen=True)
class DriveOptions:
    """Options of a drive.

    Attributes:
        scene: track, vehicle, world and seed.
        sensors: rates and faults of the simulated sensors.
        bicycle: actuators of the simulated car.
        supervisor: when the drive ends.
        parameters: of the perception nodes by full name, such as ``detector.engine``.
        parameter_files: of the perception nodes; ``parameters`` take precedence.
        driver_parameters: of the driver by full name, such as ``pursuit.speed``.
        start_timeout: longest wait for the nodes [s].

    Raises:
        ValueError: if perception or driver would refuse a parameter or a file of them.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    sensors: SensorConfig = field(default_factory=SensorConfig)
    bicycle: BicycleConfig = field(default_factory=BicycleConfig)
    supervisor: SupervisorConfig = field(default_factory=SupervisorConfig)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    parameter_files: Sequence[Path] = ()
    driver_parameters: Mapping[str, Any] = field(default_factory=dict)
    start_timeout: float = START_TIMEOUT

    def __post_init__(self) -> None:
        check_parameters(self.parameters, self.parameter_files)
        check_names(self.driver_parameters, names_of(PARTS))
        for prefix, config_class in PARTS:
            settings(config_class, self.driver_parameters, prefix)


class DriveFollower(Protocol):
    """Sees a drive while it goes on."""

    def note(self, topic: str, msgtype: str, data: bytes) -> None:
        """Take a message of the graph, serialized."""

    def follow(self, log: DriveLog) -> None:
        """Take the measurements until now, at each event of the simulation."""


class LiveDrive(NamedTuple):
    """Result of a drive.

    Attributes:
        description: the scene.
        log: what the supervisor measured.
        animation: frames of the drive.
    """

    description: SceneDescription
    log: DriveLog
    animation: DriveAnimation


def run_drive(
    bag: Path,
    options: DriveOptions,
    *,
    progress: ProgressCallback | None = None,
    follower: DriveFollower | None = None,
) -> LiveDrive:
    """Drive on perceived cones alone and record all topics with the truth.

    Ctrl-C ends the processes and leaves a readable bag of the messages until then.

    Args:
        bag: the recording to create.
        options: scene, sensors and parameters.
        progress: called with the share of the drive and the speed against wall time.
        follower: sees the drive while it goes on.

    Raises:
        ValueError: if a setting is unknown or out of bounds.
        BagError: if the recording exists.
        GraphError: if a process cannot start or ends, or the nodes do not discover each other.
    """
    check_environment()
    description = describe_scene(options.scene)
    simulator = Simulator(description, options.sensors, options.bicycle)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conegrad-")))
        stack.enter_context(on_this_machine(folder))
        domain = stack.enter_context(own_domain())
        processes = [stack.enter_context(p) for p in _processes(domain, options, simulator)]
        node, executor = stack.enter_context(_joined(domain, simulator, options))
        loop = DriveLoop(node, executor, processes)
        loop.wait_for_partners(options.start_timeout)
        writer = stack.enter_context(BagWriter(bag, is_compressed=simulator.is_raw))

        def sink(topic: str, msgtype: str, data: bytes) -> None:
            writer.write(topic, msgtype, node.now_ns, data)
            if follower is not None:
                follower.note(topic, msgtype, data)

        node.record(sink)
        supervisor = DriveSupervisor(description, simulator.car, options.supervisor)
        animation = DriveAnimation(simulator)
        loop.run(supervisor, animation, progress, follower.follow if follower else None)
        return LiveDrive(description, supervisor.log, animation)


def _processes(
    domain: int, options: DriveOptions, simulator: Simulator
) -> Iterator[contextlib.AbstractContextManager[GraphProcess]]:
    """Perception and driver; each starts when the iterator reaches it."""
    vehicle = simulator.description.settings.vehicle
    perception = {
        **RELIABLE,
        "autostart": True,
        "sensor_reliability": "reliable",
        "depth": 10,
        # Simulated time stands still while a slow model runs: an old stamp is not a fault.
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
        "stamp_tolerance": 10.0,
        "input_timeout": 10.0,
        "vehicle": vehicle,
        "scale": simulator.description.scale,
        **options.driver_parameters,
    }
    of_nodes = node_parameters(options.parameter_files)
    yield GraphProcess(domain, perception, node_parameters=of_nodes)
    yield GraphProcess(domain, driver, module=DRIVER)


@contextlib.contextmanager
def _joined(
    domain: int, simulator: Simulator, options: DriveOptions
) -> Iterator[tuple[SimulatorNode, EventsExecutor]]:
    """The simulator node in the graph, and its executor."""
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
