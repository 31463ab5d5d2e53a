"""Simulation of the closed loop without ROS: a car, and the messages of its sensors by time."""

import dataclasses
import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from conegrad_core.settings import Config, setting
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.car import SimulatedCar
from conegrad_simulation.lidar.planar_lidar import CastScan, LidarCaster
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.attitude import Attitude
from conegrad_simulation.recording.bag import CAMERA_PHASE
from conegrad_simulation.recording.drive import DriveConfig, OdometryDrift
from conegrad_simulation.recording.drive_render import DriveSetup, Picture, cast, encoded, render
from conegrad_simulation.recording.sensor_messages import (
    TopicMessage,
    VisibleCones,
    image_messages,
    odometry_message,
    scan_message,
    stamp_of,
    truth_message,
)
from conegrad_simulation.scene.scene_settings import SceneDescription
from conegrad_simulation.sensor_faults.car_history import CarHistory
from conegrad_simulation.sensor_faults.faulty_sensors import FaultySensors
from conegrad_simulation.sensor_faults.timed_fault import read_timed_fault

CAMERA, LIDAR, ODOMETRY = "camera", "lidar", "odometry"
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class SensorConfig(Config):
    """Rates and errors of the simulated sensors, and when one of them is lost."""

    camera_rate: float = setting(
        12.0, "Images per second; 0 is the vehicle's [Hz]", low=0.0, high=1000.0
    )
    # At least as often as scans: cones then wait for a scan and never for odometry, which would
    # reach fusion and driver at the same time and in either order.
    odometry_rate: float = setting(200.0, "Odometry messages per second [Hz]", low=1.0, high=1000.0)
    quality: int = setting(92, "JPEG quality; 0 publishes raw images", low=0, high=100)
    speed_error: float = setting(0.0, "Relative error of the odometry's speed", low=-0.5, high=0.5)
    yaw_rate_bias: float = setting(0.0, "Bias of the odometry's yaw rate [rad/s]", low=-1, high=1)
    camera_lost: tuple[float, float] = setting(
        (0.0, 0.0), "The camera publishes nothing between these two times [s]", low=0.0
    )
    lidar_lost: tuple[float, float] = setting(
        (0.0, 0.0), "The LiDAR publishes nothing between these two times [s]", low=0.0
    )
    faults: tuple[str, ...] = setting(
        (),
        "Disturbance NAME[:SEVERITY][@START-END] with its times [s]; repeatable",
        option="--fault",
        metavar="FAULT",
        is_repeated=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("camera_lost", "lidar_lost"):
            times = getattr(self, name)
            if len(times) != 2 or times[0] > times[1]:
                raise self.refusal(name, f"is {times}, expected its start and its end")
        for text in self.faults:
            try:
                read_timed_fault(text)
            except ValueError as error:
                raise self.refusal("faults", str(error)) from error


class Event(NamedTuple):
    """One moment of the simulation.

    Attributes:
        time: since the start [s].
        order: of events at one time: odometry before sensors.
        kind: :data:`CAMERA`, :data:`LIDAR` or :data:`ODOMETRY`.
        number: of the event among those of its kind, from 0.
    """

    time: float
    order: int
    kind: str
    number: int

    @property
    def stamp_ns(self) -> int:
        """Stamp of its messages [ns]."""
        return stamp_of(self.time)


class EventOutput(NamedTuple):
    """An event and its sensor messages.

    Attributes:
        event: the moment.
        messages: empty while the sensor is lost.
        picture: the image of a camera event.
    """

    event: Event
    messages: list[TopicMessage]
    picture: Picture | None = None


class Simulator:
    """A car in a scene, event by event: a pure function of its settings and of the commands.

    Attributes:
        description: the scene.
        car: the car.
    """

    def __init__(
        self, description: SceneDescription, sensors: SensorConfig, bicycle: BicycleConfig
    ) -> None:
        """Place the car at the start of the track.

        Raises:
            ValueError: if the vehicle has no chassis, or its scans take time.
        """
        vehicle, seed = description.vehicle, description.settings.seed
        if vehicle.chassis is None:
            raise ValueError(f"{vehicle.name} has no chassis, expected one to drive")
        if vehicle.lidar.scan_duration > 0:
            raise ValueError(
                f"{vehicle.name} has a lidar.scan_duration of {vehicle.lidar.scan_duration} s, "
                "expected 0: later commands would change the poses within a scan"
            )
        self.description = description
        self._sensors = sensors
        body = DriveConfig()
        attitude = Attitude(body.pitch_gain, body.roll_gain, body.unevenness, seed)
        drift = OdometryDrift(sensors.speed_error, sensors.yaw_rate_bias)
        start = description.track.start_pose()
        self.car = SimulatedCar(start, vehicle.chassis, bicycle, attitude, drift)
        self._setup = DriveSetup(
            vehicle, description.scene, description.world, self.car, seed, sensors.quality
        )
        self._caster = LidarCaster(vehicle.lidar)
        self._history = CarHistory()
        faults = [read_timed_fault(text, seed) for text in sensors.faults]
        self._faults = FaultySensors(faults, vehicle)
        self._exposed: tuple[float, Picture] | None = None  # newest image, and when it was taken
        self._visible = VisibleCones()
        self._events = self._all_events()

    @property
    def is_raw(self) -> bool:
        """Whether images are raw, not compressed."""
        return self._sensors.quality == 0

    def step(self) -> EventOutput:
        """Advance the car to the next event and make its messages."""
        event = next(self._events)
        self.car.advance(event.time)
        self._history.add(event.time, self.car.state(self.car.time))
        if event.kind == CAMERA:
            return self._image(event)
        if event.kind == LIDAR:
            return self._scan(event)
        return self._odometry(event)

    def _odometry(self, event: Event) -> EventOutput:
        state = self.car.state(self.car.time)
        sent = self._faults.odometry(self.car.odometry, state.speed, event.time, event.number)
        if sent is None:
            return EventOutput(event, [])
        pose, speed = sent
        message = odometry_message(event.stamp_ns, pose, state._replace(speed=speed))
        return EventOutput(event, [message])

    def _image(self, event: Event) -> EventOutput:
        exposure = self._faults.exposure(event.time, event.number)
        picture = None
        if not _is_within(event.time, self._sensors.camera_lost):
            picture = self._picture(exposure.taken, event)
        if picture is None:
            self._visible = self._visible._replace(camera=NOTHING)
            return EventOutput(event, [])
        self._visible = self._visible._replace(camera=picture.visible)
        messages = image_messages(stamp_of(exposure.stamp), self._setup.vehicle, picture)
        return EventOutput(event, [*messages, *self._truth(event)], picture)

    def _picture(self, taken: float, event: Event) -> Picture | None:
        """What the camera sends; the same again if it was taken at the same time."""
        if self._exposed is not None and self._exposed[0] == taken:
            return self._exposed[1]
        camera = self._faults.camera(event.time)
        vehicle = dataclasses.replace(self._setup.vehicle, camera=camera)
        setup = self._setup._replace(vehicle=vehicle, drive=self._history, quality=0)
        picture = render(setup, taken, event.number)
        image = self._faults.image(np.asarray(picture.data), event.time, event.number)
        if image is None:
            return None
        picture = picture._replace(data=encoded(image, self._setup.quality))
        self._exposed = taken, picture
        return picture

    def _scan(self, event: Event) -> EventOutput:
        scan = None
        if not _is_within(event.time, self._sensors.lidar_lost):
            scan = self._cast(event)
        if scan is None:
            self._visible = self._visible._replace(lidar=NOTHING)
            return EventOutput(event, [])
        self._visible = self._visible._replace(lidar=scan.visible_cones())
        message = scan_message(event.stamp_ns, self._setup.vehicle, scan)
        return EventOutput(event, [message, *self._truth(event)])

    def _cast(self, event: Event) -> CastScan | None:
        """What the LiDAR sends."""
        scan = cast(self._setup, self._caster, self.car.time, event.number)
        ranges = self._faults.scan(scan.ranges, event.time, event.number)
        return None if ranges is None else scan._replace(ranges=ranges)

    def _truth(self, event: Event) -> list[TopicMessage]:
        """The truth, once both sensors have published."""
        if self._visible.camera is None or self._visible.lidar is None:
            return []
        pose: Pose = self.car.pose
        scene, vehicle = self._setup.scene, self._setup.vehicle
        return [truth_message(event.stamp_ns, scene, vehicle, pose, self._visible)]

    def _all_events(self) -> Iterator[Event]:
        vehicle = self.description.vehicle
        camera_rate = self._sensors.camera_rate or vehicle.camera.rate
        return heapq.merge(
            _periodic(ODOMETRY, 0, self._sensors.odometry_rate, 0.0),
            _periodic(CAMERA, 1, camera_rate, CAMERA_PHASE),
            _periodic(LIDAR, 2, vehicle.lidar.rate, 0.0),
        )


def _periodic(kind: str, order: int, rate: float, phase: float) -> Iterator[Event]:
    return (Event(phase + index / rate, order, kind, index) for index in itertools.count())


def _is_within(time: float, times: tuple[float, ...]) -> bool:
    return times[0] <= time < times[1]
