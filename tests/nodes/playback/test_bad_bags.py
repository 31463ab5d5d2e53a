"""Bags and settings that cannot be used: named before anything is started or overwritten."""

import re

import pytest
import yaml

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.playback import perceive
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.result_tracker import ResultCounts

pytestmark = pytest.mark.ros

FRAMES_OF_THE_DRIVE = """
frames:
  - {parent: base_link, child: lidar, translation: [1.5, 0, 0.2], quaternion: [0, 0, 0, 1]}
  - parent: lidar
    child: camera_optical
    translation: [-0.9, 0, 0.9]
    quaternion: [-0.5, 0.5, -0.5, 0.5]
camera: {width: 320, height: 192, intrinsics: [160, 160, 160, 96],
         distortion_model: none, distortion: []}
"""


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


def test_a_parameter_of_no_node_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"detector\.engin is unknown, did you mean detector\.eng"):
        PerceiveOptions(parameters={"detector.engin": "onnx"})
    file = tmp_path / "parameters.yaml"
    file.write_text("/**/fusion_node: {ros__parameters: {min_exist: 0.4}}\n")
    with pytest.raises(ValueError, match="did you mean min_existence"):
        PerceiveOptions(parameter_files=[file])


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("detector.threads", "abc", "is 'abc', expected a whole number"),
        ("detector.threads", True, "is True, expected a whole number"),
        ("segmenter.max_range", 20, "is 20, expected a number with a point: write 20.0"),
        ("segmenter.max_range", 0.0, "is 0.0, expected at least 0.1"),
        ("detector.weights", None, "is empty, expected text in quotes"),
        ("detector.engine", "caffe", "is 'caffe', expected one of auto, torch"),
        ("reliability", 1, "is 1, expected text in quotes"),
    ],
)
def test_a_value_that_a_node_would_refuse_is_refused_before(name, value, fault, tmp_path):
    with pytest.raises(ValueError, match=f"^parameter {name} {fault}"):
        PerceiveOptions(parameters={name: value})
    file = tmp_path / "parameters.yaml"
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": {name: value}}}))
    with pytest.raises(ValueError, match=f"^parameter {name} {fault}"):
        PerceiveOptions(parameter_files=[file])


def test_what_the_run_itself_adds_is_not_asked_for(tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(
        "/camera_driver: {ros__parameters: {depth: deep}}\n"
        "/fusion_node: {ros__parameters: {fuser.weight_floor: 1e-3}}\n"
    )
    chosen = {"calibration.intrinsics": "vehicle"}
    PerceiveOptions(parameters=chosen, parameter_files=[file], vehicle="roboracer")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("/**: {ros__parameters: {a: 1}", "invalid YAML in line 1, column 30: expected ',' or '}'"),
        ("", "holds None, expected /NODE: {ros__parameters"),
        ("detector.threads: 1", "detector.threads is 1, expected ros__parameters below a node"),
        ("/**: {params: {a: 1}}", "/**/params is {'a': 1}, expected ros__parameters below"),
        ("/**: {ros__parameters: }", "/**: ros__parameters is None, expected names with values"),
        ("/camera_nod: {ros__parameters: {a: 1}}", "is for /camera_nod, expected some of camera_"),
        (
            "/a: {camera_node: {ros__parameters: {}}}\n/b: {camera_node: {ros__parameters: {}}}",
            "is for /a/camera_node and /b/camera_node, expected one camera_node",
        ),
    ],
)
def test_what_is_no_parameter_file_is_explained_in_one_line(text, fault, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(fault)) as refused:
        PerceiveOptions(parameter_files=[file])
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)


def test_a_parameter_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.yaml: no such parameter file"):
        PerceiveOptions(parameter_files=[tmp_path / "missing.yaml"])


@pytest.mark.usefixtures("no_graph")
@pytest.mark.parametrize("play", [perceive_bag, perceive_directly])
def test_a_bag_without_transforms_is_refused_with_the_ways_out(record_drive, tmp_path, play):
    bag = record_drive("bare", has_frames=False)
    with pytest.raises(BagError, match=r"bare has no tf_static.* give --vehicle .*extrinsics=file"):
        play(bag, tmp_path / "out", PerceiveOptions())
    assert not (tmp_path / "out").exists()


@pytest.fixture
def without(drive, tmp_path):
    """Function that writes the drive without some topics, others renamed."""

    def write(*dropped, **renamed):
        path = tmp_path / "part"
        with BagReader(drive) as source, BagWriter(path) as copy:
            for raw in source.raw_messages([n for n in source.topics if n not in dropped]):
                topic = renamed.get(raw.topic.strip("/"), raw.topic)
                copy.write(topic, raw.msgtype, raw.receive_ns, raw.data)
        return path

    return write


@pytest.mark.parametrize(
    ("dropped", "parameters", "message"),
    [
        (["/camera_info"], {}, "has no camera_info that can be used; .*intrinsics=file"),
        ([], {"calibration.base_frame": "car"}, "no extrinsics from 'lidar' to 'car'"),
    ],
)
@pytest.mark.usefixtures("no_graph")
def test_a_bag_that_lacks_another_part_of_the_calibration_is_refused(
    without, tmp_path, dropped, parameters, message
):
    with pytest.raises(BagError, match=message):
        perceive_bag(without(*dropped), tmp_path / "out", PerceiveOptions(parameters=parameters))


@pytest.mark.parametrize(
    ("dropped", "renamed", "options"),
    [
        pytest.param([], {}, {}, id="all of it in the bag"),
        pytest.param(["/tf_static"], {}, {"vehicle": "formula_student"}, id="a vehicle"),
        pytest.param(
            ["/tf_static", "/camera_info", "/image_raw"],
            {},
            {"vehicle": "formula_student"},
            id="a LiDAR alone",
        ),
        pytest.param(["/scan"], {}, {}, id="a camera alone"),
        pytest.param(["/tf_static"], {}, {"parameters": "file"}, id="a calibration file"),
        pytest.param(["/tf_static"], {}, {"parameter_files": "file"}, id="a parameter file"),
        pytest.param(
            [], {"tf_static": "/mounting"}, {"topics": {"tf_static": "/mounting"}}, id="a role"
        ),
        pytest.param(["/tf_static"], {}, {"domain": 7}, id="others in a shared domain"),
    ],
)
def test_calibration_that_comes_from_elsewhere_is_no_fault(
    without, frames_file, tmp_path, dropped, renamed, options
):
    if options.get("parameters"):
        chosen = {"calibration.extrinsics": "file", "calibration.file": frames_file}
        options = {"parameters": chosen}
    if options.get("parameter_files"):
        settings = tmp_path / "settings.yaml"
        settings.write_text(
            "/**/fusion_node: {ros__parameters: {calibration: {extrinsics: file, file: "
            f"{frames_file}}}}}}}\n"
        )
        options = {"parameter_files": [settings]}
    chosen = PerceiveOptions(**options)
    with BagReader(without(*dropped, **renamed)) as bag:
        roles = perceive.input_roles(bag, chosen.topics)
        perceive.graph_parameters(bag, roles, chosen, tmp_path)


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
    assert result.images == result.fusions == ResultCounts(sent=6, received=6, lost=0)
    assert any("cut" in warning for warning in result.warnings), result.warnings
    with BagReader(tmp_path / "out") as made:
        assert made.warnings == []
        assert made.topics["/cones"].count == 6


def test_the_live_graph_perceives_the_rest_of_a_bag_with_a_topic_of_unknown_type(
    odd_drive, parameters, domain, tmp_path
):
    options = PerceiveOptions(parameters=parameters, domain=domain)
    result = perceive_bag(odd_drive, tmp_path / "out", options)
    assert result.images == result.fusions == ResultCounts(sent=6, received=6, lost=0)
    assert any("/odd" in warning and "acme_msgs" in warning for warning in result.warnings)
    with BagReader(tmp_path / "out") as made:
        assert "/odd" not in made.topics
        assert made.topics["/cones"].count == 6


@pytest.mark.usefixtures("no_graph")
@pytest.mark.parametrize("play", [perceive_bag, perceive_directly])
def test_images_of_another_size_than_the_intrinsics_are_refused(drive, parameters, tmp_path, play):
    preset = tmp_path / "car.yaml"
    preset.write_text(FRAMES_OF_THE_DRIVE)
    chosen = {
        "calibration.intrinsics": "file",
        "calibration.extrinsics": "file",
        "calibration.file": str(preset),
    }
    options = PerceiveOptions(parameters=parameters | chosen)
    with pytest.raises(BagError, match=r"are 160x96 px, but the intrinsics are for 320x192"):
        play(drive, tmp_path / "out", options)
