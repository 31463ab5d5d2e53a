"""The command ``conegrad doctor``."""

import json

import pytest

pytest.importorskip("conegrad_msgs")

from conegrad_bringup.command_line import main
from conegrad_bringup.commands import doctor
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding

OK = Finding("weights", Level.OK, "as they shipped")
WARN = Finding("disk", Level.WARN, "1 GB free", "make room")
ERROR = Finding("cones", Level.ERROR, "no cones", "look above")


@pytest.fixture
def examined(monkeypatch):
    def plant(installation, graph=()):
        monkeypatch.setattr(doctor, "examine_installation", lambda pipeline: iter(installation))
        monkeypatch.setattr(doctor, "examine_running_graph", lambda seconds, **options: iter(graph))

    return plant


def test_each_finding_has_its_remedy_below_and_the_last_line_counts(examined, capsys):
    examined([OK, WARN])
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok       weights: as they shipped",
        "WARNING  disk: 1 GB free",
        "           -> make room",
        "0 errors, 1 warnings in 2 findings",
    ]


def test_an_error_of_the_graph_is_exit_code_1_and_the_graph_is_only_asked_where_wanted(
    examined, capsys
):
    examined([OK], [ERROR])
    assert main(["doctor"]) == 0
    assert main(["doctor", "--graph", "--json"]) == 1
    out = capsys.readouterr().out
    assert json.loads(out[out.index("[") :])[1] == {
        "area": "cones", "level": "ERROR", "text": "no cones", "remedy": "look above",
    }  # fmt: skip
