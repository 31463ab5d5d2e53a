"""Simulator and driver as programs, as people start them."""

import signal
import subprocess
import sys
import time

import pytest
from warm_python import WarmProcess

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

pytestmark = [pytest.mark.ros, pytest.mark.slow]
DEADLINE = 120.0  # [s], the machine may be busy


def start(module, *parameters):
    arguments = [word for parameter in parameters for word in ("-p", parameter)]
    command = [sys.executable, "-m", f"conegrad_simulation.{module}", "--ros-args", *arguments]
    return WarmProcess(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize(
    ("module", "parameters", "topic", "msgtype"),
    [
        pytest.param(
            "closed_loop.simulator_node",
            ("track:=acceleration", "vehicle:=roboracer", "lockstep:=false"),
            "/clock",
            Clock,
            id="simulator in real time",
        ),
        pytest.param(
            "driver.driver_node", ("pursuit.speed:=3.0",), "/diagnostics", DiagnosticArray,
            id="driver",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_a_signal_and_ends_with_exit_code_0(
    context, module, parameters, topic, msgtype, number
):
    listener, received = Node("listener", context=context), []
    listener.create_subscription(msgtype, topic, received.append, 10)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(listener)
    process = start(module, *parameters)
    try:
        deadline = time.monotonic() + DEADLINE
        while len(received) < 2:
            assert process.poll() is None, process.said()
            assert time.monotonic() < deadline, f"nothing on {topic} within {DEADLINE} s"
            executor.spin_once(0.1)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        executor.shutdown()
        listener.destroy_node()
    assert process.returncode == 0, output
    assert "Traceback" not in output
