"""URDF and SDF of a car place everything alike."""

from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.gazebo.car_sensors import off_image_edges

CASES = [(v, kind) for v in ("formula_student", "roboracer") for kind in ("planar", "cloud")]


def matrix(xyz, rpy):
    placed = np.eye(4)
    placed[:3, 3] = xyz
    placed[:3, :3] = Rotation.from_euler("xyz", rpy).as_matrix()
    return placed


def numbers(text):
    return [float(word) for word in text.split()]


def urdf_frames(path):
    """Each link in base_link, by following the joints of a URDF."""
    joints = {}
    for joint in ElementTree.parse(path).getroot().findall("joint"):
        origin = joint.find("origin")
        placed = matrix(numbers(origin.get("xyz")), numbers(origin.get("rpy")))
        joints[joint.find("child").get("link")] = (joint.find("parent").get("link"), placed)

    def in_base(name):
        if name == "base_link":
            return np.eye(4)
        parent, placed = joints[name]
        return in_base(parent) @ placed

    return {name: in_base(name) for name in [*joints, "base_link"]}


def sdf_frames(path):
    """Each link and frame in base_link, by following relative_to of an SDF."""
    model = ElementTree.parse(path).getroot().find("model")
    poses = {}
    for element in [*model.findall("link"), *model.findall("frame")]:
        pose = element.find("pose")
        poses[element.get("name")] = pose

    def in_base(name):
        pose = poses[name]
        if pose is None:
            return np.eye(4)
        values = numbers(pose.text)
        return in_base(pose.get("relative_to")) @ matrix(values[:3], values[3:])

    return {name: in_base(name) for name in poses}


@pytest.mark.parametrize(("vehicle", "lidar"), CASES)
def test_links_and_sensors_agree_to_a_micrometre(export, vehicle, lidar):
    folder = export(vehicle, lidar)
    urdf, sdf = urdf_frames(folder / "car.urdf"), sdf_frames(folder / "models/car/model.sdf")
    assert set(urdf) == set(sdf)
    assert {"lidar", "camera", "camera_optical", "front_left_wheel"} <= set(urdf)
    for name, placed in urdf.items():
        np.testing.assert_allclose(placed, sdf[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize(("vehicle", "lidar"), CASES)
def test_sensors_sit_where_the_preset_has_them(export, vehicle, lidar):
    frames = urdf_frames(export(vehicle, lidar) / "car.urdf")
    preset = load_vehicle(vehicle)
    mounting = preset.lidar.mounting if lidar == "planar" else preset.cloud_lidar.mounting
    np.testing.assert_allclose(frames["lidar"], mounting.base_from_sensor().numpy(), atol=1e-6)
    lidar_to_optical = np.linalg.inv(frames["camera_optical"]) @ frames["lidar"]
    if lidar == "planar":
        wanted = preset.camera_from_lidar().numpy()
        np.testing.assert_allclose(lidar_to_optical, wanted, atol=1e-6)


@pytest.mark.parametrize(("vehicle", "lidar"), CASES)
def test_joints_turn_about_the_same_axes_within_the_same_limits(export, vehicle, lidar):
    folder = export(vehicle, lidar)
    robot = ElementTree.parse(folder / "car.urdf").getroot()
    model = ElementTree.parse(folder / "models/car/model.sdf").getroot().find("model")
    hinges = [joint for joint in robot.findall("joint") if joint.get("type") != "fixed"]
    assert len(hinges) == len(model.findall("joint")) == 6
    for hinge in hinges:
        joint = model.find(f"joint[@name='{hinge.get('name')}']")
        assert joint.findtext("parent") == hinge.find("parent").get("link")
        assert joint.findtext("axis/xyz") == hinge.find("axis").get("xyz")
        if hinge.get("type") == "revolute":
            assert joint.findtext("axis/limit/upper") == hinge.find("limit").get("upper")


def test_sensors_publish_in_the_frames_of_the_documentation(export):
    sdf = ElementTree.parse(export() / "models/car/model.sdf").getroot()
    frames = {s.get("name"): s.findtext("gz_frame_id") for s in sdf.iter("sensor")}
    assert frames == {"camera": "camera_optical", "lidar": "lidar", "imu": "base_link"}


def test_sensors_have_the_settings_of_the_preset(export):
    sdf = ElementTree.parse(export("roboracer") / "models/car/model.sdf").getroot()
    preset = load_vehicle("roboracer")
    camera, lidar = (sdf.find(f".//sensor[@name='{name}']") for name in ("camera", "lidar"))
    assert camera.findtext("camera/image/width") == "640"
    assert float(camera.findtext("camera/horizontal_fov")) == pytest.approx(1.0471975, abs=1e-6)
    assert lidar.findtext("lidar/scan/horizontal/samples") == "1081"
    last = float(lidar.findtext("lidar/scan/horizontal/max_angle"))
    turned = 0.1 * preset.lidar.angle_increment  # off the edges of the images
    assert last == pytest.approx(float(preset.lidar.angles()[-1]) + turned, abs=1e-6)
    assert lidar.findtext("lidar/range/max") == "10"


@pytest.mark.parametrize(("vehicle", "lidar"), CASES)
def test_no_beam_lies_on_the_edge_of_two_images(export, vehicle, lidar):
    sdf = ElementTree.parse(export(vehicle, lidar) / "models/car/model.sdf").getroot()
    fan = sdf.find(".//lidar/scan/horizontal")
    first, last = (float(fan.findtext(name)) for name in ("min_angle", "max_angle"))
    angles = np.linspace(first, last, int(fan.findtext("samples")))
    step = angles[1] - angles[0]
    from_edge = (angles - np.pi / 4) / (np.pi / 2)
    nearest = np.abs(from_edge - np.round(from_edge)).min() * np.pi / 2
    assert nearest > 0.04 * step


@pytest.mark.parametrize(
    ("first", "step", "count"),
    [
        (-2.3, 0.01, 400),
        (-np.pi, np.pi / 512, 1024),
        (3 * np.pi / 4, -np.pi / 720, 1081),
        (0, 0.1, 1),
    ],
)
def test_beams_are_turned_by_a_fraction_of_their_step(first, step, count):
    found = off_image_edges(first, step, count)
    assert abs(found - first) <= 0.2 * abs(step)
    from_edge = (found + step * np.arange(count) - np.pi / 4) / (np.pi / 2)
    assert np.abs(from_edge - np.round(from_edge)).min() * np.pi / 2 > 0.04 * abs(step)


def test_joints_have_a_finite_effort(export):
    model = ElementTree.parse(export() / "models/car/model.sdf").getroot().find("model")
    efforts = [float(joint.findtext("axis/limit/effort")) for joint in model.findall("joint")]
    assert efforts == [1e6] * 6


def test_masks_use_the_user_bits_of_the_renderer(export):
    sdf = ElementTree.parse(export() / "models/car/model.sdf").getroot()
    masks = [int(mask.text) for mask in sdf.iter("visibility_mask")]
    assert len(masks) == 2
    assert all(mask & 0xF0000000 == 0 for mask in masks)


def test_the_lidar_does_not_see_its_own_car(export):
    sdf = ElementTree.parse(export() / "models/car/model.sdf").getroot()
    mask = int(sdf.findtext(".//lidar/visibility_mask"))
    flags = [int(visual.findtext("visibility_flags")) for visual in sdf.iter("visual")]
    assert len(flags) == 5
    assert all(mask & flag == 0 for flag in flags)


def test_a_vehicle_without_chassis_is_refused_by_name(tmp_path):
    import dataclasses

    from conegrad_simulation.gazebo.car import build_car

    bare = dataclasses.replace(load_vehicle("roboracer"), chassis=None)
    with pytest.raises(ValueError, match="vehicle roboracer has no section chassis"):
        build_car(bare)
