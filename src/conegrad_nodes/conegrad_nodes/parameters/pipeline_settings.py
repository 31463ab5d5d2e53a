"""Settings of the nodes of a pipeline: those of the car's nodes, and those of its own stages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS, StageNodeConfig
from conegrad_nodes.parameters.parameter_names import kinds_by_name, names_of
from conegrad_nodes.pipeline_hosts import APART, PipelineHosts, pipeline_hosts, stage_node_name

NodeSettings = dict[str, dict[str, type[Config]]]


def node_settings(hosts: PipelineHosts) -> NodeSettings:
    """Settings of every node that may run a pipeline, by name of the node and prefix.

    Those of the car's own stages are among them: the parameter file of a car serves for any
    pipeline.
    """
    found: NodeSettings = {node: dict(parts) for node, parts in NODE_SETTINGS.items()}
    for node, stages in hosts.by_node.items():
        found[node] |= {name: hosts.classes[name].config_class for name in stages}
    for name in hosts.stage_nodes(APART):
        of_stage = hosts.classes[name].config_class
        found[stage_node_name(name)] = {"": StageNodeConfig, name: of_stage}
    return found


def parameter_names(hosts: PipelineHosts) -> list[str]:
    """Full names of the parameters of these nodes, without those of stages that it lacks."""
    return sorted(kinds(hosts))


def names_in_files(hosts: PipelineHosts) -> list[str]:
    """Full names of the parameters that files may give to these nodes."""
    return names_of(part for parts in node_settings(hosts).values() for part in parts.items())


def known_to_nodes(pipeline: str) -> list[str] | None:
    """Parameters that no node of a pipeline calls unknown; None: those of the car."""
    return None if pipeline == DEFAULT else names_in_files(pipeline_hosts(pipeline))


def kinds(hosts: PipelineHosts) -> Mapping[str, Any]:
    """Kind of each parameter of these nodes by its full name."""
    stages = hosts.classes.keys()
    gone = {"detector", "segmenter", "fuser"} - stages
    return kinds_by_name(
        (prefix, part)
        for parts in node_settings(hosts).values()
        for prefix, part in parts.items()
        if prefix not in gone
    )


def pipeline_kinds(pipeline: str | Path = DEFAULT) -> Mapping[str, Any]:
    """As :func:`kinds`, by the name of a pipeline or the path of its file."""
    return kinds(pipeline_hosts(pipeline))


def stages_text(hosts: PipelineHosts) -> str:
    """What the refusal of an unknown name says: where the known ones stand."""
    return (
        f": {hosts.specification.source} has the stages {', '.join(hosts.classes)}, and "
        "docs/parameters.md lists the parameters of the nodes"
    )
