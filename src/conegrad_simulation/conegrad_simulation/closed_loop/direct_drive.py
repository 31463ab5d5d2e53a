"""A drive in this process, without ROS: simulator, perception and driver take turns.

The same modules as in the live graph, in lockstep by construction: every message is answered
before simulated time goes on. It takes no start of processes and no topics, so that many drives
can be compared.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.vehicle import Vehicle
from conegrad_data.decode import pose_from_msg, speed_from_msg, stamp_ns_from_msg
from conegrad_data.recording.base_odometry import BASE_FRAME
from conegrad_nodes.pipeline_hosts import pipeline_hosts
from conegrad_nodes.playback.direct import DirectFrame, DirectPerception
from conegrad_simulation.closed_loop.bicycle import BicycleConfig, DriveCommand
from conegrad_simulation.closed_loop.drive_supervisor import (
    DriveLog,
    DriveSupervisor,
    SupervisorConfig,
)
from conegrad_simulation.closed_loop.simulator import SensorConfig, Simulator
from conegrad_simulation.driver.driver import Decision, Driver, DriverConfig, DriverSettings
from conegrad_simulation.recording.sensor_messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    ODOMETRY,
    SCAN,
)
from conegrad_simulation.scene.scene_settings import SceneDescription

ROLES = {  # of the topics that the perception takes
    IMAGE[0]: "image",
    COMPRESSED_IMAGE[0]: "image",
    CAMERA_INFO[0]: "camera_info",
    SCAN[0]: "scan",
    ODOMETRY[0]: "odom",
}
PAIRING_TIMEOUT = 0.15  # [s]; the fusion goes on without a lost sensor before the driver stops

FrameCallback = Callable[[float, DirectFrame], None]  # time of the drive [s] and its cones


class Turn(NamedTuple):
    """A moment at which the driver began to do something else.

    Attributes:
        time: of the drive [s].
        decision: from then on.
    """

    time: float
    decision: Decision


class DirectDrive:
    """A car that drives on what it perceives.

    Args:
        description: the scene.
        sensors: rates and faults of the sensors.
        supervisor: when the drive ends.
        parameters: of the perception by full name, beside those of the vehicle.
        settings: of the driver.

    Attributes:
        log: measurements.
        turns: what the driver did, one entry per change of its cause.
    """

    def __init__(
        self,
        description: SceneDescription,
        sensors: SensorConfig,
        supervisor: SupervisorConfig,
        parameters: Mapping[str, Any] | None = None,
        settings: DriverSettings | None = None,
    ) -> None:
        vehicle: Vehicle = description.vehicle
        self._simulator = Simulator(description, sensors, BicycleConfig())
        self._supervisor = DriveSupervisor(description, self._simulator.car, supervisor)
        chosen = {
            "calibration.vehicle": description.settings.vehicle,
            "calibration.extrinsics": "vehicle",
            "pairing.timeout": PAIRING_TIMEOUT,
            **(parameters or {}),
        }
        self._perception = DirectPerception(chosen, pipeline_hosts(chosen.get("pipeline", DEFAULT)))
        config = DriverSettings(DriverConfig(scale=description.scale))
        self._driver = Driver(vehicle, settings or config)
        self.turns: list[Turn] = []

    @property
    def log(self) -> DriveLog:
        """Measurements until now."""
        return self._supervisor.log

    def run(self, on_frame: FrameCallback | None = None) -> DriveLog:
        """Drive until the supervisor ends it.

        Args:
            on_frame: gets every frame of cones, before the driver does.
        """
        while not self.log.outcome:
            output = self._simulator.step()
            self._supervisor.update()
            now_ns, time = output.event.stamp_ns, output.event.time
            for message in output.messages:
                role = ROLES.get(message.topic)
                if role is None:
                    continue
                if role == "odom":
                    self._add_odometry(message.msg)
                for frame in self._perception.take(role, message.msg, now_ns):
                    if on_frame is not None:
                        on_frame(time, frame)
                    self._add_cones(frame)
                    self._command(time, self._driver.decide(now_ns))
            decision = self._driver.decide(now_ns)
            if decision.speed == 0.0:
                self._command(time, decision)
        return self.log

    def _add_odometry(self, msg: Any) -> None:
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        self._driver.add_odometry(stamp_ns, pose_from_msg(msg), speed_from_msg(msg))

    def _add_cones(self, frame: DirectFrame) -> None:
        self._driver.add_cones(
            frame.pair.stamp_ns,
            frame.cones,
            in_base=frame.frame == BASE_FRAME,
            has_camera=frame.pair.detections is not None,
            has_lidar=frame.pair.segmentation is not None,
            reasons=frame.reasons,
        )

    def _command(self, time: float, decision: Decision) -> None:
        if not self.turns or self.turns[-1].decision.cause != decision.cause:
            self.turns.append(Turn(time, decision))
        yaw_rate = decision.speed * decision.curvature
        self._simulator.car.command(DriveCommand(decision.speed, yaw_rate))
