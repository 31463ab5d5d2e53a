"""Show, draw, check and list pipelines of stages.

  conegrad pipeline list
  conegrad pipeline show camera_lidar
  conegrad pipeline show camera_lidar -o graph.svg
  conegrad pipeline check my_pipeline.yaml

'check' prints every fault with file, line, stage and port; its exit code is 0 without and 1 with
a fault. docs/pipelines.md explains pipelines.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.text_table import text_table
from conegrad_core.presets import find_preset, preset_names
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings

STAGE_COLUMNS = ("stage", "module", "package", "node", "reads", "writes")
LEARNED_COLUMNS = ("learned stage", "learns", "weights", "from", "end loss", "supervised by")
PORT_COLUMNS = ("port", "kind", "written by", "read by", "topic", "message")


@dataclass(frozen=True)
class PipelineSettings(Config):
    """Settings of the command itself."""

    load: bool = setting(False, "Load all stages and count their parameters exactly (show)")


SETTINGS = CommandSettings({"": PipelineSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=list(ACTIONS), help="what to do")
    parser.add_argument(
        "pipelines",
        nargs="*",
        metavar="PIPELINE",
        help="a name of 'conegrad pipeline list', or a YAML file",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="file to write: a drawing of the graph, .svg or .png (show) (default: none)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Do what is asked for.

    Raises:
        ValueError: if the pipelines are not given as the action takes them.
    """
    return ACTIONS[options.action](options)


def _show(options: argparse.Namespace) -> int:
    from conegrad_bringup.pipeline_description import describe_pipeline

    if len(options.pipelines) != 1:
        raise ValueError(f"show takes one pipeline, found {len(options.pipelines)}")
    (name,) = options.pipelines
    if options.output is not None:
        from conegrad_evaluation.report.pipeline_diagram import check_suffix

        check_suffix(options.output)
    if _print_faults(name):
        return 1
    description = describe_pipeline(name, load=SETTINGS.read(options)[PipelineSettings].load)
    if options.json:
        print(json.dumps(dataclasses.asdict(description), indent=2, default=str))
    else:
        print(as_text(description))
    if options.output is not None:
        _draw(name, description, options.output)
    return 0


def _draw(name: str, description: Any, path: Path) -> None:
    from conegrad_core.pipeline.build import layout_of
    from conegrad_core.pipeline.file import load_specification
    from conegrad_evaluation.report.pipeline_diagram import draw_pipeline, save_diagram

    notes = {
        stage.name: f"{rounded(stage.weights)} weights"
        for stage in description.stages
        if stage.weights
    }
    title = f"{Path(description.path).stem}: {description.pattern}"
    save_diagram(draw_pipeline(layout_of(load_specification(name)), notes, title), path)
    print(f"{path}: written", file=sys.stderr)


def rounded(number: int) -> str:
    """A number with two digits: ``34``, ``32 k``, ``2.5 M``."""
    for unit, factor in ((" M", 1e6), (" k", 1e3)):
        if number >= 0.9995 * factor:
            value = number / factor
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return str(number)


def _check(options: argparse.Namespace) -> int:
    from conegrad_bringup.pipeline_description import describe_pipeline

    if not options.pipelines:
        raise ValueError("check takes one pipeline or more, found none")
    code = 0
    for name in options.pipelines:
        if _print_faults(name):
            code = 1
        else:
            found = describe_pipeline(name)
            print(f"{found.path}: {len(found.stages)} stages, {found.pattern}, no faults")
    return code


def _print_faults(name: str) -> int:
    """Number of faults of a pipeline file, which are printed."""
    from conegrad_core.pipeline.faults import find_faults

    faults = find_faults(name)
    for fault in faults:
        print(fault)
    return len(faults)


def _list(options: argparse.Namespace) -> int:
    if options.pipelines:
        raise ValueError(f"list takes no pipeline, found {options.pipelines[0]}")
    print("\n".join(text_table([_list_row(name) for name in preset_names("pipelines")])))
    return 0


def _list_row(name: str) -> tuple[str, ...]:
    from conegrad_bringup.pipeline_description import purpose_of
    from conegrad_core.pipeline.build import layout_of
    from conegrad_core.pipeline.errors import PipelineError
    from conegrad_core.pipeline.file import load_specification
    from conegrad_core.pipeline.pattern import integration_pattern

    try:
        pattern = integration_pattern(layout_of(load_specification(name)))
    except PipelineError:  # 'check' says which
        pattern = "has faults"
    return name, pattern, purpose_of(find_preset("pipelines", name).read_text(encoding="utf-8"))


ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "show": _show,
    "check": _check,
    "list": _list,
}


def as_text(pipeline: Any) -> str:
    """A :class:`conegrad_bringup.pipeline_description.PipelineDescription` for people."""
    lines = [pipeline.path, *filter(None, [pipeline.purpose]), ""]
    lines += [f"integration pattern: {pipeline.pattern}", ""]
    lines += text_table([STAGE_COLUMNS, *(_stage_row(stage) for stage in pipeline.stages)])
    settings = [(s.name, s.settings) for s in pipeline.stages if s.settings]
    lines += [f"settings of {name}: {_connected(given, '=')}" for name, given in settings]
    learned = [_learned_row(stage) for stage in pipeline.stages if stage.learns != "no"]
    if learned:
        lines += ["", *text_table([LEARNED_COLUMNS, *learned])]
    lines += ["", *text_table([PORT_COLUMNS, *(_port_row(port) for port in pipeline.ports)])]
    lines += ["", f"inputs: {', '.join(pipeline.inputs)}"]
    lines += [f"outputs: {_connected(pipeline.outputs, ' = ')}"]
    if pipeline.not_live:
        lines += ["", f"no nodes can run it: {pipeline.not_live}"]
    if pipeline.terms:
        lines += ["", "networks behind each term of the end loss:"]
        rows = [(f"  {term}", _list_of(names)) for term, names in pipeline.terms.items()]
        lines += text_table(rows)
    return "\n".join(lines)


def _stage_row(stage: Any) -> tuple[str, ...]:
    reads, writes = (_connected(side, ": ") for side in (stage.reads, stage.writes))
    return stage.name, stage.module, stage.package, stage.node or "-", reads, writes


def _learned_row(stage: Any) -> tuple[str, ...]:
    weights = "?" if stage.weights is None else f"{stage.weights:,}".replace(",", " ")
    if stage.labels is None:
        labels = "-"
    else:
        labels = _list_of(stage.labels) if stage.labels else "its own inputs"
    terms = _list_of(stage.end_loss_terms)
    return stage.name, stage.learns, weights, stage.weights_from, terms, labels


def _port_row(port: Any) -> tuple[str, ...]:
    topic = port.topic or "-"
    return port.name, port.kind, port.writer or "input", _list_of(port.readers), topic, port.message


def _connected(given: Mapping[str, Any], sign: str) -> str:
    """Pairs of names, or one name where both are alike."""
    pairs = (str(k) if k == v else f"{k}{sign}{v}" for k, v in given.items())
    return ", ".join(pairs)


def _list_of(names: Any) -> str:
    return ", ".join(names) or "-"
