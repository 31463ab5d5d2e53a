"""Generated worlds, read by libsdformat as Gazebo does."""

import math
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.scene.scene_file import load_scene

CASES = [
    pytest.param("formula_student", "planar", "random", id="formula student, random track"),
    pytest.param("formula_student", "cloud", "acceleration", id="formula student, 3-D LiDAR"),
    pytest.param("roboracer", "planar", "skidpad", id="roboracer, skidpad"),
    pytest.param("roboracer", "cloud", "random", id="roboracer, 3-D LiDAR"),
]


@pytest.mark.parametrize(("vehicle", "lidar", "track"), CASES)
def test_libsdformat_reports_no_error(export, parse, vehicle, lidar, track):
    folder = export(vehicle, lidar, track=track)
    parsed = parse(folder)
    assert parsed.complaints == []
    cones = len(load_scene(folder / "scene.json").cone_classes)
    assert sum("::cone_" in name for name in parsed.models) == cones
    assert {"ground", "track", "car"} <= set(parsed.models)


def test_other_worlds_are_valid_too(export, parse):
    folder = export(world="dusk_rain", seed=5, movable_cones=False)
    assert parse(folder).complaints == []


@pytest.mark.parametrize("vehicle", ["formula_student", "roboracer"])
@pytest.mark.parametrize("lidar", ["planar", "cloud"])
def test_frames_of_the_sdf_are_those_of_the_preset(export, parse, vehicle, lidar):
    plant = parse(export(vehicle, lidar)).plant
    base = plant.GetBodyByName("base_link", plant.GetModelInstanceByName("car"))
    preset = load_vehicle(vehicle)
    mountings = {
        "lidar": preset.lidar.mounting if lidar == "planar" else preset.cloud_lidar.mounting,
        "camera": preset.camera.mounting,
    }
    for name, mounting in mountings.items():
        found = relative_pose(plant, base.body_frame(), name)
        np.testing.assert_allclose(found, mounting.base_from_sensor().numpy(), atol=1e-6)
    base_from_optical = relative_pose(plant, base.body_frame(), "camera_optical")
    # 0.209 rad nose down: the optical axis points ahead and down, x to the right.
    np.testing.assert_allclose(base_from_optical[:3, 0], [0, -1, 0], atol=1e-6)
    pitch = preset.camera.mounting.pitch
    np.testing.assert_allclose(
        base_from_optical[:3, 2], [math.cos(pitch), 0, -math.sin(pitch)], atol=1e-6
    )


def relative_pose(plant, base, name):
    car = plant.GetModelInstanceByName("car")
    context = plant.CreateDefaultContext()
    frame = plant.GetFrameByName(name, car)
    return plant.CalcRelativeTransform(context, base, frame).GetAsMatrix4()


def test_the_car_has_the_mass_of_the_preset(export, parse):
    plant = parse(export("formula_student")).plant
    car = plant.GetModelInstanceByName("car")
    context = plant.CreateDefaultContext()
    assert plant.CalcTotalMass(context, [car]) == pytest.approx(290.0)


def test_every_inertia_is_physically_possible(export, parse):
    plant = parse(export("roboracer")).plant
    context = plant.CreateDefaultContext()
    bodies = [plant.get_body(index) for index in range_of(plant)]
    assert len(bodies) > 50
    for body in bodies[1:]:  # the first is the world
        assert body.CalcSpatialInertiaInBodyFrame(context).IsPhysicallyValid(), body.name()


def range_of(plant):
    from pydrake.multibody.tree import BodyIndex

    return [BodyIndex(index) for index in range(plant.num_bodies())]


def test_joints_hang_on_the_base(export, parse):
    plant = parse(export("formula_student")).plant
    car = plant.GetModelInstanceByName("car")
    parents = {
        plant.get_joint(index).child_body().name(): plant.get_joint(index).parent_body().name()
        for index in plant.GetJointIndices(car)
    }
    parents.pop("base_link", None)  # floats in the world
    assert parents == {
        "rear_left_wheel": "base_link",
        "rear_right_wheel": "base_link",
        "front_left_steering": "base_link",
        "front_right_steering": "base_link",
        "front_left_wheel": "front_left_steering",
        "front_right_wheel": "front_right_steering",
    }


def test_world_has_the_systems_of_harmonic(export):
    world = ElementTree.parse(export() / "world.sdf").getroot().find("world")
    systems = {plugin.get("filename"): plugin.get("name") for plugin in world.findall("plugin")}
    assert systems == {
        "gz-sim-physics-system": "gz::sim::systems::Physics",
        "gz-sim-user-commands-system": "gz::sim::systems::UserCommands",
        "gz-sim-scene-broadcaster-system": "gz::sim::systems::SceneBroadcaster",
        "gz-sim-sensors-system": "gz::sim::systems::Sensors",
        "gz-sim-imu-system": "gz::sim::systems::Imu",
    }
    assert world.findtext("plugin/render_engine") == "ogre2"


def test_cones_stand_where_the_scene_has_them(export):
    folder = export(track="skidpad", seed=3)
    scene = load_scene(folder / "scene.json")
    world = ElementTree.parse(folder / "world.sdf").getroot().find("world")
    included = world.findall("model[@name='track']/include")
    places = np.array([i.findtext("pose").split() for i in included], dtype=float)
    np.testing.assert_array_equal(places[:, :2], scene.cone_positions)
    models = [i.findtext("uri") for i in included]
    assert models[0].startswith("model://cone_")
    assert len({i.findtext("name") for i in included}) == len(scene.cone_classes)


def test_fixed_cones_are_static_and_movable_ones_are_not(export):
    for is_movable in (True, False):
        world = ElementTree.parse(export(movable_cones=is_movable) / "world.sdf").getroot()
        track = world.find("world/model[@name='track']")
        assert track.findtext("static") == ("false" if is_movable else "true")
        assert (track.find("plugin") is not None) == is_movable


def test_movable_cones_hang_on_a_link_that_never_moves(export):
    world = ElementTree.parse(export(movable_cones=True) / "world.sdf").getroot()
    track = world.find("world/model[@name='track']")
    anchor = track.get("canonical_link")
    assert [link.get("name") for link in track.findall("link")] == [anchor]
    (joint,) = track.findall("joint")
    fixed = (joint.get("type"), joint.findtext("parent"), joint.findtext("child"))
    assert fixed == ("fixed", "world", anchor)
    # Neither seen nor touched.
    assert {part.tag for part in track.find("link")} == {"inertial"}


def test_a_cone_that_is_pushed_moves_no_other_one(export, parse):
    plant = parse(export(movable_cones=True)).plant
    context = plant.CreateDefaultContext()
    track = plant.GetModelInstanceByName("track")
    anchor = plant.GetBodyByName("anchor", track)
    (joint,) = [plant.get_joint(index) for index in plant.GetJointIndices(track)]
    assert (joint.num_velocities(), joint.parent_body().name()) == (0, "world")
    before = plant.EvalBodyPoseInWorld(context, anchor).GetAsMatrix4()
    cones = [plant.GetModelInstanceByName(f"track::cone_{row:04d}") for row in range(2)]
    first, second = (plant.GetBodyByName("cone", cone) for cone in cones)
    still = plant.EvalBodyPoseInWorld(context, second).GetAsMatrix4()
    pose = plant.EvalBodyPoseInWorld(context, first)
    pose.set_translation(pose.translation() + np.array([1.0, 0.0, 0.0]))
    plant.SetFreeBodyPose(context, first, pose)
    np.testing.assert_array_equal(plant.EvalBodyPoseInWorld(context, second).GetAsMatrix4(), still)
    after = plant.EvalBodyPoseInWorld(context, anchor).GetAsMatrix4()
    np.testing.assert_array_equal(after, before)


def test_an_export_does_not_touch_a_folder_of_something_else(tmp_path):
    from conegrad_simulation.gazebo.export import export_gazebo_world
    from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FileExistsError, match=r"has no world\.sdf"):
        export_gazebo_world(describe_scene(SceneSettings()), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_scene_reads_back_exactly(tmp_path):
    import dataclasses

    from conegrad_simulation.scene.scene_file import save_scene
    from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

    scene = describe_scene(SceneSettings(seed=7, world="dusk_rain")).scene
    save_scene(scene, tmp_path / "scene.json")
    again = load_scene(tmp_path / "scene.json")
    for field in dataclasses.fields(scene):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(scene, field.name))


def test_the_check_finds_a_joint_to_nowhere(export, parse, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(export("formula_student"), folder)
    sdf = folder / "models/car/model.sdf"
    text = sdf.read_text()
    sdf.write_text(text.replace("<child>rear_left_wheel</child>", "<child>fifth_wheel</child>"))
    with pytest.raises(RuntimeError, match="fifth_wheel"):
        parse(folder)
