"""A process that joins a graph stays on this machine unless its environment says otherwise."""

import pytest

from conegrad_nodes.middleware.domain import RANGE, keep_here


def test_a_process_stays_here_where_nothing_is_said():
    environment = {"ROS_DOMAIN_ID": "7"}
    assert keep_here(environment)
    assert environment[RANGE] == "LOCALHOST"


@pytest.mark.parametrize(
    "said",
    [
        {RANGE: "SUBNET"},
        {"ROS_STATIC_PEERS": "10.0.0.2"},
        {"ROS_DISCOVERY_SERVER": "10.0.0.2:11811"},
    ],
)
def test_what_the_environment_says_stays(said):
    environment = dict(said)
    assert not keep_here(environment)
    assert environment == said
