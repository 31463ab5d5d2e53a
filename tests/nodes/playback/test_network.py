"""Nothing of a playback reaches the network: counted on the link to another network namespace."""

import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

pytestmark = [pytest.mark.ros, pytest.mark.timeout(300)]

PROFILE = Path(__file__).parents[3] / "config" / "fastdds_large_messages.xml"
HERE, THERE = "10.213.7.1", "10.213.7.2"
# Frames of IPv4 that arrive in the other namespace, until the input ends.
LISTENER = """
import select, socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(0x0800))
print("listening", flush=True)
count = 0
while True:
    readable, _, _ = select.select([link, sys.stdin], [], [])
    if link in readable:
        link.recv(65536)
        count += 1
    elif sys.stdin in readable:
        break
print(count)
"""
PLAYBACK = """
import tempfile
from pathlib import Path
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import GraphLink
from conegrad_nodes.playback.this_machine import on_this_machine

nowhere = {"detector.weights": "/nowhere", "segmenter.weights": "/nowhere"}
with tempfile.TemporaryDirectory() as folder, on_this_machine(Path(folder)):
    with own_domain() as domain, GraphProcess(domain, nowhere) as process:
        with GraphLink(domain, {"/scan": "sensor_msgs/msg/LaserScan"}, {}, print) as link:
            link.set_time(1)
            assert link.wait(lambda: link.problems, 120.0, process.check), "they did not meet"
"""
SEND_ONE = f"""
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("{THERE}", 7400))
"""


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


@pytest.fixture
def namespaces():
    """Names of two network namespaces that a link connects."""
    if not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("network namespaces need root and the program ip (iproute2)")
    key = uuid.uuid4().hex[:6]
    names = [f"conegrad-{key}-{side}" for side in "ab"]
    links = [f"cg{key}{side}" for side in "ab"]
    made = []
    try:
        try:
            for name in names:
                ip("netns", "add", name)
                made.append(name)
            ip("link", "add", links[0], "netns", names[0], "type", "veth",
               "peer", "name", links[1], "netns", names[1])  # fmt: skip
            for name, link, address in zip(names, links, (HERE, THERE), strict=True):
                ip("-n", name, "address", "add", f"{address}/24", "dev", link)
                ip("-n", name, "link", "set", "lo", "up")
                ip("-n", name, "link", "set", link, "up")
                ip("netns", "exec", name, "true")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        yield names
    finally:
        for name in made:
            ip("netns", "delete", name)


class Listener:
    """Counts what arrives in a namespace."""

    def __init__(self, namespace):
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, "-c", LISTENER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout.readline() == "listening\n"

    def count(self):
        output, _ = self._process.communicate("\n", timeout=60)
        return int(output)


def run_in(namespace, program, **variables):
    result = subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", program],
        env=os.environ | variables, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_one_datagram_is_counted(namespaces):
    here, there = namespaces
    listener = Listener(there)
    run_in(here, SEND_ONE)
    assert listener.count() == 1


def test_no_packet_of_parent_or_child_leaves_in_a_shell_that_is_set_up_for_the_network(
    namespaces, domain
):
    here, there = namespaces
    listener = Listener(there)
    run_in(
        here, PLAYBACK,
        FASTRTPS_DEFAULT_PROFILES_FILE=str(PROFILE),  # as the README says
        ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET",
        ROS_STATIC_PEERS=THERE,
    )  # fmt: skip
    assert listener.count() == 0
