"""The programs as ros2 run and ros2 launch start them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from warm_python import WarmProcess

pytest.importorskip("rclpy")

from ament_index_python.packages import get_package_prefix
from conegrad_msgs.msg import ConeArray, ConeDetectionArray, ScanSegmentation
from node_questions import parameters_of, wait_until_active
from sensors import Sensors

pytestmark = pytest.mark.ros

NODES = ("camera_node", "lidar_node", "fusion_node")
CONFIG = Path(__file__).parents[2] / "config"
TYPES = {
    "detections": ConeDetectionArray,
    "segmentation": ScanSegmentation,
    "cones": ConeArray,
}


def start(executable, *arguments):
    path = Path(get_package_prefix("conegrad_nodes")) / "lib/conegrad_nodes" / executable
    command = [sys.executable, path, "--ros-args", *arguments]
    return WarmProcess(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture
def started():
    """Function that starts a program, which is killed at the end at the latest."""
    processes = []

    def remembered(*words):
        processes.append(start(*words))
        return processes[-1]

    yield remembered
    for process in processes:
        process.kill()


def test_a_node_ends_with_exit_code_0_on_sigterm(graph, reports):
    # Without weights the model stays unloaded; the process has to live and end all the same.
    program = Path(get_package_prefix("conegrad_nodes")) / "lib/conegrad_nodes/lidar_node"
    words = [program, "--ros-args", "-p", "segmenter.weights:=/nowhere"]
    with subprocess.Popen(  # as a shell starts it
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            graph.until(lambda: "lidar_node: node" in reports.latest, "diagnostics")
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_perception_holds_all_nodes_takes_parameters_by_node_and_ends_with_0_on_ctrl_c(
    graph, reports, started, tmp_path
):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(
        "/**/camera_node: {ros__parameters: {detector.weights: /nowhere/camera}}\n"
        "/**/lidar_node: {ros__parameters: {segmenter: {weights: /nowhere/lidar}}}\n"
    )
    process = started("perception", "--params-file", str(parameters))
    for name, path in (("camera_node", "/nowhere/camera"), ("lidar_node", "/nowhere/lidar")):
        graph.until(lambda n=name, p=path: p in reports.text(f"{n}: node"), f"error of {name}")
    graph.until(lambda: reports.text("fusion_node: node") == "active", "an active fusion_node")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_a_parameter_out_of_bounds_ends_the_program_and_is_named(domain, started):
    process = started("fusion_node", "-p", "min_existence:=2.0")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "min_existence" in output.splitlines()[-1]
    assert "Traceback" not in output


@pytest.fixture
def settings(camera_parameters, lidar_parameters, tmp_path):
    """Words that give each node its parameters, as the launch files do."""
    values = {"calibration__vehicle": "formula_student", "calibration__extrinsics": "vehicle"}
    values |= {"min_existence": 0.01, **camera_parameters, **lidar_parameters}
    own = tmp_path / "parameters.yaml"
    named = {name.replace("__", "."): value for name, value in values.items()}
    own.write_text(yaml.safe_dump({"/**": {"ros__parameters": named}}))
    files = [*(CONFIG / f"{node}.yaml" for node in NODES), own]
    return [word for path in files for word in ("--params-file", str(path))]


@pytest.mark.parametrize(
    ("executables", "namespace"), [(["perception"], "/fleet/car1"), (NODES, "/car1")],
    ids=["composed", "apart"],
)  # fmt: skip
def test_nodes_in_a_namespace_on_simulated_time_give_cones_and_end_on_ctrl_c(
    graph, settings, started, executables, namespace
):
    words = ["-r", f"__ns:={namespace}", "-p", "use_sim_time:=true", *settings]
    processes = [started(executable, *words) for executable in executables]
    for node in NODES:
        wait_until_active(graph, f"{namespace}/{node}")
    names = ("use_sim_time", "input_timeout")
    # The second one from config/fusion_node.yaml.
    assert parameters_of(graph, f"{namespace}/fusion_node", *names) == [True, 0.5]

    heard = {topic: graph.hear(TYPES[topic], f"{namespace}/{topic}") for topic in TYPES}
    sensors = Sensors(graph, namespace, is_simulated=True)
    graph.until(lambda: all(heard.values()), "an answer of every node", again=sensors.publish)
    # Cones of an image that came before any scan are in the frame of the base.
    frames = {msg.header.frame_id for msg in heard["cones"]}
    assert frames <= {"lidar", "base_link"}
    graph.until(
        lambda: heard["cones"][-1].header.frame_id == "lidar", "cones of a scan", sensors.publish
    )

    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert "Traceback" not in output
