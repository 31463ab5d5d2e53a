"""All faults of a pipeline file at once."""

from pathlib import Path

import pytest

from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.faults import find_faults
from conegrad_core.pipeline.file import load_specification

MANY = """\
inputs:
  image: Number
  scan: Numbr
stages:
  first:
    module: network
    inputs: {x: image}
    outputs: {y: half}
    settings: {gan: 3, gain: -1, name: 7}
  second:
    module: fixd
    inputs: {x: half}
    outputs: {y: whole}
  third:
    module: fixed
    input: {x: whole}
    inputs: {x: nothing}
    outputs: {y: half}
  fourth:
    module: pair
    inputs: {a: scan, b: sixth}
    outputs: {y: fifth, z: nowhere}
  fifth:
    module: fixed
    inputs: {x: fifth}
    outputs: {y: sixth}
outputs: {cones: hole}
"""


def faults_of(text: str, folder: Path) -> list[str]:
    path = folder / "toy.yaml"
    path.write_text(text)
    found = find_faults(path)
    if found:  # the way of loading gives one of them
        with pytest.raises(PipelineError):
            load_pipeline(path)
    return [str(fault).replace(f"{path}:", "") for fault in found]


def test_every_fault_is_named_in_the_order_of_the_lines(tmp_path):
    expected = [
        "3: port scan: no port type 'Numbr' is registered",
        "9: stage first: setting gan is unknown, did you mean gain?",
        "9: stage first: setting gain is -1.0, expected at least 0.0",
        "9: stage first: setting name is 7, expected text",
        "11: stage second: no stage 'fixd' is registered",
        "16: stage third: unknown key input, expected one of module, inputs",
        "17: stage third, port nothing: no stage writes it",
        "18: stage third, port half: written by stage first as well",
        "21: stage fourth, port sixth: the stages fourth -> fifth -> fourth are a cycle",
        "22: stage fourth, port nowhere: pair has no output z",
        "27: output cones, port hole: no stage writes it",
    ]
    found = faults_of(MANY, tmp_path)
    starts = [text[: len(start)] for text, start in zip(found, expected, strict=True)]
    assert starts == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1: the file is empty", id="empty"),
        pytest.param("inputs: {a: [", "1: this is not YAML", id="not YAML"),
        pytest.param("inputs: [a]\nstages:\n  one: {module: fixed, inputs: {x: a}, "
                     "outputs: {y: b}}\noutputs: {c: b}\n",
                     "1: inputs is a list", id="ports that cannot be read are missed by nobody"),
        pytest.param("inputs: {a: Number}\nstages:\n  one: {module: fixed, inputs: [a], "
                     "outputs: {y: b}}\noutputs: {c: b}\n",
                     "3: stage one: inputs is a list", id="inputs that cannot be read"),
        pytest.param("inputs: {a: Numbr}\nstages:\n  one: {module: fixed, inputs: {x: a}, "
                     "outputs: {y: b}}\noutputs: {c: b}\n",
                     "1: port a: no port type 'Numbr'", id="an unknown kind expects nothing"),
        pytest.param("inputs: {a: Number}\nstages:\n  one: {module: fixed, inputs: {x: a}, "
                     "outputs: [b]}\noutputs: {c: b}\n",
                     "3: stage one: outputs is a list", id="outputs that cannot be read"),
    ],
)  # fmt: skip
def test_what_follows_from_a_fault_is_left_out(text: str, expected: str, tmp_path):
    (found,) = faults_of(text, tmp_path)
    assert found.startswith(expected)


def test_each_cycle_is_named(tmp_path):
    stages = {"one": "fixed, inputs: {x: two}", "two": "fixed, inputs: {x: one}",
              "three": "pair, inputs: {a: two, b: three}"}  # fmt: skip
    lines = [f"  {n}: {{module: {s}, outputs: {{y: {n}}}}}" for n, s in stages.items()]
    text = "\n".join(["inputs: {}", "stages:", *lines, "outputs: {cones: three}", ""])
    found = faults_of(text, tmp_path)
    assert [fault.partition(" the stages ")[2] for fault in found] == [
        "one -> two -> one are a cycle",
        "three -> three are a cycle",
    ]


def test_a_pipeline_without_faults_has_none():
    assert find_faults("camera_lidar") == []


def test_a_binary_file_is_refused_by_name(tmp_path):
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\x89PNG\xff")
    (found,) = find_faults(path)
    assert str(found).startswith(f"{path} is not a text in UTF-8")


def test_a_file_that_does_not_exist_is_compared_with_those_that_do(tmp_path):
    (tmp_path / "my_pipeline.yaml").write_text("")
    with pytest.raises(FileNotFoundError, match=r"does not exist; did you mean .*my_pipeline.ya"):
        load_specification(tmp_path / "my_pipline.yaml")
    with pytest.raises(FileNotFoundError, match=r"does not exist; did you mean camera_lidar\?"):
        load_specification(tmp_path / "none" / "camera_lidr.yaml")
    with pytest.raises(FileNotFoundError, match=r"no pipeline preset 'tank'.*/pipelines$"):
        load_specification("tank")
    with pytest.raises(FileNotFoundError, match=r"; did you mean camera_lidar\?"):
        load_specification("camera_lidr")
