"""Vehicle presets: the shipped files, and what is said about wrong ones."""

import math
from pathlib import Path

import pytest
import torch
import yaml

from conegrad_core.vehicle import load_vehicle, vehicle_names

PRESETS = Path(__file__).parents[2] / "config" / "vehicles"


def write_changed(folder: Path, change) -> Path:
    values = yaml.safe_load((PRESETS / "formula_student.yaml").read_text())
    change(values)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_finds_the_shipped_presets():
    assert {"formula_student", "roboracer"} <= set(vehicle_names())


def test_formula_student_has_the_sensors_of_its_description():
    vehicle = load_vehicle("formula_student")
    angles = vehicle.lidar.angles()
    assert len(angles) == 1081
    assert math.degrees(angles[-1] - angles[0]) == pytest.approx(270.0, abs=1e-3)
    assert vehicle.lidar_height == 0.15
    model = vehicle.camera.model()
    # Half of 1280 px at 50 degrees: 640 / tan(50 deg) = 537.02 px.
    assert model.intrinsics[0, 0].item() == pytest.approx(537.02, abs=0.01)
    assert math.degrees(vehicle.camera.mounting.pitch) == pytest.approx(12.0)


def test_roboracer_matches_cones_within_twenty_centimetres():
    assert load_vehicle("roboracer").evaluation.match_distance == 0.2


def test_point_ahead_of_the_lidar_lies_below_the_optical_axis_of_a_high_camera(tmp_path):
    def level(values):
        values["camera"]["mounting"] = {
            "x": 0.6, "y": 0.1, "z": 1.15, "roll": 0.0, "pitch": 0.0, "yaw": 0.0
        }  # fmt: skip

    vehicle = load_vehicle(write_changed(tmp_path, level))
    # LiDAR at x 1.6, z 0.15: 5 m ahead of it is 6 m ahead of, 1 m below, 0.1 m right of the lens.
    point = vehicle.camera_from_lidar() @ torch.tensor([5.0, 0.0, 0.0, 1.0])
    torch.testing.assert_close(point[:3], torch.tensor([0.1, 1.0, 6.0]))


def test_camera_pitched_down_sees_the_point_below_it_on_its_axis(tmp_path):
    def steep(values):
        values["camera"]["mounting"] = {
            "x": 1.6, "y": 0.0, "z": 1.15, "roll": 0.0, "pitch": math.pi / 4, "yaw": 0.0
        }  # fmt: skip

    vehicle = load_vehicle(write_changed(tmp_path, steep))
    point = vehicle.camera_from_lidar() @ torch.tensor([1.0, 0.0, 0.0, 1.0])
    torch.testing.assert_close(point[:3], torch.tensor([0.0, 0.0, math.sqrt(2.0)]))


def test_intrinsics_replace_the_field_of_view(tmp_path):
    def measured(values):
        del values["camera"]["hfov"]
        values["camera"]["intrinsics"] = [500.0, 510.0, 630.0, 350.0]

    matrix = load_vehicle(write_changed(tmp_path, measured)).camera.model().intrinsics
    expected = torch.tensor([[500.0, 0.0, 630.0], [0.0, 510.0, 350.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(matrix, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda v: v["lidar"].pop("beams"),
            r"changed.yaml:\d+: lidar.beams is missing, exp",
        ),
        (lambda v: v["lidar"].update(beams=1.5), r"lidar.beams is 1.5, expected a whole number"),
        (lambda v: v["lidar"].update(beams=True), r"lidar.beams is True, expected a whole number"),
        (lambda v: v["lidar"].update(colour="red"), r"lidar.colour is unknown, expected one of"),
        (lambda v: v["camera"].update(rate="fast"), r"camera.rate is 'fast', expected a finite"),
        (lambda v: v["camera"].update(rate=math.nan), r"camera.rate is nan, expected a finite"),
        (lambda v: v["camera"].update(hfov=9.0), r"hfov is 9.0, expected a value in"),
        (lambda v: v["camera"].update(distortion=[1.0]), r"distortion has 1 values, expected"),
        (lambda v: v["camera"].update(distortion_model="fov"), r"distortion_model is 'fov'"),
        (lambda v: v["camera"].update(intrinsics=[1.0] * 4), r"expected exactly one of them"),
        (
            lambda v: v["camera"]["mounting"].update(z=-1),
            r"camera.mounting.z is -1.0, expected",
        ),
        (
            lambda v: v.update(lidar=3),
            r"changed.yaml:\d+: lidar is 3, expected settings",
        ),
    ],
)
def test_wrong_file_is_refused_by_file_key_value_and_expectation(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        load_vehicle(write_changed(tmp_path, change))


def test_broken_yaml_is_refused_by_name(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("lidar: {beams: [")
    with pytest.raises(ValueError, match=r"broken.yaml: invalid YAML in line 1, column 17"):
        load_vehicle(path)


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"no vehicle preset 'tank'.*formula_student"):
        load_vehicle("tank")


def test_a_vehicle_without_chassis_is_enough_for_perception(tmp_path):
    def bare(values):
        del values["chassis"], values["cloud_lidar"]

    vehicle = load_vehicle(write_changed(tmp_path, bare))
    assert vehicle.chassis is None
    assert vehicle.cloud_lidar is None


def test_refuses_wheels_heavier_than_the_car(tmp_path):
    def heavy(values):
        values["chassis"].update(mass=20.0, wheel_mass=5.0)

    with pytest.raises(ValueError, match=r"chassis\.mass is 20\.0, expected more"):
        load_vehicle(write_changed(tmp_path, heavy))
