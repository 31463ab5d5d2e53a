"""Running processes under odd messages, over DDS; benchmarks/fuzz_nodes.py sends thousands."""

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from fuzz_graph import FuzzedGraph, driver, perception
from sane_outputs import OutputCheck

pytestmark = [pytest.mark.ros, pytest.mark.slow]
COUNT = 30  # messages per input


@pytest.mark.parametrize("name", ["perception", "driver"])
def test_no_odd_message_ends_or_silences_a_process(tmp_path, name):
    target = driver() if name == "driver" else perception(tmp_path, "image_raw", "scan")
    check = OutputCheck()
    with FuzzedGraph(target, check) as graph:
        for topic in (*target.makers, *target.extra):
            report = graph.fuzz(topic, COUNT, seed=5)
            assert report.received > 0, topic
            assert report.memory[1] - report.memory[0] < 300, topic
    assert not check.faults
