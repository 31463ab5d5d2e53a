"""What a pipeline is made of, for people and programs: stages, ports, topics, what is learned."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from conegrad_core.pipeline.build import build_pipeline, layout_of, stage_config
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.pattern import integration_pattern, responsible_networks
from conegrad_core.pipeline.registry import PORTS, STAGES, package_of
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage
from conegrad_core.weights import WEIGHTS_FOLDER

FIXED, NETWORK, JOINING = "no", "network", "with the networks"


@dataclass(frozen=True)
class StageDescription:
    """One stage.

    Attributes:
        name: in the pipeline.
        module: under which it is registered.
        package: that registers it.
        reads: port of each input.
        writes: port of each output.
        learns: ``no``, ``network`` or, for a stage that joins, ``with the networks``.
        weights: how many numbers it has learned; None where this is not known without loading.
        weights_from: where they are, or why their number is not known.
        settings: of the pipeline file.
        end_loss_terms: terms of the end loss that depend on its outputs.
        labels: that its supervised loss needs; None: it has no supervised loss.
        node: ROS node that runs it, with the stages composed; empty where none can.
    """

    name: str
    module: str
    package: str
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    learns: str
    weights: int | None
    weights_from: str
    settings: Mapping[str, Any]
    end_loss_terms: tuple[str, ...]
    labels: tuple[str, ...] | None
    node: str


@dataclass(frozen=True)
class PortDescription:
    """One port.

    Attributes:
        name: in the pipeline.
        kind: port type.
        package: that registers the kind.
        writer: stage that writes it; empty for an input of the pipeline.
        readers: stages that read it.
        topic: relative name of its ROS topic; empty where it has none.
        message: type of the messages; where there are none, the reason.
    """

    name: str
    kind: str
    package: str
    writer: str
    readers: tuple[str, ...]
    topic: str
    message: str


@dataclass(frozen=True)
class PipelineDescription:
    """A whole pipeline.

    Attributes:
        path: of its file.
        purpose: the comment at the top of the file.
        pattern: how its networks are connected.
        inputs: ports that come from outside.
        outputs: port of each result.
        stages: in the order in which they run.
        ports: inputs first, then in the order in which they are written.
        terms: networks that are responsible for each term of the end loss.
        not_live: why no nodes can run it; empty where they can.
    """

    path: str
    purpose: str
    pattern: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    stages: tuple[StageDescription, ...]
    ports: tuple[PortDescription, ...]
    terms: Mapping[str, tuple[str, ...]]
    not_live: str


def describe_pipeline(name_or_path: str | Path, *, load: bool = False) -> PipelineDescription:
    """Describe a pipeline that has no fault.

    Args:
        name_or_path: a pipeline of ``config/pipelines``, or the path of its YAML file.
        load: build every stage and count its parameters; else the numbers of the weights files
            are read from their headers, which takes a moment only.

    Raises:
        FileNotFoundError: if there is no such pipeline, or a weights file does not exist.
        PipelineError: naming file, line, stage and port.
    """
    specification = load_specification(name_or_path)
    layout = layout_of(specification)
    counts = _loaded_counts(specification) if load else {}
    terms = sorted({t for c in layout.classes.values() for t in c.end_loss_terms if c.learns})
    nodes, not_live = _nodes(specification.source)
    return PipelineDescription(
        path=specification.source,
        purpose=purpose_of(Path(specification.source).read_text(encoding="utf-8")),
        pattern=integration_pattern(layout),
        inputs=tuple(specification.inputs),
        outputs=specification.outputs,
        stages=tuple(
            _stage(layout, name, counts.get(name), nodes.get(name, "")) for name in layout.order
        ),
        ports=tuple(_port(layout, port) for port in _in_order(layout)),
        terms={term: responsible_networks(layout, term) for term in terms},
        not_live=not_live,
    )


def _nodes(source: str) -> tuple[dict[str, str], str]:
    """Node of each stage, and why there is none."""
    from conegrad_nodes.pipeline_hosts import pipeline_hosts, stage_node_name

    try:
        hosts = pipeline_hosts(source)
    except PipelineError as error:
        return {}, str(error)
    nodes = {name: node for node, stages in hosts.by_node.items() for name in stages}
    return nodes | {name: stage_node_name(name) for name in hosts.further}, ""


def purpose_of(text: str) -> str:
    """The comment at the top of a pipeline file, in one line."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return " ".join(filter(None, lines))


def _loaded_counts(specification: PipelineSpecification) -> dict[str, int]:
    pipeline = build_pipeline(specification, trainable=True)
    return {name: _parameters(pipeline.stage(name)) for name in pipeline.order}


def _parameters(stage: Stage) -> int:
    return sum(parameter.numel() for parameter in stage.parameters())


def _stage(layout: Layout, name: str, count: int | None, node: str) -> StageDescription:
    connections, of_stage = layout.specification.stages[name], layout.classes[name]
    learns = (JOINING if of_stage.joins else NETWORK) if of_stage.learns else FIXED
    weights_from = "loaded"
    if count is None:
        count, weights_from = _counted(layout, name) if of_stage.learns else (0, "")
    return StageDescription(
        name=name,
        module=connections.module,
        package=package_of(STAGES, connections.module),
        reads=connections.inputs,
        writes=connections.outputs,
        learns=learns,
        weights=count,
        weights_from=weights_from,
        settings=connections.settings,
        end_loss_terms=tuple(sorted(of_stage.end_loss_terms)) if of_stage.learns else (),
        labels=tuple(of_stage.label_kinds) if of_stage.has_supervised_loss() else None,
        node=node,
    )


def _counted(layout: Layout, name: str) -> tuple[int | None, str]:
    """Numbers in the weights file of a stage, by its header, and which file this is."""
    of_stage = layout.classes[name]
    config = stage_config(layout.specification, name, of_stage.config_class, {})
    given = getattr(config, "weights", "")
    path = Path(given) if given else WEIGHTS_FOLDER / of_stage.weights_file
    if given and not path.is_file():
        return None, f"{path} does not exist"
    if not path.is_file():  # nothing is loaded, so that building it is quick
        try:
            return _parameters(of_stage.from_config(config, trainable=True)), "built-in values"
        except FileNotFoundError:
            return None, f"{of_stage.weights_file} is missing"
    try:
        with safe_open(path, framework="pt") as tensors:
            shapes = [tensors.get_slice(key).get_shape() for key in tensors.keys()]  # noqa: SIM118
    except SafetensorError:
        return None, f"{path.name}, not loaded"
    return sum(math.prod(shape) for shape in shapes), path.name


def _in_order(layout: Layout) -> list[str]:
    """Ports, inputs first."""
    written = [p for n in layout.order for p in layout.specification.stages[n].outputs.values()]
    return [*layout.specification.inputs, *written]


def _port(layout: Layout, port: str) -> PortDescription:
    kind, stages = layout.kinds[port], layout.specification.stages
    topic, message = _topic(port, kind)
    return PortDescription(
        name=port,
        kind=kind,
        package=package_of(PORTS, kind),
        writer=layout.writers.get(port, ""),
        readers=tuple(name for name in layout.order if port in stages[name].inputs.values()),
        topic=topic,
        message=message,
    )


def _topic(port: str, kind: str) -> tuple[str, str]:
    """Topic and message type of a port; without one, empty and the reason."""
    from conegrad_nodes.port_messages.registry import PORT_MESSAGES, port_message

    try:
        found = port_message(kind)
    except PipelineError as error:
        cause = error.__cause__
        return "", str(cause) if cause is not None else f"none in the group {PORT_MESSAGES}"
    package = found.msgtype.__module__.partition(".")[0]
    return found.topic(port), f"{package}/{found.msgtype.__name__}"
