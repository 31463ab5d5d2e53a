"""The training node through its action and its topic."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from warm_python import WarmProcess

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from action_msgs.msg import GoalStatus
from car_stages import FILES
from conegrad_msgs.action import Train
from conegrad_msgs.msg import TrainingStatus
from rclpy.action import ActionClient
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.action.training_node import STATUS, TrainingNode
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracking import make_client

pytestmark = pytest.mark.ros

DEADLINE = 120.0  # [s], generous: the machine may be busy
MANY = 100_000  # steps of runs that are stopped


class Client:
    """A peer of the training node, and the executor of both."""

    def __init__(self, context):
        self.executor = MultiThreadedExecutor(3, context=context)
        self.node = Node("peer", context=context)
        self.executor.add_node(self.node)
        self.action = ActionClient(self.node, Train, "train")
        self.statuses, self.feedback = [], []
        every = QoSProfile(depth=100, durability=STATUS.durability)
        self.node.create_subscription(
            TrainingStatus, "training_status", self.statuses.append, every
        )

    def until(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {DEADLINE} s"
            self.executor.spin_once(0.02)

    def answer(self, future, what):
        self.until(future.done, what)
        return future.result()

    def send(self, **fields):
        self.until(self.action.server_is_ready, "the action")
        future = self.action.send_goal_async(
            Train.Goal(**fields),
            feedback_callback=lambda msg: self.feedback.append(msg.feedback.status),
        )
        return self.answer(future, "an answer to the goal")

    def result(self, goal):
        answer = self.answer(goal.get_result_async(), "the result")
        return answer.status, answer.result

    def hear(self, text):
        self.until(lambda: any(text in status.message for status in self.statuses), text)


@pytest.fixture
def client(context):
    client = Client(context)
    yield client
    client.executor.shutdown()
    client.node.destroy_node()


@pytest.fixture
def node(client, context, tmp_path):
    parameters = [Parameter("output", value=str(tmp_path / "runs"))]
    node = TrainingNode(context=context, parameter_overrides=parameters)
    client.executor.add_node(node)
    yield node
    node.stop()
    client.until(lambda: not node.is_training, "the end of the run")
    client.executor.remove_node(node)
    node.destroy_node()


@pytest.fixture
def settings(system_config: SystemConfig, tmp_path: Path) -> str:
    """A file of settings for tiny runs."""
    system = {
        "weights": list(system_config.weights),
        "input_width": system_config.input_width,
        "input_height": system_config.input_height,
    }
    run = {"batch": 1, "workers": 0, "threads": 1, "evaluation_frames": 0, "steps": 2}
    path, tracking = tmp_path / "settings.yaml", {"tracking": False}
    path.write_text(yaml.safe_dump({"system": system, "run": run, "tracking": tracking}))
    return str(path)


def test_a_goal_trains_and_tells_every_step(
    client, node, settings, small_bag: SimulatedBag, tmp_path
):
    goal = client.send(bags=[str(small_bag.path)], pattern="partial_lidar", config=settings)
    assert goal.accepted
    status, result = client.result(goal)
    assert (status, result.completed) == (GoalStatus.STATUS_SUCCEEDED, True), result.message
    assert result.output == str(tmp_path / "runs" / "run_001")
    assert torch.load(result.checkpoint, weights_only=True)["step"] == 2
    assert all((Path(result.output) / name).exists() for name in FILES.values())
    client.until(lambda: len(client.feedback) == 2, "feedback of both steps")
    assert [f.step for f in client.feedback] == [1, 2]
    last = client.feedback[-1]
    assert (last.total_steps, last.pattern, last.eta) == (2, "partial", 0.0)
    assert list(last.loss_names) == ["position", "colour", "existence", "covariance"]
    assert last.loss_values[2] > 0  # existence, of an untrained network
    assert client.feedback[0].steps_per_second > 0
    client.hear("weights are in")
    assert client.statuses[-1].state == "completed"


@pytest.mark.slow
@pytest.mark.timeout(300)  # a store is made
def test_a_run_is_tracked_as_that_of_the_command_line_is(
    client, node, settings, small_bag: SimulatedBag, tmp_path
):
    store = f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}"
    content = yaml.safe_load(Path(settings).read_text())
    content["tracking"] = {"tracking_uri": store, "experiment": "car"}
    Path(settings).write_text(yaml.safe_dump(content))
    tracked = make_client(store)
    tracked.search_experiments()  # makes the tables of the store, before anybody waits
    goal = client.send(bags=[str(small_bag.path)], pattern="partial_lidar", config=settings)
    status, result = client.result(goal)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    assert f"mlflow ui --backend-store-uri {store}" in result.message
    experiment = tracked.get_experiment_by_name("car")
    runs = {run.info.run_name: run for run in tracked.search_runs([experiment.experiment_id])}
    assert set(runs) == {"run_001", "run_001 detector", "run_001 segmenter", "run_001 fuser"}
    assert runs["run_001"].info.status == "FINISHED"
    assert runs["run_001"].data.params["pattern.pattern"] == "partial"
    losses = tracked.get_metric_history(runs["run_001"].info.run_id, "loss_existence")
    assert [metric.step for metric in losses] == [1, 2]


def test_cancelling_keeps_a_checkpoint_and_the_run_can_go_on(
    client, node, settings, small_bag: SimulatedBag
):
    bags = [str(small_bag.path)]
    goal = client.send(bags=bags, pattern="partial_lidar", steps=MANY, config=settings)
    client.until(lambda: client.feedback, "a step")
    client.answer(goal.cancel_goal_async(), "an answer to cancelling")
    status, result = client.result(goal)
    assert (status, result.completed) == (GoalStatus.STATUS_CANCELED, False)
    assert f"resume {result.output}" in result.message
    done = torch.load(result.checkpoint, weights_only=True)["step"]
    assert 1 <= done == client.statuses[-1].step

    resumed = Path(settings).with_name("resumed.yaml")
    content = yaml.safe_load(Path(settings).read_text())
    content["data"] = {"output": result.output, "resume": True}
    resumed.write_text(yaml.safe_dump(content))
    client.feedback.clear()
    goal = client.send(bags=bags, pattern="partial_lidar", steps=MANY, config=str(resumed))
    client.until(lambda: client.feedback, "a step of the resumed run")
    assert client.feedback[0].step == done + 1


def test_a_second_goal_is_refused_with_the_reason(client, node, settings, small_bag: SimulatedBag):
    fields = {"bags": [str(small_bag.path)], "pattern": "partial_lidar", "config": settings}
    assert client.send(steps=MANY, **fields).accepted
    client.until(lambda: client.feedback, "a step")
    assert not client.send(**fields).accepted
    client.hear("refused a goal: a run is in progress in")
    before = len(client.feedback)
    client.until(lambda: len(client.feedback) > before, "the run goes on")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"bags": []}, "bags is empty", id="no bag"),
        pytest.param({"bags": ["nowhere"]}, "'nowhere', which does not exist", id="no such bag"),
        pytest.param({"bags": ["."], "pattern": "all"}, "pattern is 'all'", id="no such pattern"),
        pytest.param({"bags": ["."], "config": "gone.yaml"}, "gone.yaml", id="no such settings"),
    ],
)
def test_a_goal_that_cannot_begin_is_refused_with_the_reason(client, node, fields, reason):
    assert not client.send(**fields).accepted
    client.hear(reason)
    assert not node.is_training


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("a: [", "is not YAML", id="no YAML"),
        pytest.param("pattern: 5", "pattern holds no settings with values", id="no section"),
        pytest.param("data: {output: /tmp/elsewhere}", "data.output is '/tmp/elsewhere'", id="out"),
        pytest.param("data: {output: '~nobody9/x'}", "data.output is '~nobody9/x'", id="no home"),
        pytest.param("token: hunter2", "has an unknown name", id="keys of a file"),
    ],
)
def test_a_goal_with_unfit_settings_is_refused_and_the_node_goes_on(
    client, node, tmp_path, text, reason
):
    (tmp_path / "settings.yaml").write_text(text)
    fields = {"bags": ["."], "config": str(tmp_path / "settings.yaml"), "pattern": "alternating"}
    for _ in range(2):
        assert not client.send(**fields).accepted
    client.hear(reason)
    assert not any("token" in status.message for status in client.statuses)


def test_a_fault_of_the_program_ends_the_run_and_says_so(client, node, monkeypatch):
    def broken(*_, **__):
        raise KeyError("fault")

    monkeypatch.setattr("conegrad_training.action.training_node.run_goal", broken)
    status, _ = client.result(client.send(bags=["."]))
    assert status == GoalStatus.STATUS_ABORTED
    client.hear("failed: KeyError('fault')")
    assert client.statuses[-1].state == "failed"
    client.until(lambda: not node.is_training, "the end of the run")


def test_who_listens_late_sees_the_last_status_first(client, node):
    for number in range(5):
        node._tell(f"message {number}")
    client.hear("message 4")
    late = []
    every = QoSProfile(depth=100, durability=STATUS.durability)
    client.node.create_subscription(
        TrainingStatus, "training_status", lambda msg: late.append(msg.message), every
    )
    client.until(lambda: late, "a status for who is late")
    assert late[0] == "message 4"


def test_a_status_that_another_follows_at_once_is_heard(client, node):
    client.hear("ready")
    for number in range(5):
        node._tell(f"message {number}")
    client.hear("message 4")
    heard = [status.message for status in client.statuses if "message" in status.message]
    assert heard == [f"message {number}" for number in range(5)]


def test_a_run_that_fails_says_why_and_the_next_may_come(client, node, settings, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, result = client.result(client.send(bags=[str(empty)], config=settings))
    assert (status, result.checkpoint) == (GoalStatus.STATUS_ABORTED, "")
    assert "empty" in result.message
    client.until(lambda: not node.is_training, "the end of the run")


def test_the_program_writes_a_checkpoint_when_told_to_end(
    client, settings, small_bag: SimulatedBag, tmp_path
):
    code = "from conegrad_training.action.training_node import main; main()"
    process = WarmProcess(
        [sys.executable, "-c", code, "--ros-args", "-p", f"output:={tmp_path / 'runs'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        goal = client.send(
            bags=[str(small_bag.path)], pattern="partial_lidar", steps=MANY, config=settings
        )
        client.until(lambda: client.feedback, "a step")
        asked = goal.get_result_async()
        process.send_signal(signal.SIGINT)
        answer = client.answer(asked, "the result")
        output, _ = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert torch.load(answer.result.checkpoint, weights_only=True)["step"] >= 1
