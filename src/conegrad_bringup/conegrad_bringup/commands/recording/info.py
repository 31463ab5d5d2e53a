"""Describe a bag: topics, rates, stamps, frames, and what perception would miss in it.

It ends with 'ready' where 'conegrad perceive' with the same options takes the bag, else with what
'conegrad perceive' would refuse it for. The exit code is 0 for every bag that can be read;
programs take "ready" of --json.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conegrad_bringup.bag_options import BAG, PERCEPTION_PARAMETERS, PerceptionSettings, read_roles
from conegrad_bringup.text_table import text_table
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.provenance import described
from conegrad_data.bags.reader import BagReader
from conegrad_data.recording.bag_index import TopicIndex
from conegrad_data.recording.bag_readiness import BagFinding
from conegrad_data.recording.info import BagInfo, inspect
from conegrad_data.status.part_status import Level
from conegrad_nodes.playback.perceive import PerceiveOptions, check_bag

TITLES = {Level.OK: "", Level.WARN: "WARNING ", Level.ERROR: "perceive refuses this bag: "}
COLUMNS = ("topic", "type", "count", "rate [Hz]", "longest gap [s]", "delay [ms]", "details")

SETTINGS = CommandSettings({"": PerceptionSettings()}, {"": PERCEPTION_PARAMETERS})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help=BAG)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Print the description."""
    settings = SETTINGS.read(options)
    own = settings[PerceptionSettings]
    chosen = PerceiveOptions(
        pipeline=own.what_runs,
        parameters=settings.parameters[""],
        parameter_files=own.params_file,
        topics=read_roles(own.topic),
        vehicle=own.vehicle,
    )
    info = inspect(options.bag, chosen.topics, is_logging=False)
    with (
        BagReader(options.bag, is_logging=False) as bag,
        tempfile.TemporaryDirectory(prefix="conegrad-") as folder,
    ):
        findings = check_bag(bag, chosen, Path(folder)).findings
    if options.json:
        print(json.dumps(as_dict(info, findings), indent=2))
    else:
        print(as_text(info, findings, own.what_runs))


def as_text(info: BagInfo, findings: Sequence[BagFinding], pipeline: str = "") -> str:
    """A description for people."""
    lines = [f"{info.path}: {info.duration:.1f} s", ""]
    lines += text_table([COLUMNS, *(_row(topic) for topic in info.topics.values())])
    lines += ["", f"frames: {', '.join(info.frames) or 'none (no tf_static)'}"]
    if len(info.pair_offsets):
        offsets = 1000 * np.abs(info.pair_offsets)
        median, largest = float(np.median(offsets)), float(offsets.max())
        lines += [f"image to nearest scan: median {median:.1f} ms, at most {largest:.1f} ms"]
    if info.made_by:
        lines += [f"cones made by: {described(info.made_by)}"]
    for warning in info.warnings:
        lines += ["", f"WARNING {warning}"]
    for advice in info.advice:
        lines += ["", f"{advice.problem}", f"  -> {advice.remedy}"]
    for finding in findings:
        lines += ["", f"{TITLES[finding.level]}{finding.text}"]
        lines += [f"  -> {finding.remedy}"] if finding.remedy else []
    if _is_ready(findings):
        option = f" --pipeline {pipeline}" if pipeline else ""
        lines += ["", f"ready: conegrad perceive {info.path} -o OUTPUT{option}"]
    return "\n".join(lines)


def _is_ready(findings: Sequence[BagFinding]) -> bool:
    return all(finding.level < Level.ERROR for finding in findings)


def as_dict(info: BagInfo, findings: Sequence[BagFinding]) -> dict[str, Any]:
    """A description for programs."""
    return {
        "path": info.path,
        "duration": info.duration,
        "topics": {
            name: {
                "type": topic.msgtype,
                "count": topic.count,
                "rate": _finite(topic.rate),
                "longest_gap": _finite(topic.longest_gap),
                "delay": _finite(topic.delay),
                "frames": sorted(topic.frames),
                "detail": topic.detail,
            }
            for name, topic in info.topics.items()
        },
        "roles": info.roles,
        "frames": info.frames,
        "warnings": info.warnings,
        "made_by": dict(info.made_by),
        "advice": [advice._asdict() for advice in info.advice],
        "findings": [{"level": f.level.name, "text": f.text, "remedy": f.remedy} for f in findings],
        "ready": _is_ready(findings),
    }


def _row(topic: TopicIndex) -> tuple[str, ...]:
    frames = ", ".join(sorted(frame for frame in topic.frames if frame))
    details = "; ".join(text for text in (topic.detail, frames and f"in {frames}") if text)
    return (
        topic.name,
        topic.msgtype.replace("/msg/", "/"),
        str(topic.count),
        _number(topic.rate, 1),
        _number(topic.longest_gap, 3),
        _number(1000 * topic.delay, 1),
        details,
    )


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
