"""training.launch.py and topic_training.launch.py as people run them."""

import pytest
import yaml

pytest.importorskip("launch_support")

import launch_pytest
import torch
from car_stages import FILES
from conegrad_msgs.action import Train
from conegrad_msgs.msg import TrainingStatus
from node_questions import parameters_of
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile
from safetensors.torch import load_file
from small_car import HEIGHT, WIDTH

pytestmark = [pytest.mark.ros, pytest.mark.slow]

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@launch_pytest.fixture
def training(domain, tmp_path, processes, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return processes.watched("training", {"namespace": "car1", "output": "2026"})


@pytest.mark.launch(fixture=training)
def test_the_training_node_waits_for_goals_in_its_namespace_and_ends_well(graph, processes):
    client = ActionClient(graph.peer, Train, "/car1/train")
    graph.until(client.server_is_ready, "the action train")
    statuses = []
    graph.peer.create_subscription(
        TrainingStatus, "/car1/training_status", statuses.append, LATCHED
    )
    graph.until(lambda: statuses, "a status")
    assert statuses[0].state == "idle"
    assert parameters_of(graph, "/car1/training_node", "output") == ["2026"]
    assert list(processes.pids) == ["training_node"]
    client.destroy()
    yield
    processes.assert_ended_well()


@pytest.fixture
def settings(tiny_parameters, tmp_path):
    """A file of settings for two steps of the tiny networks."""
    system = {
        "camera": tiny_parameters["camera_node"]["detector"]["weights"],
        "lidar": tiny_parameters["lidar_node"]["segmenter"]["weights"],
        "input_width": WIDTH,
        "input_height": HEIGHT,
    }
    path = tmp_path / "settings.yaml"
    run = {"batch": 2, "steps": 2, "workers": 0}
    tracking = {"tracking": False}
    path.write_text(yaml.safe_dump({"system": system, "run": run, "tracking": tracking}))
    return str(path)


@launch_pytest.fixture
def topic_training(domain, small_drive, settings, params_file, tmp_path, processes):
    arguments = {
        "bag": str(small_drive),
        "config": settings,
        "params_file": params_file,
        "output": str(tmp_path / "weights"),
        "namespace": "school",
    }
    return processes.watched("topic_training", arguments)


@pytest.mark.launch(fixture=topic_training)
def test_gradients_over_topics_change_the_weights_and_the_launch_ends_by_itself(
    graph, processes, tiny_parameters, tmp_path
):
    programs = {"training_camera_node", "training_lidar_node", "topic_trainer"}
    graph.until(lambda: set(processes.exit_codes) == programs, "the end of all programs")
    folder = tmp_path / "weights"
    # and the record of the system
    assert {path.name for path in folder.iterdir()} == {*FILES.values(), "system"}
    before = load_file(tiny_parameters["lidar_node"]["segmenter"]["weights"])
    after = load_file(folder / FILES["segmenter"])
    assert any(not torch.equal(before[name], after[name]) for name in before)
    yield
    processes.assert_ended_well()
