"""gazebo.launch.py as people run it, but for Gazebo itself: stand-ins publish a standing car."""

import pytest

pytest.importorskip("launch_support")
pytest.importorskip("tf2_msgs.msg", reason="tf2_msgs is not installed")

import launch_pytest
from conegrad_msgs.msg import ConeArray, TruthCones
from geometry_msgs.msg import Twist
from node_questions import parameters_of, wait_until_active
from stand_in_packages import StandIns

from conegrad_simulation.gazebo.export import export_gazebo_world
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

pytestmark = [pytest.mark.ros, pytest.mark.slow]

PROGRAMS = {
    "gz", "parameter_bridge", "robot_state_publisher", "truth_node", "perception", "driver_node",
    "rviz2",
}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    folder = tmp_path / "world"
    export_gazebo_world(describe_scene(SceneSettings(vehicle="formula_student")), folder)
    return folder


@launch_pytest.fixture
def gazebo(domain, world, tmp_path, monkeypatch, processes):
    packages = StandIns(tmp_path / "prefix", monkeypatch)
    packages.add_simulator()
    packages.add("ros_gz_bridge", "parameter_bridge", "parameter_bridge.py")
    packages.add("robot_state_publisher", "robot_state_publisher", "robot_state_publisher.py")
    packages.add("rviz2", "rviz2", "quiet_node.py")
    arguments = {"world": str(world), "headless": "true", "namespace": "car1"}
    arguments |= {"driver": "true", "rviz": "true"}
    return processes.watched("gazebo", arguments)


@pytest.mark.launch(fixture=gazebo)
@pytest.mark.timeout(400)
def test_frames_truth_perception_and_driver_run_on_the_time_of_the_simulator_and_end_with_it(
    graph, processes
):
    truths = graph.hear(TruthCones, "/car1/truth")
    cones = graph.hear(ConeArray, "/car1/cones")
    commands = graph.hear(Twist, "/car1/cmd_vel")
    for node in ("camera_node", "lidar_node", "fusion_node"):
        wait_until_active(graph, f"/car1/{node}")
    assert set(processes.pids) == PROGRAMS
    for node in ("truth_node", "fusion_node", "driver_node", "rviz2", "robot_state_publisher"):
        assert parameters_of(graph, f"/car1/{node}", "use_sim_time") == [True], node
    assert parameters_of(graph, "/car1/truth_node", "vehicle", "lidar") == [
        "formula_student",
        "planar",
    ]
    graph.until(lambda: truths and cones and commands, "truth, cones and commands")
    assert truths[0].header.frame_id == cones[0].header.frame_id == "lidar"
    assert len(truths[0].cones) > 10
    yield
    processes.assert_ended_well()
