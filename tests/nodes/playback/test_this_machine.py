"""The graph of a playback stays on this machine, and says at once where it could not meet."""

import os

import pytest

pytest.importorskip("ament_index_python")

from conegrad_nodes.middleware.domain import RANGE, local_environment
from conegrad_nodes.middleware.transport import VARIABLES
from conegrad_nodes.playback.graph_process import GraphError
from conegrad_nodes.playback.this_machine import check_environment, on_this_machine

PEERS = """<dds><profiles><participant profile_name="car" is_default_profile="true"><rtps>
<builtin><initialPeersList><locator><udpv4><address>10.0.0.2</address></udpv4></locator>
</initialPeersList></builtin></rtps></participant></profiles></dds>"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in (*VARIABLES, RANGE, "RMW_IMPLEMENTATION", "ROS_LOCALHOST_ONLY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "name",
    [
        "ROS_STATIC_PEERS",
        "ROS_DISCOVERY_SERVER",
        "ROS_LOCALHOST_ONLY",
        "FASTDDS_BUILTIN_TRANSPORTS",
    ],
)
def test_what_leads_to_other_machines_is_not_in_the_environment_of_a_child(name):
    local = local_environment({name: "10.0.0.2", RANGE: "SUBNET", "HOME": "/root"})
    assert local == {RANGE: "LOCALHOST", "HOME": "/root"}


def test_this_process_is_kept_here_as_well_for_the_block_only(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_STATIC_PEERS", "10.0.0.2")
    monkeypatch.setenv(RANGE, "SUBNET")
    before = dict(os.environ)
    with on_this_machine(tmp_path):
        assert os.environ[RANGE] == "LOCALHOST"
        assert "ROS_STATIC_PEERS" not in os.environ
    assert dict(os.environ) == before


def test_a_profile_that_names_other_machines_is_not_used_and_that_is_said(
    tmp_path, monkeypatch, caplog
):
    path = tmp_path / "car.xml"
    path.write_text(PEERS)
    monkeypatch.setenv(VARIABLES[1], str(path))
    with on_this_machine(tmp_path):
        assert os.environ[VARIABLES[1]] == str(tmp_path / "fastdds.xml")
    assert os.environ[VARIABLES[1]] == str(path)
    assert f"{VARIABLES[1]}={path} names other machines" in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param(RANGE, "OFF", "keeps the processes .* LOCALHOST", id="no discovery"),
        pytest.param("RMW_IMPLEMENTATION", "rmw_none_cpp", "is not installed", id="missing"),
        pytest.param("RMW_IMPLEMENTATION", "rclpy", "rmw_fastrtps_cpp alone", id="installed"),
    ],
)
def test_an_environment_in_which_nodes_would_not_meet_is_refused_by_name(
    name, value, reason, monkeypatch
):
    monkeypatch.setenv(name, value)
    with pytest.raises(GraphError, match=f"^{name}={value}.*{reason}"):
        check_environment()


@pytest.mark.parametrize("value", ["LOCALHOST", "SUBNET", "SYSTEM_DEFAULT", ""])
def test_every_other_range_will_do(value, monkeypatch):
    monkeypatch.setenv(RANGE, value)
    check_environment()
