"""A scene as a Gazebo world: physics, systems, light, ground, cones, surroundings and the car."""

import math
from xml.etree.ElementTree import Element

from conegrad_core.cones import ConeClass
from conegrad_simulation.gazebo import topics
from conegrad_simulation.gazebo.car import Pose6
from conegrad_simulation.gazebo.car_sdf import CAR, add_system
from conegrad_simulation.gazebo.cone_models import (
    add_friction,
    add_inertial,
    add_paint,
    cone_model_name,
)
from conegrad_simulation.gazebo.cone_places import cone_name, cone_place
from conegrad_simulation.gazebo.solids import box
from conegrad_simulation.gazebo.surroundings import add_surroundings
from conegrad_simulation.gazebo.xml_text import child, sdf_document
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.scene_settings import SceneDescription
from conegrad_simulation.scene.world import World

WORLD = "conegrad"  # name of the world
STEP = 0.002  # [s] of physics
GROUND_SIZE = 500.0  # [m]
GROUND_FRICTION = 1.0
START_HEIGHT = 0.01  # [m], the car drops onto its wheels
ANCHOR = "anchor"  # link of the model that holds movable cones
TRUTH_RATE = 20.0  # [Hz] of the poses of movable cones
SKY = (0.62, 0.73, 0.86, 1.0)


def world_sdf(description: SceneDescription) -> Element:
    """The SDF document of a world; it includes the models that the export writes beside it."""
    root = sdf_document()
    world = child(root, "world", name=WORLD)
    _add_physics(world)
    _add_light(world, description.world)
    _add_ground(world, description.world)
    _add_cones(world, description.scene, are_movable=description.settings.movable_cones)
    add_surroundings(world, description.scene)
    start = description.track.start_pose()
    _include(world, CAR, CAR, (start.x, start.y, START_HEIGHT, 0.0, 0.0, start.yaw))
    return root


def _add_physics(world: Element) -> None:
    physics = child(world, "physics", name="steps", type="ignored")
    child(physics, "max_step_size", STEP)
    child(physics, "real_time_factor", 1.0)
    add_system(world, "physics", "Physics")
    add_system(world, "user-commands", "UserCommands")
    add_system(world, "scene-broadcaster", "SceneBroadcaster")
    add_system(world, "sensors", "Sensors", render_engine="ogre2")
    add_system(world, "imu", "Imu")


def _add_light(world: Element, appearance: World) -> None:
    """The sun, and the sky's light, from the exposure and the depth of shadows."""
    direct = min(1.0, appearance.exposure * (0.25 + 0.75 * appearance.shadow))
    ambient = min(1.0, appearance.exposure * (0.75 - 0.5 * appearance.shadow))
    scene = child(world, "scene")
    child(scene, "ambient", (ambient, ambient, ambient, 1.0))
    child(scene, "background", SKY)
    child(scene, "shadows", True)
    sun = child(world, "light", name="sun", type="directional")
    child(sun, "pose", (0.0, 0.0, 50.0, 0.0, 0.0, 0.0))
    child(sun, "cast_shadows", True)
    child(sun, "diffuse", (direct, direct, direct, 1.0))
    child(sun, "specular", (0.2, 0.2, 0.2, 1.0))
    low = math.cos(appearance.sun_elevation)
    towards = (
        -low * math.cos(appearance.sun_azimuth),
        -low * math.sin(appearance.sun_azimuth),
        -math.sin(appearance.sun_elevation),
    )
    child(sun, "direction", towards)


def _add_ground(world: Element, appearance: World) -> None:
    model = child(world, "model", name="ground")
    child(model, "static", True)
    link = child(model, "link", name="plane")
    for tag in ("collision", "visual"):
        shape = child(link, tag, name="plane")
        plane = child(child(shape, "geometry"), "plane")
        child(plane, "normal", (0.0, 0.0, 1.0))
        child(plane, "size", (GROUND_SIZE, GROUND_SIZE))
        if tag == "collision":
            add_friction(shape, GROUND_FRICTION)
    grey = appearance.ground_grey / 255
    tint = appearance.ground_tint / 2
    add_paint(shape, (min(1.0, grey * (1 + tint)), grey, min(1.0, grey * (1 - tint))))


def _add_cones(world: Element, scene: Scene, *, are_movable: bool) -> None:
    """All cones inside one model, so that one message holds their poses with their names."""
    if not len(scene.cone_classes):
        return
    track = child(world, "model", name="track")
    child(track, "static", not are_movable)
    if are_movable:
        _add_anchor(track)
    for row, cone_class in enumerate(scene.cone_classes):
        name = cone_model_name(ConeClass(int(cone_class)))
        included = _include(track, name, cone_name(row), cone_place(scene, row))
        child(included, "static", not are_movable)
    if are_movable:
        add_system(
            track,
            "pose-publisher",
            "PosePublisher",
            publish_link_pose=False,
            publish_nested_model_pose=True,
            publish_model_pose=False,
            use_pose_vector_msg=True,
            update_frequency=TRUTH_RATE,
            topic=topics.TRUE_CONES,
        )


def _add_anchor(track: Element) -> None:
    """A link that never moves: without it a cone is the frame of the model, and of all the others.

    A cone that is hit would then move the poses that all the others are published in.
    """
    track.set("canonical_link", ANCHOR)
    add_inertial(child(track, "link", name=ANCHOR), box(1.0, (0.1, 0.1, 0.1), (0.0, 0.0, 0.0)))
    joint = child(track, "joint", name=f"{ANCHOR}_joint", type="fixed")
    child(joint, "parent", "world")
    child(joint, "child", ANCHOR)


def _include(parent: Element, model: str, name: str, place: Pose6) -> Element:
    included = child(parent, "include")
    child(included, "name", name)
    child(included, "pose", place)
    child(included, "uri", f"model://{model}")
    return included
