"""The graph: order, batches, missing values, given ports, gradients, and the pattern it has."""

import pytest
import torch
from toy_pipelines import pipeline

from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.pattern import integration_pattern, responsible_networks


def numbers(*values: float | None) -> list[torch.Tensor | None]:
    return [None if value is None else torch.tensor(value) for value in values]


@pytest.fixture
def chain() -> Pipeline:
    return pipeline("second: network b -> c", "first: fixed a -> b", inputs="a", outputs="c")


def test_a_stage_runs_after_those_it_reads_from(chain: Pipeline):
    assert chain.order == ("first", "second")
    assert chain(dict(a=numbers(1.0, 2.0))) == {"c": [torch.tensor(4.0), torch.tensor(6.0)]}
    assert chain.upstream("second") == {"first"}
    assert chain.upstream("first") == set()


def test_stages_that_wait_for_nothing_run_as_in_the_file():
    found = pipeline("one: network b -> c", "two: network a -> d", "all: join c d -> e")
    assert found.order == ("one", "two", "all")
    assert found.learned_stages == ("one", "two", "all")
    assert found.networks == ("one", "two")


def test_all_samples_go_through_a_stage_in_one_batch(chain: Pipeline):
    chain(dict(a=numbers(1.0, 2.0, 3.0)))
    assert chain.stage("second").batches == [3]


def test_only_stages_that_are_needed_run(chain: Pipeline):
    assert chain(dict(a=numbers(1.0)), ports=["b"]) == {"b": [torch.tensor(2.0)]}
    assert chain.stage("second").batches == []
    assert chain.needed_stages(["b"], ["a"]) == ("first",)


def test_a_given_port_replaces_what_would_be_computed(chain: Pipeline):
    leaf = torch.tensor(10.0, requires_grad=True)
    (result,) = chain({"b": [leaf]})["c"]
    result.backward()
    assert result == 20.0
    assert leaf.grad == 2.0


def test_a_given_port_replaces_one_of_several(chain: Pipeline):
    made = chain(dict(a=numbers(1.0), b=numbers(7.0)), ports=["b", "c"])
    assert made == {"b": [torch.tensor(7.0)], "c": [torch.tensor(14.0)]}


def test_a_stage_runs_alone(chain: Pipeline):
    made = chain.run_stage("second", dict(b=numbers(5.0)), [FrameContext()])
    assert made == {"c": [torch.tensor(10.0)]}
    with pytest.raises(PipelineError, match="no stage 'third', expected one of first, second"):
        chain.run_stage("third", {}, [])


def test_the_gradient_reaches_every_stage():
    found = pipeline("one: network a -> c", "two: network b -> d", "all: join c d -> e")
    (result,) = found(dict(a=numbers(3.0), b=numbers(5.0)))["e"]
    result.backward()
    assert result == 2 * (2 * 3 + 2 * 5)
    gradients = {name: float(found.stage(name).gain.grad) for name in found.order}
    assert gradients == {"one": 6.0, "two": 10.0, "all": 16.0}


def test_a_missing_value_passes_by_all_stages_but_the_joining_one():
    found = pipeline("one: network a -> c", "two: network b -> d", "all: join c d -> e")
    values = dict(a=numbers(1.0, None, 3.0), b=numbers(1.0, 1.0, None))
    made = found(values, ports=["c", "e"])
    assert made["c"] == [torch.tensor(2.0), None, torch.tensor(6.0)]
    assert made["e"] == numbers(8.0, 4.0, 12.0)
    assert found.stage("one").batches == [2]


def test_a_stage_without_any_value_does_not_run():
    found = pipeline("one: network a -> c", "all: join b c -> d")
    assert found(dict(a=numbers(None), b=numbers(1.0)))["d"] == numbers(2.0)
    assert found.stage("one").batches == []


def test_no_samples_give_no_values(chain: Pipeline):
    assert chain({"a": []}) == {"c": []}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(dict(a=[1.0]), "port a: found float, expected Tensor", id="class"),
        pytest.param(dict(a=[torch.zeros(2)]), r"port a: Number has shape \(2,\)", id="shape"),
        pytest.param(dict(z=[]), "no port 'z', expected one of a, c, b", id="unknown"),
        pytest.param({}, "port a: no values are given, but stage first reads it", id="none"),
        pytest.param(dict(a=numbers(1.0), b=[]), "samples are given: a 1, b 0", id="counts"),
    ],
)
def test_wrong_values_are_refused_by_port(chain: Pipeline, values, expected: str):
    with pytest.raises(PipelineError, match=expected):
        chain(values)


def test_contexts_are_as_many_as_samples(chain: Pipeline):
    with pytest.raises(PipelineError, match="a 1, contexts 2"):
        chain(dict(a=numbers(1.0)), [FrameContext()] * 2)
    with pytest.raises(PipelineError, match="no port 'z'"):
        chain(dict(a=numbers(1.0)), ports=["z"])
    with pytest.raises(PipelineError, match="port a: no values are given, but it is asked for"):
        chain(dict(b=numbers(1.0)), ports=["a"])


def test_a_stage_that_breaks_its_word_is_named():
    forgetful = pipeline("one: broken a -> b", inputs="a")
    with pytest.raises(PipelineError, match="stage one, port b: 1 values of the output y for 2"):
        forgetful(dict(a=numbers(1.0, 2.0)))
    wrong = pipeline("one: wrong a -> b", inputs="a")
    with pytest.raises(PipelineError, match=r"stage one, port b: Number has shape \(2,\)"):
        wrong(dict(a=numbers(1.0)))


def test_the_weights_of_a_stage_have_its_name(chain: Pipeline):
    assert list(chain.state_dict()) == ["stages.second.gain"]


def test_a_stage_without_weights_file_or_labels_says_so_by_name(chain: Pipeline, tmp_path):
    assert chain.save(tmp_path) == {}
    with pytest.raises(PipelineError, match="Network has no weights to write to"):
        chain.stage("second").save(tmp_path / "w")
    with pytest.raises(PipelineError, match="Fixed has no supervised loss"):
        chain.stage("first").supervised_loss({}, {}, [])
    assert not chain.stage("second").has_supervised_loss()
    assert chain.stage("second").label_values({}, {}) == 0


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        pytest.param(["one: fixed a -> c"], "none", id="nothing learned"),
        pytest.param(["one: network a -> c", "all: join c b -> d"], "single", id="one"),
        pytest.param(["one: network a -> c", "two: network b -> d", "all: join c d -> e"],
                     "joining parallel", id="the car"),
        pytest.param(["one: network a -> c", "two: network b -> d", "all: pair c d -> e"],
                     "joining parallel", id="joined by a network"),
        pytest.param(["one: network a -> c", "two: pair b c -> d", "all: join d -> e"],
                     "sequential", id="keypoints of the detector's crops"),
        pytest.param(["one: network a -> c", "mid: fixed c -> d", "two: network d -> e"],
                     "sequential", id="a fixed stage in between"),
        pytest.param(["one: network a -> c", "two: network c -> d", "three: pair c d -> e"],
                     "sequential", id="a shortcut changes nothing"),
        pytest.param(["one: network a -> c", "two: network c -> d", "three: network c -> e",
                      "all: join c d e -> f"], "forking parallel", id="fork, joined again"),
        pytest.param(["one: network a -> c", "two: pair a c -> d", "three: network b -> e",
                      "all: join d e c -> f"], "sequential + joining parallel",
                     id="keypoints beside the LiDAR"),
        pytest.param(["zero: network a -> z", "one: network z -> c", "two: network c -> d",
                      "three: network c -> e", "four: network b -> g", "all: join d e g -> f"],
                     "sequential + forking parallel + joining parallel", id="everything"),
        pytest.param(["one: network a -> c", "two: network b -> d"], "independent", id="apart"),
        pytest.param(["one: network a -> c", "two: network b -> d", "three: network a -> e",
                      "all: join c d -> f"], "joining parallel", id="one that is ignored"),
    ],
)  # fmt: skip
def test_the_integration_pattern_follows_from_the_graph(stages: list[str], expected: str):
    assert integration_pattern(pipeline(*stages)) == expected


def test_networks_answer_for_terms_of_the_end_loss():
    found = pipeline("one: network a -> c", "two: network b -> d", "all: join c d -> e")
    assert responsible_networks(found, "colour") == ("one", "two")
    assert responsible_networks(found, "position") == ()
