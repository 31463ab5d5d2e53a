"""The car as an SDF model: bodies, joints, sensors, drive and state publishers."""

from xml.etree.ElementTree import Element

from conegrad_core.vehicle import ChassisPreset, Vehicle
from conegrad_simulation.gazebo import topics
from conegrad_simulation.gazebo.car import Body, Joint, build_car, chosen_lidar, required_chassis
from conegrad_simulation.gazebo.car_sensors import OWN_CAR, add_camera, add_imu, add_lidar
from conegrad_simulation.gazebo.cone_models import add_friction, add_inertial, add_paint
from conegrad_simulation.gazebo.cone_shape import Colour
from conegrad_simulation.gazebo.xml_text import child, sdf_document

CAR = "car"  # name of the model
TYRE_FRICTION = 1.4
ODOMETRY_RATE = 100.0  # [Hz]
EFFORT = 1e6  # [N m], without a finite limit DART does not drive a joint to a speed
STEERING_GAIN = 10.0  # [1/s], of the angle's error
BODY_PAINT: Colour = (0.15, 0.17, 0.2)
TYRE_PAINT: Colour = (0.05, 0.05, 0.05)
QUARTER_TURN = (0.0, 0.0, 0.0, 1.5707963267948966, 0.0, 0.0)  # z axis of a cylinder to -y


def car_sdf(vehicle: Vehicle, lidar: str = "planar") -> Element:
    """The SDF document of a vehicle with a planar or a cloud LiDAR.

    Raises:
        ValueError: if the preset has no chassis, or lacks that LiDAR.
    """
    root = sdf_document()
    model = child(root, "model", name=CAR, canonical_link="base_link")
    car = build_car(vehicle, lidar)
    parents = {joint.child: joint for joint in car.joints}
    for frame in car.frames:
        made = child(model, "frame", name=frame.name, attached_to=frame.parent)
        child(made, "pose", frame.place, relative_to=frame.parent)
    links = [_add_body(model, body, parents.get(body.name)) for body in car.bodies]
    for joint in car.joints:
        _add_joint(model, joint)
    add_camera(links[0], vehicle.camera)
    add_lidar(links[0], chosen_lidar(vehicle, lidar))
    add_imu(links[0])
    _add_driving(model, required_chassis(vehicle))
    _add_true_pose(model)
    add_system(model, "joint-state-publisher", "JointStatePublisher", topic=topics.JOINT_STATES)
    return root


def add_system(parent: Element, file: str, name: str, **settings: object) -> Element:
    """Add a system plugin of Gazebo Harmonic, with its settings as child elements."""
    plugin = child(
        parent, "plugin", filename=f"gz-sim-{file}-system", name=f"gz::sim::systems::{name}"
    )
    for tag, value in settings.items():
        child(plugin, tag, value)
    return plugin


def _add_body(model: Element, body: Body, joint: Joint | None) -> Element:
    link = child(model, "link", name=body.name)
    if joint is not None:
        child(link, "pose", joint.place, relative_to=joint.parent)
    add_inertial(link, body.solid)
    if body.block is not None:
        size, centre = body.block
        for tag in ("collision", "visual"):
            shape = child(link, tag, name="body")
            child(shape, "pose", (*centre, 0.0, 0.0, 0.0))
            child(child(child(shape, "geometry"), "box"), "size", size)
        _paint_visual(shape, BODY_PAINT)
    if body.wheel is not None:
        _add_wheel(link, *body.wheel)
    return link


def _add_wheel(link: Element, radius: float, width: float) -> None:
    for tag in ("collision", "visual"):
        shape = child(link, tag, name="tyre")
        child(shape, "pose", QUARTER_TURN)
        cylinder = child(child(shape, "geometry"), "cylinder")
        child(cylinder, "radius", radius)
        child(cylinder, "length", width)
        if tag == "collision":
            add_friction(shape, TYRE_FRICTION)
    _paint_visual(shape, TYRE_PAINT)


def _paint_visual(visual: Element, paint: Colour) -> None:
    add_paint(visual, paint)
    child(visual, "visibility_flags", OWN_CAR)


def _add_joint(model: Element, joint: Joint) -> None:
    made = child(model, "joint", name=joint.name, type="revolute")
    child(made, "parent", joint.parent)
    child(made, "child", joint.child)
    axis = child(made, "axis")
    child(axis, "xyz", joint.axis)
    limit = child(axis, "limit")
    angle = 1e16 if joint.limit is None else joint.limit
    child(limit, "lower", -angle)
    child(limit, "upper", angle)
    child(limit, "effort", EFFORT)


def _add_driving(model: Element, chassis: ChassisPreset) -> None:
    """Steering in front, drive behind; odometry from the rear wheels, whose axle is base_link."""
    add_system(
        model,
        "ackermann-steering",
        "AckermannSteering",
        left_joint="rear_left_wheel_joint",
        right_joint="rear_right_wheel_joint",
        left_steering_joint="front_left_steering_joint",
        right_steering_joint="front_right_steering_joint",
        wheel_separation=chassis.track_width,
        kingpin_width=chassis.track_width,
        wheel_base=chassis.wheel_base,
        wheel_radius=chassis.wheel_radius,
        steering_limit=chassis.steering_limit,
        steer_p_gain=STEERING_GAIN,
        min_velocity=-chassis.max_speed,
        max_velocity=chassis.max_speed,
        min_acceleration=-chassis.max_acceleration,
        max_acceleration=chassis.max_acceleration,
        topic=topics.DRIVE,
        odom_topic=topics.ODOMETRY,
        tf_topic=topics.TRANSFORM,
        frame_id="odom",
        child_frame_id="base_link",
        odom_publish_frequency=ODOMETRY_RATE,
    )


def _add_true_pose(model: Element) -> None:
    add_system(
        model,
        "odometry-publisher",
        "OdometryPublisher",
        odom_frame="map",
        robot_base_frame="base_link",
        odom_topic=topics.TRUE_POSE,
        tf_topic=topics.TRUE_TRANSFORM,
        odom_publish_frequency=ODOMETRY_RATE,
        dimensions=3,
    )
