"""The programs as people start them."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("rclpy")


pytestmark = pytest.mark.ros

PROGRAMS = [("perception", signal.SIGINT), ("lidar_node", signal.SIGTERM)]


def start(module, *arguments):
    code = f"from conegrad_nodes.{module} import main; main()"
    command = [sys.executable, "-c", code, "--ros-args", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )


@pytest.mark.parametrize(("module", "number"), PROGRAMS)
def test_ends_with_exit_code_0_when_told_to(graph, reports, module, number):
    # Without weights the models stay unloaded; the process has to live and end all the same.
    process = start(module, "-p", "detector.weights:=/nowhere", "-p", "segmenter.weights:=/nowhere")
    try:
        first = "camera_node" if module == "perception" else module
        graph.until(lambda: f"{first}: node" in reports.latest, f"diagnostics of {first}")
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_perception_holds_all_three_nodes_and_takes_parameters_by_node(graph, reports, tmp_path):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(
        "/**/camera_node: {ros__parameters: {detector.weights: /nowhere/camera}}\n"
        "/**/lidar_node: {ros__parameters: {segmenter: {weights: /nowhere/lidar}}}\n"
    )
    process = start("perception", "--params-file", str(parameters))
    try:
        for name, path in (("camera_node", "/nowhere/camera"), ("lidar_node", "/nowhere/lidar")):
            graph.until(lambda n=name, p=path: p in reports.text(f"{n}: node"), f"error of {name}")
        graph.until(lambda: reports.text("fusion_node: node") == "active", "an active fusion_node")
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output


def test_a_parameter_out_of_bounds_ends_the_program_and_is_named(domain):
    process = start("fusion_node", "-p", "min_existence:=2.0")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "min_existence" in output.splitlines()[-1]
