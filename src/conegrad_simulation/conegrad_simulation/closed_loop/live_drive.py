"""A drive in the live graph: simulator here, perception and driver in processes of their own."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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
from conegrad_simulation.closed_loop.animation import Film
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.drive_loop import DriveLoop, Progress
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog, Referee, RefereeConfig
from conegrad_simulation.closed_loop.simulator import SensorConfig, Simulator
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode
from conegrad_simulation.driver.driver_node import PARTS
from conegrad_simulation.scene.scene_settings import SceneDescription, SceneSettings, describe_scene

DRIVER = "conegrad_simulation.driver.driver_node"
# The fusion gives a lost sensor up after this, well before the driver would stop for want of cones.
PAIRING_TIMEOUT = 0.15  # [s]
START_TIMEOUT = 120.0  # [s]
RELIABLE = {"use_sim_time": True, "reliability": "reliable"}


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

    Raises:
        ValueError: if perception or driver would refuse a parameter or a file of them.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    sensors: SensorConfig = field(default_factory=SensorConfig)
    bicycle: BicycleConfig = field(default_factory=BicycleConfig)
    referee: RefereeConfig = field(default_factory=RefereeConfig)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    parameter_files: Sequence[Path] = ()
    driver_parameters: Mapping[str, Any] = field(default_factory=dict)
    start_timeout: float = START_TIMEOUT

    def __post_init__(self) -> None:
        check_parameters(self.parameters, self.parameter_files)
        check_names(self.driver_parameters, names_of(PARTS))
        for prefix, config_class in PARTS:
            settings(config_class, self.driver_parameters, prefix)


class Drive(NamedTuple):
    """What came of a drive: the scene, what was measured, and a film of it."""

    description: SceneDescription
    log: DriveLog
    film: Film


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
        GraphError: if a process cannot start or ends, or if they cannot meet; says why.
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
        node.record(lambda topic, msgtype, data: writer.write(topic, msgtype, node.now_ns, data))
        referee = Referee(description, simulator.car, options.referee)
        film = Film(simulator)
        loop.run(referee, film, progress)
        return Drive(description, referee.log, film)


def _processes(
    domain: int, options: DriveOptions, simulator: Simulator
) -> Iterator[contextlib.AbstractContextManager[GraphProcess]]:
    """Perception and driver, each started when it is asked for."""
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
