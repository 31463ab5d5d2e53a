"""The programs as people start them."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("rclpy")


pytestmark = pytest.mark.ros


def start(module, *arguments):
    code = f"from conegrad_nodes.{module} import main; main()"
    command = [sys.executable, "-c", code, "--ros-args", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )


def test_a_node_ends_with_exit_code_0_on_sigterm(graph, reports):
    # Without weights the model stays unloaded; the process has to live and end all the same.
    process = start("lidar_node", "-p", "segmenter.weights:=/nowhere")
    try:
        graph.until(lambda: "lidar_node: node" in reports.latest, "diagnostics")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_perception_holds_all_nodes_takes_parameters_by_node_and_ends_with_0_on_ctrl_c(
    graph, reports, tmp_path
):
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
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_a_parameter_out_of_bounds_ends_the_program_and_is_named(domain):
    process = start("fusion_node", "-p", "min_existence:=2.0")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "min_existence" in output.splitlines()[-1]
