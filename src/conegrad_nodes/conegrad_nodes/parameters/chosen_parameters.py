"""Settings of the core from the parameters of the nodes, for runs without nodes."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from conegrad_core.pipeline.build import DEFAULT, stage_config
from conegrad_core.settings import Config
from conegrad_core.settings.mapping import Location, make_config, read_config, read_fields
from conegrad_core.settings.names import fields_by_name
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS
from conegrad_nodes.parameters.parameter_files import Sections, read_sections
from conegrad_nodes.parameters.parameter_names import check_names, full_name
from conegrad_nodes.parameters.pipeline_settings import (
    names_in_files,
    node_settings,
    parameter_names,
    stages_text,
)
from conegrad_nodes.pipeline_hosts import PipelineHosts, pipeline_hosts

C = TypeVar("C", bound=Config)

EVERY_NODE = ("*", "**")
# A run may take these from its bag: for a check of what was chosen, anything will do.
OF_THE_RUN = {"calibration.file": "?", "calibration.vehicle": "?"}


def chosen_pipeline(parameters: Mapping[str, Any], paths: Sequence[Path] = ()) -> str:
    """Pipeline that the nodes run: as the parameters say, else as the files do, else the car's.

    Raises:
        ValueError: if a file is no ROS parameter file, or the nodes are given several pipelines.
    """
    nodes = (*NODE_SETTINGS, *EVERY_NODE)
    given = {
        section["pipeline"]
        for (_, name), section in read_sections(paths).items()
        if "pipeline" in section and _node(name) in nodes
    }
    if "pipeline" in parameters:
        given = {parameters["pipeline"]}
    if len(given) > 1:
        several = " and ".join(sorted(map(str, given)))
        raise ValueError(f"the nodes are given the pipelines {several}, expected one for all")
    return str(next(iter(given), DEFAULT))


def check_parameters(parameters: Mapping[str, Any], paths: Sequence[Path]) -> None:
    """Refuse what the nodes of the perception would refuse, before they start.

    Args:
        parameters: by full name, for all nodes.
        paths: ROS parameter files; ``parameters`` take precedence.

    Raises:
        FileNotFoundError: if there is no such file or no such pipeline.
        PipelineError: naming file, line, stage and port, if the pipeline cannot be used.
        ValueError: if a file is no ROS parameter file or is for none of the nodes, or if a name
            or a value is of none of their parameters.
    """
    sections = read_sections(paths)
    pipeline = chosen_pipeline(parameters, paths)
    hosts = pipeline_hosts(pipeline)
    of_nodes = node_settings(hosts)
    _check_nodes(paths, sections, list(of_nodes))
    if pipeline == DEFAULT:
        check_names([*parameters, *_names(sections, of_nodes)])
    else:
        check_names(parameters, parameter_names(hosts), stages_text(hosts))
        check_names(_names(sections, of_nodes), names_in_files(hosts), stages_text(hosts))
    for node, parts in of_nodes.items():
        given = {**OF_THE_RUN, **_united(sections, node), **parameters}
        for prefix, config_class in parts.items():
            if prefix in hosts.classes:
                stage_settings(hosts, prefix, given)
            else:
                settings(config_class, given, prefix)


def read_parameter_files(
    paths: Sequence[Path], nodes: Sequence[str] = tuple(NODE_SETTINGS)
) -> dict[str, Any]:
    """Parameters by full name of ROS parameter files; later ones replace earlier ones.

    Sections of the nodes are put together: no two nodes have a parameter of one name and
    another meaning, except those of their inputs, which a run without nodes does not have.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    return _united(read_sections(paths), *nodes)


def node_parameters(
    paths: Sequence[Path], nodes: Sequence[str] = tuple(NODE_SETTINGS)
) -> dict[str, dict[str, Any]]:
    """What ROS parameter files say to each of some nodes, in whatever namespace it runs.

    So the file of a car serves for its recordings: here the nodes are in no namespace, and ROS
    would pass over ``/car/camera_node`` without a word.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    sections = read_sections(paths)
    return {node: _united(sections, node) for node in nodes}


def _names(sections: Sections, nodes: Collection[str]) -> list[str]:
    """Names of all parameters that are given to one of some nodes by name."""
    return [
        name for (_, node), section in sections.items() if _node(node) in nodes for name in section
    ]


def _united(sections: Sections, *nodes: str) -> dict[str, Any]:
    """Parameters of some nodes; later files replace earlier ones."""
    parameters: dict[str, Any] = {}
    for (_, name), section in sections.items():
        if _node(name) in (*nodes, *EVERY_NODE):
            parameters |= section
    return parameters


def _check_nodes(paths: Sequence[Path], sections: Sections, nodes: Sequence[str]) -> None:
    """Refuse a file of which nothing reaches the perception, or that has a node of it twice."""
    for path in paths:
        found = [name for file, name in sections if file == path]
        for node in nodes:
            named = [name for name in found if _node(name) == node and "*" not in name]
            if len(named) > 1:
                raise ValueError(f"{path} is for {' and '.join(named)}, expected one {node}")
        if not any(_node(name) in (*nodes, *EVERY_NODE) for name in found):
            expected = ", ".join(nodes)
            raise ValueError(
                f"{path} is for {', '.join(found) or 'no node'}, expected some of {expected}, /**"
            )


def _node(name: str) -> str:
    return name.rpartition("/")[2]


def stage_settings(hosts: PipelineHosts, name: str, parameters: Mapping[str, Any]) -> Config:
    """Settings of a stage: parameters with its name in front, else those of the pipeline file.

    Raises:
        ValueError: if a value is of another type than the node takes, or out of bounds.
    """
    config_class = hosts.classes[name].config_class
    of_file = stage_config(hosts.specification, name, config_class, {})
    given = _given(config_class, parameters, name)
    at = _location(name)
    values = {field.name: getattr(of_file, field.name) for field in dataclasses.fields(of_file)}
    return make_config(config_class, values | read_fields(config_class, given, at), at)


def settings(config_class: type[C], parameters: Mapping[str, Any], prefix: str = "") -> C:
    """A settings dataclass with the parameters of a prefix; others keep their defaults.

    Raises:
        ValueError: if a value is of another type than the node takes, or out of bounds.
    """
    return read_config(config_class, _given(config_class, parameters, prefix), _location(prefix))


def _given(
    config_class: type[Config], parameters: Mapping[str, Any], prefix: str
) -> dict[str, Any]:
    full_names = {name: full_name(prefix, name) for name in fields_by_name(config_class)}
    return {name: parameters[full] for name, full in full_names.items() if full in parameters}


def _location(prefix: str) -> Location:
    return Location(keys=(prefix,) if prefix else (), label="parameter ", is_ros=True)
