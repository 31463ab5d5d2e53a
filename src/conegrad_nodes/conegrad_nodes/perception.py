"""All nodes of a pipeline in one process: those of the car, and those of stages of their own."""

import functools
import sys
from collections.abc import Callable
from typing import Any

from conegrad_core.pipeline.build import DEFAULT
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.parameter_files import given_values
from conegrad_nodes.pipeline_hosts import (
    CAMERA_NODE,
    COMPOSED,
    FUSION_NODE,
    LIDAR_NODE,
    WAYS,
    pipeline_hosts,
    stage_node_name,
)
from conegrad_nodes.stage_node import StageNode

NODES: dict[str, Callable[[], Any]] = {
    CAMERA_NODE: CameraNode,
    LIDAR_NODE: LidarNode,
    FUSION_NODE: FusionNode,
}


def node_makers(arguments: list[str]) -> list[Callable[[], Any]]:
    """The nodes that the arguments of this program ask for.

    Args:
        arguments: with the parameters ``pipeline``, ``stages`` (composed or apart) and ``nodes``
            (names; by default all of the pipeline), which all nodes have alike.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        ValueError: if the pipeline cannot be used, or there is no such way to run its stages, or
            no such node.
    """
    pipeline, way = (
        str(_one(arguments, name, default))
        for name, default in (("pipeline", DEFAULT), ("stages", COMPOSED))
    )
    if way not in WAYS:
        raise ValueError(f"parameter stages is {way!r}, expected one of {', '.join(WAYS)}")
    hosts = pipeline_hosts(pipeline)
    makers = {name: NODES[name] for name in hosts.car_nodes(way)}
    for stage in hosts.stage_nodes(way):
        makers[stage_node_name(stage)] = functools.partial(StageNode, stage)
    chosen = _one(arguments, "nodes", []) or list(makers)
    unknown = sorted(set(chosen) - makers.keys())
    if unknown:
        known = ", ".join(makers)
        raise ValueError(f"parameter nodes has {unknown[0]!r}, expected some of {known}")
    return [makers[name] for name in chosen]


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes perception``."""
    try:
        makers = node_makers(sys.argv)
    except (ValueError, FileNotFoundError) as error:
        raise SystemExit(str(error)) from error
    run(makers)


def _one(arguments: list[str], name: str, default: Any) -> Any:
    """The value of a parameter that all nodes have alike."""
    values = given_values(arguments, name)
    if any(value != values[0] for value in values):
        several = " and ".join(sorted(map(str, values)))
        raise ValueError(f"the nodes are given {name} {several}, expected one for all")
    return values[0] if values else default


if __name__ == "__main__":
    main()
