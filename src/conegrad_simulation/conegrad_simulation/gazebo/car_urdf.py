"""The car as a URDF for robot_state_publisher, made of the same parts as its SDF."""

from xml.etree.ElementTree import Element

from conegrad_core.vehicle import Vehicle
from conegrad_simulation.gazebo.car import Body, Joint, Pose6, build_car, required_chassis
from conegrad_simulation.gazebo.car_sdf import BODY_PAINT, CAR, QUARTER_TURN, TYRE_PAINT
from conegrad_simulation.gazebo.cone_shape import Colour
from conegrad_simulation.gazebo.xml_text import child

STEERING_SPEED = 5.0  # [rad/s], required by the format; Gazebo does not read the URDF
STEERING_EFFORT = 1000.0  # [N m], likewise


def car_urdf(vehicle: Vehicle, lidar: str = "planar") -> Element:
    """The URDF document of a vehicle with a planar or a cloud LiDAR.

    Raises:
        ValueError: if the preset has no chassis, or lacks that LiDAR.
    """
    required_chassis(vehicle)
    car = build_car(vehicle, lidar)
    root = Element("robot", name=CAR)
    for body in car.bodies:
        _add_link(root, body)
    for joint in car.joints:
        _add_hinge(root, joint)
    for frame in car.frames:
        child(root, "link", name=frame.name)
        _add_joint(root, f"{frame.name}_joint", "fixed", frame.parent, frame.name, frame.place)
    return root


def _add_link(root: Element, body: Body) -> None:
    link = child(root, "link", name=body.name)
    if body.block is not None:
        size, centre = body.block
        visual = child(link, "visual")
        _add_origin(visual, (*centre, 0.0, 0.0, 0.0))
        child(child(visual, "geometry"), "box", size=size)
        _add_material(visual, "body", BODY_PAINT)
    if body.wheel is not None:
        radius, width = body.wheel
        visual = child(link, "visual")
        _add_origin(visual, QUARTER_TURN)
        child(child(visual, "geometry"), "cylinder", radius=radius, length=width)
        _add_material(visual, "tyre", TYRE_PAINT)
    # No inertia on base_link: KDL warns about one at the root of the tree.
    if body.name != "base_link":
        _add_inertial(link, body)


def _add_inertial(link: Element, body: Body) -> None:
    inertial = child(link, "inertial")
    _add_origin(inertial, (*body.solid.centre, 0.0, 0.0, 0.0))
    child(inertial, "mass", value=body.solid.mass)
    xx, yy, zz = body.solid.moments
    child(inertial, "inertia", ixx=xx, ixy=0.0, ixz=0.0, iyy=yy, iyz=0.0, izz=zz)


def _add_hinge(root: Element, joint: Joint) -> None:
    kind = "continuous" if joint.limit is None else "revolute"
    made = _add_joint(root, joint.name, kind, joint.parent, joint.child, joint.place)
    child(made, "axis", xyz=joint.axis)
    if joint.limit is not None:
        child(
            made,
            "limit",
            lower=-joint.limit,
            upper=joint.limit,
            effort=STEERING_EFFORT,
            velocity=STEERING_SPEED,
        )


def _add_joint(
    root: Element, name: str, kind: str, parent: str, child_link: str, place: Pose6
) -> Element:
    joint = child(root, "joint", name=name, type=kind)
    _add_origin(joint, place)
    child(joint, "parent", link=parent)
    child(joint, "child", link=child_link)
    return joint


def _add_origin(element: Element, place: Pose6) -> None:
    child(element, "origin", xyz=place[:3], rpy=place[3:])


def _add_material(visual: Element, name: str, paint: Colour) -> None:
    child(child(visual, "material", name=name), "color", rgba=(*paint, 1.0))
