"""The whole chain, as the demo runs it: simulate, perceive through the live graph, evaluate."""

import json

import pytest

from conegrad_bringup.command_line import main
from conegrad_data.bags.reader import BagReader

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_the_demo_ends_with_a_report_of_good_cones(tmp_path, capfd, domain):
    output = tmp_path / "demo"
    assert main(["demo", "-o", str(output), "--seconds", "1.0", "--seed", "7"]) == 0

    text = capfd.readouterr().out
    assert "cones   14 of 14, 0 lost" in text
    assert f"report: {output / 'report' / 'report.html'}" in text
    assert (output / "report" / "report.html").stat().st_size > 10_000
    metrics = json.loads((output / "report" / "metrics.json").read_text())
    assert metrics["bag"]["frames"] == 14
    with BagReader(output / "cones") as bag:
        assert bag.topics["/cones"].count == 14
        cones = [len(msg.cones) for _, _, msg in bag.messages(["/cones"])]
    assert min(cones) >= 2
