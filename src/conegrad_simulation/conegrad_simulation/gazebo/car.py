"""The car as bodies, joints and sensor frames, the source of its SDF and its URDF."""

import math
from typing import NamedTuple

from conegrad_core.vehicle import ChassisPreset, CloudLidarPreset, LidarPreset, Mounting, Vehicle
from conegrad_simulation.gazebo.solids import Solid, box, wheel

LIDARS = ("planar", "cloud")
KNUCKLE_SHARE = 0.1  # mass of a steering knuckle against that of its wheel
INNER_WHEEL_ROOM = 0.05  # [rad], to the stop of the joint

Pose6 = tuple[float, float, float, float, float, float]  # x, y, z [m], roll, pitch, yaw [rad]
# A camera looks along z of its optical frame, which has x to the right and y down.
OPTICAL: Pose6 = (0.0, 0.0, 0.0, -math.pi / 2, 0.0, -math.pi / 2)


class Body(NamedTuple):
    """A rigid part of the car.

    Attributes:
        name: of the link.
        solid: mass and inertia, in the frame of the link.
        block: edges of a box and its centre, or None.
        wheel: radius and width of a wheel about the y axis, or None.
    """

    name: str
    solid: Solid
    block: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    wheel: tuple[float, float] | None


class Joint(NamedTuple):
    """A hinge; the frame of its child is at ``place`` in that of its parent.

    Attributes:
        name: of the joint.
        parent: link.
        child: link.
        place: of the child in the parent.
        axis: unit vector in the frame of the child.
        limit: largest angle to either side [rad]; None turns freely.
    """

    name: str
    parent: str
    child: str
    place: Pose6
    axis: tuple[float, float, float]
    limit: float | None


class SensorFrame(NamedTuple):
    """A frame fixed to ``parent``, which is ``base_link`` or another sensor frame."""

    name: str
    parent: str
    place: Pose6


class Car(NamedTuple):
    """The car: bodies with the base first, joints, and frames of the sensors."""

    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    frames: tuple[SensorFrame, ...]


def build_car(vehicle: Vehicle, lidar: str = "planar") -> Car:
    """Parts of a car.

    Args:
        vehicle: the preset.
        lidar: ``planar``, or ``cloud`` for the 3-D LiDAR instead.

    Raises:
        ValueError: if the preset has no chassis, or lacks that LiDAR.
    """
    chassis = required_chassis(vehicle)
    half = chassis.track_width / 2
    bodies, joints = [_base(chassis)], []
    for side, y in (("left", half), ("right", -half)):
        rear, front = f"rear_{side}_wheel", f"front_{side}_wheel"
        knuckle = f"front_{side}_steering"
        bodies += [_wheel(rear, chassis), _knuckle(knuckle, chassis), _wheel(front, chassis)]
        joints += [
            _rolling(rear, "base_link", (0.0, y, chassis.wheel_radius)),
            Joint(
                f"{knuckle}_joint",
                "base_link",
                knuckle,
                (chassis.wheel_base, y, chassis.wheel_radius, 0.0, 0.0, 0.0),
                (0.0, 0.0, 1.0),
                inner_wheel_angle(chassis) + INNER_WHEEL_ROOM,
            ),
            _rolling(front, knuckle, (0.0, 0.0, 0.0)),
        ]
    frames = (
        SensorFrame("lidar", "base_link", _place(chosen_lidar(vehicle, lidar).mounting)),
        SensorFrame("camera", "base_link", _place(vehicle.camera.mounting)),
        SensorFrame("camera_optical", "camera", OPTICAL),
    )
    return Car(tuple(bodies), tuple(joints), frames)


def required_chassis(vehicle: Vehicle) -> ChassisPreset:
    """The chassis of a preset.

    Raises:
        ValueError: if it has none.
    """
    if vehicle.chassis is None:
        raise ValueError(f"vehicle {vehicle.name} has no section chassis, expected one")
    return vehicle.chassis


def chosen_lidar(vehicle: Vehicle, lidar: str) -> LidarPreset | CloudLidarPreset:
    """Preset of the LiDAR by the name of its kind.

    Raises:
        ValueError: if there is no such kind, or the vehicle has no section for it.
    """
    if lidar not in LIDARS:
        raise ValueError(f"lidar is {lidar!r}, expected one of {', '.join(LIDARS)}")
    if lidar == "planar":
        return vehicle.lidar
    if vehicle.cloud_lidar is None:
        raise ValueError(f"vehicle {vehicle.name} has no section cloud_lidar, expected one")
    return vehicle.cloud_lidar


def inner_wheel_angle(chassis: ChassisPreset) -> float:
    """Angle of the wheel on the inside of the tightest turn [rad].

    Source:
        The turning radius that gz-sim's AckermannSteering takes from its steering limit.
    """
    radius = chassis.wheel_base / math.sin(chassis.steering_limit)
    return math.atan(chassis.wheel_base / (radius - chassis.track_width / 2))


def _base(chassis: ChassisPreset) -> Body:
    size = (chassis.body_front + chassis.body_rear, chassis.body_width, chassis.body_height)
    ahead = (chassis.body_front - chassis.body_rear) / 2
    centre = (ahead, 0.0, chassis.ground_clearance + chassis.body_height / 2)
    mass = chassis.mass - (4 + 2 * KNUCKLE_SHARE) * chassis.wheel_mass
    return Body("base_link", box(mass, size, centre), (size, centre), None)


def _wheel(name: str, chassis: ChassisPreset) -> Body:
    radius, width = chassis.wheel_radius, chassis.wheel_width
    return Body(name, wheel(chassis.wheel_mass, radius, width), None, (radius, width))


def _knuckle(name: str, chassis: ChassisPreset) -> Body:
    edge = chassis.wheel_radius / 2
    solid = box(KNUCKLE_SHARE * chassis.wheel_mass, (edge, edge, edge), (0.0, 0.0, 0.0))
    return Body(name, solid, None, None)


def _rolling(body: str, parent: str, centre: tuple[float, float, float]) -> Joint:
    return Joint(f"{body}_joint", parent, body, (*centre, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0), None)


def _place(mounting: Mounting) -> Pose6:
    return mounting.x, mounting.y, mounting.z, mounting.roll, mounting.pitch, mounting.yaw
