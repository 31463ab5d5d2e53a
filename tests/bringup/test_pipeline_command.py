"""conegrad pipeline: what it prints, and with which exit code it ends."""

import json

import pytest

from conegrad_bringup.command_line import main
from conegrad_bringup.commands.pipeline import rounded
from conegrad_bringup.text_table import text_table

CAR = """\
# The car
# without its LiDAR.
inputs: {image: Image}
stages:
  detector:
    module: yolov5_detector
    inputs: {image: image}
    outputs: {detections: boxes}
    settings: {engine: torch}
  fuser:
    module: cone_fusion
    inputs: {detections: boxes}
    outputs: {cones: cones}
outputs: {cones: cones}
"""


def printed(capsys, *words, code=0):
    assert main(["pipeline", *map(str, words)]) == code
    return capsys.readouterr().out


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(CAR)
    return path


def test_the_car_is_shown_with_topics_and_what_it_learns(capsys):
    pytest.importorskip("conegrad_msgs")
    text = printed(capsys, "show", "camera_lidar")
    assert "integration pattern: joining parallel" in text
    rows = [line.split() for line in text.splitlines()]
    segmenter = ["segmenter", "scan_cnn", "conegrad_core", "lidar_node", "scan", "segmentation"]
    assert segmenter in rows
    network = ["network", "2", "520", "353", "yolov5n_cones.safetensors"]
    assert ["detector", *network, "colour,", "existence", "boxes"] in rows
    assert ["image", "Image", "input", "detector", "image_raw", "sensor_msgs/Image"] in rows
    assert ["existence", "detector,", "segmenter"] in rows
    assert ["covariance", "-"] in rows


def test_a_file_is_shown_with_its_comment_and_settings(capsys, file):
    lines = printed(capsys, "show", file).splitlines()
    assert lines[:2] == [str(file), "The car without its LiDAR."]
    assert "integration pattern: single" in lines
    assert "settings of detector: engine=torch" in lines
    assert any(line.endswith("  detections: boxes") for line in lines)


def test_a_pipeline_that_no_nodes_can_run_says_why(capsys, file):
    file.write_text(CAR.replace("image: Image", "eye: Image").replace("image: image", "image: eye"))
    text = printed(capsys, "show", file)
    assert f"no nodes can run it: {file}:3: the input eye: Image has no topic" in text
    assert ["detector", "yolov5_detector", "conegrad_core", "-"] in [
        line.split()[:4] for line in text.splitlines()
    ]


def test_programs_get_the_same_as_json(capsys, file):
    found = json.loads(printed(capsys, "show", file, "--json"))
    assert found["pattern"] == "single"
    detector, fuser = found["stages"]
    assert (detector["learns"], fuser["learns"]) == ("network", "with the networks")
    assert detector["labels"] == ["boxes"]
    assert fuser["labels"] is None
    assert [port["writer"] for port in found["ports"]] == ["", "detector", "fuser"]
    assert found["ports"][1]["readers"] == ["fuser"]


def test_the_numbers_of_the_headers_are_those_of_the_networks_and_their_statistics(capsys, file):
    counts = {}
    for words in ((), ("--load",)):
        found = json.loads(printed(capsys, "show", file, "--json", *words))
        counts[words] = [stage["weights"] for stage in found["stages"]]
    (in_file, built_in), (loaded, joining) = counts.values()
    assert built_in == joining > 0
    assert loaded < in_file < 1.01 * loaded  # the running means of its normalisation are no weights


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_graph_is_drawn_beside_the_words(suffix, capsys, file, tmp_path):
    picture = tmp_path / f"graph{suffix}"
    assert main(["pipeline", "show", str(file), "-o", str(picture)]) == 0
    captured = capsys.readouterr()
    assert "integration pattern: single" in captured.out
    assert captured.err == f"{picture}: written\n"
    assert picture.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r")


def test_another_format_is_refused_before_anything_is_printed(capsys, file):
    assert main(["pipeline", "show", str(file), "-o", "graph.pdf"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "conegrad: graph.pdf ends with '.pdf', expected .svg or .png\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("number", "expected"),
    [(34, "34"), (999, "999"), (1000, "1.0 k"), (32_008, "32 k"), (2_520_353, "2.5 M")],
)
def test_numbers_of_weights_are_rounded_in_the_picture(number, expected):
    assert rounded(number) == expected


def test_a_kind_without_messages_says_so(capsys, file, monkeypatch):
    from conegrad_core.pipeline.errors import PipelineError
    from conegrad_nodes.port_messages import registry

    def refuse(kind):
        raise PipelineError(f"no messages for {kind}")

    monkeypatch.setattr(registry, "port_message", refuse)
    found = json.loads(printed(capsys, "show", file, "--json"))
    assert {port["topic"] for port in found["ports"]} == {""}
    assert found["ports"][0]["message"] == "none in the group conegrad.port_messages"


def test_a_file_without_faults_is_said_to_have_none(capsys, file):
    text = printed(capsys, "check", file, "camera_lidar")
    first, second = text.splitlines()
    assert first == f"{file}: 2 stages, single, no faults"
    assert second.endswith("camera_lidar.yaml: 3 stages, joining parallel, no faults")


@pytest.mark.parametrize("action", ["check", "show"])
def test_every_fault_is_printed_and_the_exit_code_is_1(action, capsys, file):
    text = CAR.replace("yolov5_detector", "yolov6_detector").replace("cones}\n", "conse}\n", 1)
    file.write_text(text.replace("{image: Image}", "{image: Imgae}"))
    lines = printed(capsys, action, file, code=1).splitlines()
    starts = (
        f"{file}:3: port image: no port type 'Imgae' is registered",
        f"{file}:6: stage detector: no stage 'yolov6_detector' is registered",
        f"{file}:14: output cones, port cones: no stage writes it, expected one of boxes, conse",
    )
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == list(starts)


def test_a_file_that_does_not_exist_is_named_with_one_that_does(capsys, file):
    missing = file.with_name("mien.yaml")
    assert main(["pipeline", "check", str(missing)]) == 1
    assert capsys.readouterr().err == f"conegrad: {missing} does not exist; did you mean {file}?\n"
    assert main(["pipeline", "show", "camera_lidr"]) == 1
    assert "; did you mean camera_lidar?" in capsys.readouterr().err


def test_those_that_ship_are_listed_with_pattern_and_purpose(capsys):
    lines = printed(capsys, "list").splitlines()
    (car,) = (line for line in lines if line.split()[0] == "camera_lidar")
    assert "joining parallel" in car
    assert car.endswith("The race car: a camera and a planar LiDAR, each with a network, and their "
                        "fusion.")  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show"], "show takes one pipeline, found 0"),
        (["show", "a", "b"], "show takes one pipeline, found 2"),
        (["check"], "check takes one pipeline or more, found none"),
        (["list", "a"], "list takes no pipeline, found a"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_pipelines_are_given_as_the_action_takes_them(words, expected, capsys):
    assert main(["pipeline", *words]) == 1
    assert expected in capsys.readouterr().err


def test_columns_of_a_table_are_as_wide_as_their_longest_cell():
    assert text_table([("a", "long", "x"), ("longer", "b", "")]) == [
        "a       long  x",
        "longer  b",
    ]


def test_weights_that_do_not_ship_are_said_to_be_missing(capsys, file, monkeypatch, tmp_path):
    from conegrad_bringup import pipeline_description
    from conegrad_core import weights

    for module in (pipeline_description, weights):
        monkeypatch.setattr(module, "WEIGHTS_FOLDER", tmp_path)
    detector, _ = json.loads(printed(capsys, "show", file, "--json"))["stages"]
    assert detector["weights"] is None
    assert detector["weights_from"] == "yolov5n_cones.safetensors is missing"
    file.write_text(CAR.replace("engine: torch", "weights: /none.safetensors"))
    detector, _ = json.loads(printed(capsys, "show", file, "--json"))["stages"]
    assert detector["weights_from"] == "/none.safetensors does not exist"


def test_a_pipeline_with_faults_does_not_hide_the_others_of_the_list(capsys, monkeypatch):
    from conegrad_core.pipeline import build
    from conegrad_core.pipeline.errors import PipelineError

    def refuse(specification):
        raise PipelineError("no stage")

    monkeypatch.setattr(build, "layout_of", refuse)
    lines = printed(capsys, "list").splitlines()
    assert all("has faults" in line for line in lines)
