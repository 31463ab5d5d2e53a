"""Bags and settings that cannot be used: named before anything is started or overwritten."""

import pytest

from conegrad_nodes.bags import messages
from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.types import BagError
from conegrad_nodes.bags.writer import BagWriter
from conegrad_nodes.playback import perceive
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_nodes.playback.ledger import Counts
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag

pytestmark = pytest.mark.ros


@pytest.fixture
def no_graph(monkeypatch):
    """Fail when the nodes are started."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("the nodes were started")

    monkeypatch.setattr(perceive, "GraphProcess", refuse)


@pytest.mark.usefixtures("no_graph")
def test_a_bag_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such bag"):
        perceive_bag(tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_graph")
def test_an_output_that_exists_is_not_overwritten(drive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(BagError, match="exists already, not overwriting"):
        perceive_bag(drive, tmp_path / "out")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("no_graph")
def test_a_parameter_of_no_node_is_refused_with_the_nearest(drive, tmp_path):
    options = PerceiveOptions(parameters={"detector.engin": "onnx"})
    with pytest.raises(ValueError, match=r"detector\.engin is unknown, did you mean detector\.eng"):
        perceive_bag(drive, tmp_path / "out", options)
    file = tmp_path / "parameters.yaml"
    file.write_text("/**/fusion_node: {ros__parameters: {min_exist: 0.4}}\n")
    with pytest.raises(ValueError, match="did you mean min_existence"):
        perceive_bag(drive, tmp_path / "out", PerceiveOptions(parameter_files=[file]))
    assert not (tmp_path / "out").exists()


@pytest.fixture
def cut_drive(drive, tmp_path):
    """The drive without the end of its file, where the index is."""
    path = tmp_path / "cut.mcap"
    path.write_bytes(next(drive.glob("*.mcap")).read_bytes()[:-40])
    return path


@pytest.fixture
def odd_drive(drive, tmp_path):
    """The drive with a topic of a type that nobody knows."""
    path = tmp_path / "odd"
    with BagReader(drive) as source, BagWriter(path) as copy:
        for raw in source.raw_messages():
            copy.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
        number = messages.make("std_msgs/msg/Float64", data=1.0)
        copy.write("/odd", "std_msgs/msg/Float64", source.end_ns, number)
    file = next(path.glob("*.mcap"))
    # As many bytes: nothing else in the file moves.
    data = file.read_bytes().replace(b"std_msgs/msg/Float64", b"acme_msgs/msg/Gadget")
    data = data.replace(b"float64 data", b"Gizmo[2] all")
    (path / "metadata.yaml").unlink()
    file.write_bytes(data)
    return path


def test_what_is_readable_of_a_cut_bag_is_perceived(cut_drive, parameters, tmp_path):
    options = PerceiveOptions(parameters=parameters)
    assert perceive_directly(cut_drive, tmp_path / "out", options) == 6


def test_a_topic_of_unknown_type_is_left_out_and_the_rest_is_perceived(
    odd_drive, parameters, tmp_path, caplog
):
    options = PerceiveOptions(parameters=parameters)
    assert perceive_directly(odd_drive, tmp_path / "out", options) == 6
    assert "/odd" in caplog.text


def test_the_live_graph_perceives_what_is_readable_of_a_cut_bag_and_says_what_is_lost(
    cut_drive, parameters, domain, tmp_path
):
    options = PerceiveOptions(parameters=parameters, domain=domain)
    result = perceive_bag(cut_drive, tmp_path / "out", options)
    assert result.images == result.fusions == Counts(sent=6, answered=6, lost=0)
    assert any("cut" in warning for warning in result.warnings), result.warnings
    with BagReader(tmp_path / "out") as made:
        assert made.warnings == []
        assert made.topics["/cones"].count == 6


def test_the_live_graph_perceives_the_rest_of_a_bag_with_a_topic_of_unknown_type(
    odd_drive, parameters, domain, tmp_path
):
    options = PerceiveOptions(parameters=parameters, domain=domain)
    result = perceive_bag(odd_drive, tmp_path / "out", options)
    assert result.images == result.fusions == Counts(sent=6, answered=6, lost=0)
    assert any("/odd" in warning and "acme_msgs" in warning for warning in result.warnings)
    with BagReader(tmp_path / "out") as made:
        assert "/odd" not in made.topics
        assert made.topics["/cones"].count == 6
