"""Some stages of a pipeline as a pipeline of their own."""

import pytest
import torch

from conegrad_core.pipeline.build import build_pipeline, load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification, read_specification
from conegrad_core.pipeline.part import part_of

CHAIN = """inputs: {x: Number}
stages:
  first: {module: network, inputs: {x: x}, outputs: {y: y}, settings: {gain: 3.0}}
  second: {module: network, inputs: {x: y}, outputs: {y: z}, settings: {gain: 5.0}}
  third: {module: pair, inputs: {a: z, b: x}, outputs: {y: end}}
outputs: {end: end}
"""


def test_what_a_part_reads_from_other_stages_are_its_inputs():
    part = part_of(read_specification(CHAIN, "chain.yaml"), ["third"])
    assert part.inputs == {"z": "Number", "x": "Number"}
    assert list(part.stages) == ["third"]
    assert part.outputs == {"end": "end"}


def test_neighbouring_stages_pass_their_ports_within_the_part():
    part = part_of(read_specification(CHAIN, "chain.yaml"), ["second", "first"])
    assert part.inputs == {"x": "Number"}
    assert list(part.stages) == ["first", "second"]


def test_parts_give_what_the_whole_gives():
    whole = read_specification(CHAIN, "chain.yaml")
    x = torch.tensor(2.0)
    expected = build_pipeline(whole)({"x": [x]})["end"][0]
    z = build_pipeline(part_of(whole, ["first", "second"]))({"x": [x]}, ports=["z"])["z"][0]
    end = build_pipeline(part_of(whole, ["third"]))({"z": [z], "x": [x]})["end"][0]
    assert float(end) == float(expected) == 2 * (2 * 3 * 5 + 2)


def test_the_fusion_of_the_car_is_a_part_of_it():
    part = part_of(load_specification("camera_lidar"), ["fuser"])
    assert part.inputs == {"detections": "Detections", "segmentation": "SegmentedScan"}
    assert load_pipeline("camera_lidar").specification.stages["fuser"] == part.stages["fuser"]


@pytest.mark.parametrize("stages", [["radar"], ["first", "radar"]])
def test_an_unknown_stage_is_named(stages):
    with pytest.raises(PipelineError, match=r"chain.yaml has no stage 'radar', expected some"):
        part_of(read_specification(CHAIN, "chain.yaml"), stages)
