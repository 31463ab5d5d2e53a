"""Parameters: declared once, bounded, and documented as they are."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from rclpy.node import Node
from rclpy.parameter import Parameter

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.settings import Config, setting
from conegrad_nodes.node_base.qos import input_qos
from conegrad_nodes.parameters.chosen_parameters import check_parameters, settings
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS
from conegrad_nodes.parameters.parameter_files import check_arguments, given_to
from conegrad_nodes.parameters.parameter_names import check_names, explain_unknown, names_of
from conegrad_nodes.parameters.parameter_table import parameter_tables

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Settings(Config):
    """Settings of this test."""

    reach: float = setting(20.0, "How far [m]", low=0.1, high=100.0)
    count: int = setting(3, "How many", low=1)
    is_quick: bool = setting(False, "In a hurry")
    name: str = setting("", "What it is called", aliases=("title",))


@pytest.fixture
def make(context):
    nodes = []

    def make(**values):
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        nodes.append(Node("test", context=context, parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_overrides_replace_defaults(make):
    assert declare_config(make(reach=5.0, name="x"), Settings) == Settings(reach=5.0, name="x")


def test_a_parameter_takes_its_earlier_name(make):
    assert declare_config(make(title="x"), Settings) == Settings(name="x")
    assert settings(Settings, {"part.title": "x"}, "part") == Settings(name="x")
    assert explain_unknown(["title"], names_of([("", Settings)])) == []
    with pytest.raises(ValueError, match="parameter title of test is 5, expected text in quotes"):
        declare_config(make(title=5), Settings)
    with pytest.raises(ValueError, match="parameter name of test is given twice, also as title"):
        declare_config(make(title="x", name="y"), Settings)


def test_bounds_and_description_are_told_to_tools(make):
    node = make()
    declare_config(node, Settings, "part")
    descriptor = node.describe_parameter("part.reach")
    assert descriptor.description == "How far [m]"
    assert descriptor.read_only
    bounds = descriptor.floating_point_range[0]
    assert (bounds.from_value, bounds.to_value) == (0.1, 100.0)
    assert node.describe_parameter("part.count").integer_range[0].from_value == 1


@pytest.mark.parametrize(
    ("values", "name"),
    [
        pytest.param({"reach": 0.0}, "reach", id="out of bounds"),
        pytest.param({"count": 0}, "count", id="below the lowest"),
        pytest.param({"reach": 20}, "reach", id="a whole number for a fraction"),
    ],
)
def test_a_bad_override_is_refused_by_name(make, values, name):
    with pytest.raises(ValueError, match=f"parameter {name} of test"):
        declare_config(make(**values), Settings)


def test_a_bad_override_is_told_with_what_to_write(make):
    expected = "parameter reach of test is 20, expected a number with a point: write 20.0"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        declare_config(make(reach=20), Settings)


def test_settings_that_do_not_go_together_are_refused_by_the_name_of_the_parameter(make):
    node = make(**{"reduction.min_height": 0.5})
    expected = "parameter reduction.min_height of test is 0.5, expected less than max_height, 0.3"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        declare_config(node, ReductionConfig, "reduction")


def test_an_unknown_reliability_is_refused():
    with pytest.raises(ValueError, match="reliability is 'sure', expected one of best_effort"):
        input_qos("sure", 1)


@pytest.mark.parametrize("node", NODE_SETTINGS)
def test_the_file_of_each_node_loads_into_its_settings(node):
    content = yaml.safe_load((ROOT / "config" / f"{node}.yaml").read_text())
    assert set(content) == {f"/**/{node}"}
    parameters = content[f"/**/{node}"]["ros__parameters"]
    given = {}
    for name, value in parameters.items():
        prefix, _, field = name.rpartition(".")
        given.setdefault(prefix, {})[field] = value
    for prefix, values in given.items():
        config = NODE_SETTINGS[node][prefix](**values)
        default = NODE_SETTINGS[node][prefix]()
        for field, value in values.items():
            assert getattr(config, field) == value
            assert getattr(default, field) != value, f"{field} repeats its default"
            assert type(getattr(default, field)) is type(value)


def test_the_table_in_the_documentation_is_current():
    assert (ROOT / "docs" / "parameters.md").read_text() == parameter_tables()


def test_a_slip_in_a_name_is_explained_by_the_nearest_name():
    [line] = explain_unknown(["detector.weight", "segmenter.weights", "use_sim_time"])
    assert line == "parameter detector.weight is unknown, did you mean detector.weights?"


def test_settings_of_ros_itself_are_no_slip():
    assert explain_unknown(["qos_overrides./cones.publisher.depth", "use_sim_time"]) == []


def test_chosen_names_are_checked_together():
    with pytest.raises(ValueError, match=r"parameter zzz is unknown: docs/parameters\.md"):
        check_names(["zzz", "min_existence"])


def test_names_in_files_are_those_of_our_nodes(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(
        "/**/camera_node: {ros__parameters: {detector: {weight: x}}}\n"
        "/camera_driver: {ros__parameters: {exposure: 5}}\n"
    )
    expected = r"^parameter detector\.weight is unknown, did you mean detector\.weights\?$"
    with pytest.raises(ValueError, match=expected):
        check_parameters({}, [path])


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Function that sets the arguments of this program: texts are parameter files."""

    def program(*words, **files):
        arguments = ["node", "--ros-args", *words]
        for name, text in files.items():
            path = tmp_path / f"{name}.yaml"
            path.write_text(text)
            arguments += ["--params-file", str(path)]
        monkeypatch.setattr("sys.argv", arguments)
        return arguments

    return program


RIGHT = "/**/test: {ros__parameters: {reach: 5.0}}"


@pytest.mark.parametrize("section", ["/**", "/**/test", "test", "/test", "/*"])
def test_a_later_file_with_a_value_of_another_type_is_refused_by_its_name(make, program, section):
    program(config=RIGHT, mine=f"{section}: {{ros__parameters: {{reach: far}}}}")
    with pytest.raises(ValueError, match=r"parameter reach of test \(.*mine.yaml\) is 'far', exp"):
        declare_config(make(reach=5.0), Settings)


def test_a_value_of_another_type_on_the_command_line_is_refused_too(make, program):
    program("-p", "reach:=far", config=RIGHT)
    with pytest.raises(ValueError, match=r"parameter reach of test \(-p reach:=far\) is 'far'"):
        declare_config(make(reach=5.0), Settings)


@pytest.mark.parametrize("section", ["/car1/test", "/other", "/*/test", "/**/other"])
def test_values_for_other_nodes_do_not_matter(make, program, section):
    program(config=RIGHT, mine=f"{section}: {{ros__parameters: {{reach: far}}}}")
    assert declare_config(make(reach=5.0), Settings).reach == 5.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("camera_node: {reach: 5.0}", "expected ros__parameters below", id="without"),
        pytest.param("5", "holds 5, expected /NODE", id="no mapping"),
        pytest.param("a: [", "invalid YAML in line 1", id="invalid"),
    ],
)
def test_a_file_that_ros_cannot_read_is_explained_in_one_line(program, text, reason):
    with pytest.raises(ValueError, match=f"mine.yaml.*{reason}") as refused:
        check_arguments(program(mine=text))
    assert "\n" not in str(refused.value)


def test_lists_are_read_as_launch_writes_them(program):
    arguments = program(mine="/**: {ros__parameters: {bags: !!python/tuple [drive, lap]}}")
    check_arguments(arguments)
    [given] = given_to("/topic_trainer", "bags")
    assert given.value == ["drive", "lap"]
