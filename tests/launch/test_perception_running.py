"""perception.launch.py as people run it: composed and apart, in a namespace, on simulated time."""

import pytest

pytest.importorskip("launch_support")

import launch_pytest
from conegrad_msgs.msg import ConeArray, ConeDetectionArray, ScanSegmentation
from node_questions import parameters_of, wait_until_active
from sensors import Sensors
from stand_in_packages import StandIns

pytestmark = [pytest.mark.ros, pytest.mark.slow]

NODES = ("camera_node", "lidar_node", "fusion_node")
TYPES = {
    "detections": "conegrad_msgs/msg/ConeDetectionArray",
    "segmentation": "conegrad_msgs/msg/ScanSegmentation",
    "cones": "conegrad_msgs/msg/ConeArray",
}
CASES = [
    pytest.param({}, id="composed"),
    pytest.param({"composed": "false"}, id="apart"),
    pytest.param({"namespace": "car1", "use_sim_time": "true"}, id="composed, simulated car1"),
    pytest.param(
        {"composed": "false", "namespace": "/fleet/car1", "use_sim_time": "true"},
        id="apart, simulated car1 of a fleet",
    ),
]


@pytest.fixture
def arguments(request, params_file):
    return {"params_file": params_file, "vehicle": "formula_student", **request.param}


@launch_pytest.fixture
def watched(domain, params_file, tmp_path, monkeypatch, processes):
    packages = StandIns(tmp_path / "prefix", monkeypatch)
    packages.add("rviz2", "rviz2", "quiet_node.py")
    packages.add("foxglove_bridge", "foxglove_bridge", "quiet_node.py")
    arguments = {"params_file": params_file, "namespace": "car1", "use_sim_time": "true"}
    return processes.watched("perception", arguments | {"rviz": "true", "foxglove": "true"})


@pytest.mark.launch(fixture=watched)
def test_rviz_follows_namespace_and_time_and_foxglove_sees_everything(graph, processes):
    for node in ("/car1/rviz2", "/foxglove_bridge"):
        assert parameters_of(graph, node, "use_sim_time") == [True]
    wait_until_active(graph, "/car1/fusion_node")
    yield
    processes.assert_ended_well()


@launch_pytest.fixture
def perception(domain, arguments, processes):
    return processes.watched("perception", arguments)


@pytest.mark.launch(fixture=perception)
@pytest.mark.parametrize("arguments", CASES, indirect=True)
def test_all_nodes_become_active_cones_come_out_and_nothing_is_left_behind(
    graph, arguments, processes
):
    name = arguments.get("namespace", "").strip("/")
    prefix = f"/{name}" if name else ""
    is_simulated = arguments.get("use_sim_time") == "true"
    for node in NODES:
        wait_until_active(graph, f"{prefix}/{node}")
    is_apart = arguments.get("composed") == "false"
    programs = NODES if is_apart else ("perception",)
    assert sorted(processes.pids) == sorted((*programs, "lifecycle_manager"))

    given = ("use_sim_time", "calibration.vehicle", "calibration.extrinsics", "input_timeout")
    assert parameters_of(graph, f"{prefix}/fusion_node", *given) == [
        is_simulated,
        "formula_student",
        "vehicle",
        0.5,  # of config/fusion_node.yaml
    ]
    assert parameters_of(graph, f"{prefix}/camera_node", "detector.input_width") == [160]

    heard = {
        topic: graph.hear(msgtype, f"{prefix}/{topic}")
        for topic, msgtype in (
            ("detections", ConeDetectionArray),
            ("segmentation", ScanSegmentation),
            ("cones", ConeArray),
        )
    }
    sensors = Sensors(graph, prefix, is_simulated=is_simulated)
    graph.until(lambda: all(heard.values()), "an answer of every node", again=sensors.publish)
    assert heard["cones"][0].header.frame_id == "lidar"
    offered = dict(graph.peer.get_topic_names_and_types())
    assert {topic: offered[f"{prefix}/{topic}"] for topic in TYPES} == {
        topic: [msgtype] for topic, msgtype in TYPES.items()
    }
    yield
    processes.assert_ended_well()


@pytest.fixture
def wrong_arguments():
    return {"vehicle": "2026", "composed": "true"}


@launch_pytest.fixture
def perception_of_a_year(domain, wrong_arguments, processes, tiny_parameters, write_parameters):
    path = write_parameters(tiny_parameters)
    return processes.watched("perception", {**wrong_arguments, "params_file": path})


@pytest.mark.launch(fixture=perception_of_a_year)
def test_a_vehicle_that_looks_like_a_number_stays_a_name(graph, processes):
    assert parameters_of(graph, "/fusion_node", "calibration.vehicle") == ["2026"]
    yield
    processes.assert_ended_well()
