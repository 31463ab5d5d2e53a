"""Pipeline files: what is read, and every fault with its line."""

import pytest

from conegrad_core.pipeline.build import build_pipeline, load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification, read_specification

GOOD = """\
inputs: {image: Number}
stages:
  first:
    module: network
    inputs: {x: image}
    outputs: {y: half}
    settings: {gain: 3}
  second:
    module: fixed
    inputs: {x: half}
    outputs: {y: whole}
outputs: {cones: whole}
"""


def message(text: str) -> str:
    with pytest.raises(PipelineError) as caught:
        build_pipeline(read_specification(text, "toy.yaml"))
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_reads_stages_connections_settings_and_lines():
    specification = read_specification(GOOD, "toy.yaml")
    assert specification.inputs == {"image": "Number"}
    assert list(specification.stages) == ["first", "second"]
    first = specification.stages["first"]
    assert (first.module, first.inputs, first.outputs) == ("network", {"x": "image"}, {"y": "half"})
    assert first.settings == {"gain": 3}
    assert specification.outputs == {"cones": "whole"}
    assert specification.lines["stages", "second"] == 8
    assert specification.lines["stages", "second", "inputs", "x"] == 10
    assert build_pipeline(specification).stage("first").config.gain == 3.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "toy.yaml:1: the file is empty, expected inputs, stages, outputs",
                     id="empty"),
        pytest.param("inputs: {a: [", "toy.yaml:1: this is not YAML: ", id="not YAML"),
        pytest.param("- a\n", "toy.yaml:1: the file is a list, expected a mapping of inputs, "
                     "stages, outputs", id="a list"),
        pytest.param(changed("outputs: {cones: whole}\n", ""), "toy.yaml:1: outputs is missing",
                     id="no outputs"),
        pytest.param(changed("outputs: {cones: whole}", "outputs: {}"),
                     "toy.yaml:12: outputs is empty, expected one result at least",
                     id="empty outputs"),
        pytest.param("inputs: {a: Number}\nstages: {}\noutputs: {b: a}\n",
                     "toy.yaml:2: stages is empty, expected one stage at least", id="no stages"),
        pytest.param(changed("    settings:", "    settting:"),
                     "toy.yaml:7: stage first: unknown key settting, expected one of module, "
                     "inputs, outputs, settings", id="unknown key of a stage"),
        pytest.param(GOOD + "version: 2\n", "toy.yaml:13: unknown key version, expected one of "
                     "inputs, stages, outputs", id="unknown key"),
        pytest.param(GOOD + "inputs: {}\n", "toy.yaml:13: inputs is given twice",
                     id="duplicate key"),
        pytest.param(changed("  second:", "  first:"), "toy.yaml:8: first is given twice",
                     id="duplicate stage"),
        pytest.param(changed("  second:", "  update:"),
                     "toy.yaml:9: stage update: this name is reserved", id="reserved name"),
        pytest.param(changed("  second:", "  Second Stage:"),
                     "toy.yaml:8: 'Second Stage' is not a name, expected a lower-case word",
                     id="name"),
        pytest.param(changed("    module: fixed\n", ""),
                     "toy.yaml:8: stage second: module is missing", id="no module"),
        pytest.param(changed("module: fixed", "module: 7"),
                     "toy.yaml:9: stage second: module is '7', expected a name", id="module"),
        pytest.param(changed("{x: half}", "[half]"),
                     "toy.yaml:10: stage second: inputs is a list, expected a mapping",
                     id="list of inputs"),
        pytest.param(changed("{x: half}", "{x: {half: 1}}"),
                     "toy.yaml:10: stage second: inputs.x is a mapping, expected its own name: "
                     "the name of a port", id="nested input"),
        pytest.param(changed("module: fixed", "module: fixd"),
                     "toy.yaml:9: stage second: no stage 'fixd' is registered, expected one of "
                     "broken, colour_cnn, cone_crops, cone_fusion, fixed, ", id="unknown module"),
        pytest.param(changed("{x: half}", "{z: half}"),
                     "toy.yaml:10: stage second, port half: fixed has no input z, expected one "
                     "of x", id="unknown input"),
        pytest.param(changed("{y: whole}", "{z: whole}"),
                     "toy.yaml:11: stage second, port whole: fixed has no output z, expected one "
                     "of y", id="unknown output"),
        pytest.param(changed("{x: half}", "{}"),
                     "toy.yaml:10: stage second: the input x of fixed is missing",
                     id="missing input"),
        pytest.param(changed("{x: half}", "{x: helf}"),
                     "toy.yaml:10: stage second, port helf: no stage writes it and it is not an "
                     "input of the pipeline, expected one of half, image, whole",
                     id="port without writer"),
        pytest.param(changed("{y: whole}", "{y: half}"),
                     "toy.yaml:11: stage second, port half: written by stage first as well, "
                     "expected one writer", id="two writers"),
        pytest.param(changed("{y: whole}", "{y: image}"),
                     "toy.yaml:11: stage second, port image: written by the inputs of the pipeline "
                     "as well", id="writes an input"),
        pytest.param(changed("{image: Number}", "{image: Image}"),
                     "toy.yaml:5: stage first, port image: the inputs of the pipeline gives "
                     "Image, its input x expects Number", id="wrong kind"),
        pytest.param(changed("{image: Number}", "{image: Numbr}"),
                     "toy.yaml:1: port image: no port type 'Numbr' is registered, expected one of "
                     "ConeColours, ", id="unknown kind"),
        pytest.param(changed("{cones: whole}", "{cones: hole}"),
                     "toy.yaml:12: output cones, port hole: no stage writes it, expected one of "
                     "half, image, whole", id="output that nobody makes"),
        pytest.param(changed("{x: image}", "{x: whole}"),
                     "toy.yaml:5: stage first, port whole: the stages first -> second -> first "
                     "are a cycle", id="cycle"),
        pytest.param(changed("gain: 3", "gan: 3"),
                     "toy.yaml:7: stage first: setting gan is unknown, did you mean gain?",
                     id="unknown setting"),
        pytest.param(changed("gain: 3", "gain: three"),
                     "toy.yaml:7: stage first: setting gain is 'three', expected "
                     "a finite number", id="setting of another type"),
        pytest.param(changed("gain: 3", "gain: -3"),
                     "toy.yaml:7: stage first: setting gain is -3.0, expected at least 0.0",
                     id="setting out of bounds"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_file_line_stage_and_port(text: str, expected: str):
    assert message(text).startswith(expected)


def test_the_car_is_found_by_its_name():
    specification = load_specification("camera_lidar")
    assert list(specification.stages) == ["detector", "segmenter", "fuser"]
    with pytest.raises(
        FileNotFoundError, match=r"no pipeline preset 'camera_lidr': .*'camera_lidar'"
    ):
        load_specification("camera_lidr")


def test_a_pipeline_is_read_from_a_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert load_pipeline(path).order == ("first", "second")


def test_settings_that_are_given_replace_those_of_the_file():
    specification = read_specification(GOOD, "toy.yaml")
    pipeline = build_pipeline(specification, {"first": {"gain": 5.0}})
    assert pipeline.stage("first").config.gain == 5.0
    with pytest.raises(PipelineError, match="settings are given for the stage 'third'"):
        build_pipeline(specification, {"third": {}})
