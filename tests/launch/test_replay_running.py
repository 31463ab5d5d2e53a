"""replay.launch.py as people run it, on a short simulated drive; needs `ros2 bag play`."""

import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("launch_support")
if not shutil.which("ros2") or subprocess.run(["ros2", "bag", "play", "--help"], check=False,
                                              capture_output=True).returncode:  # fmt: skip
    pytest.skip("ros2 bag play is not installed (ros-jazzy-ros2bag)", allow_module_level=True)

import launch_pytest
from conegrad_msgs.msg import ConeArray, ConeDetectionArray, ScanSegmentation
from node_questions import parameters_of
from rosgraph_msgs.msg import Clock

from conegrad_nodes.node_base.static_transforms import TF_STATIC

pytestmark = [pytest.mark.ros, pytest.mark.slow]

needs_tf = pytest.mark.skipif(TF_STATIC is None, reason="tf2_msgs is not installed")
CASES = [
    pytest.param({"vehicle": "formula_student"}, id="composed, calibration of the vehicle"),
    pytest.param({"composed": "false"}, id="apart, calibration of the bag", marks=needs_tf),
]


@pytest.fixture
def arguments(request, small_drive, params_file):
    # Slower than real time: a busy machine must not lose messages.
    return {
        "bag": str(small_drive), "params_file": params_file, "image_transport": "compressed",
        "rate": "0.5", "delay": "20.0", **request.param,
    }  # fmt: skip


@launch_pytest.fixture
def replay(domain, arguments, processes):
    return processes.watched("replay", arguments)


def seconds(stamp):
    return stamp.sec + stamp.nanosec / 1e9


def rate_of(messages):
    """Messages per second of their stamps."""
    return 1.0 / np.median(np.diff([seconds(msg.header.stamp) for msg in messages]))


@pytest.mark.launch(fixture=replay)
@pytest.mark.parametrize("arguments", CASES, indirect=True)
def test_a_drive_is_perceived_at_the_rates_of_its_sensors_and_the_launch_ends_with_it(
    graph, processes
):
    clocks = graph.hear(Clock, "/clock")
    detections = graph.hear(ConeDetectionArray, "/detections")
    segmentations = graph.hear(ScanSegmentation, "/segmentation")
    cones = graph.hear(ConeArray, "/cones")
    assert parameters_of(graph, "/fusion_node", "use_sim_time") == [True]
    graph.until(
        lambda: processes.pids and set(processes.exit_codes) == set(processes.pids),
        "the end of the launch",
    )
    assert rate_of(detections) == pytest.approx(10.0, rel=0.1)
    assert rate_of(segmentations) == pytest.approx(20.0, rel=0.1)
    assert rate_of(cones) == pytest.approx(10.0, rel=0.1)
    # 29 or 30 images in 3 s; what a busy machine overtakes stays the exception.
    assert len(cones) > 20
    assert all(msg.header.frame_id == "lidar" for msg in cones)
    assert seconds(clocks[-1].clock) - seconds(clocks[0].clock) == pytest.approx(3.0, abs=0.5)
    yield
    processes.assert_ended_well()
