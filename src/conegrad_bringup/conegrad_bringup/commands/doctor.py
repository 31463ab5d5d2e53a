"""Say what is wrong with this installation, or with a running graph, and what helps.

  conegrad doctor
  conegrad doctor --graph
  conegrad doctor --graph --seconds 20 --vehicle formula_student --json

The installation: packages, weights, engines, devices, disk, and what the environment says to the
middleware. --graph listens to the graph that this environment reaches (ROS_DOMAIN_ID) for some
seconds: publishers, types, QoS, rates, clocks, calibration, camera against LiDAR, and what the
nodes report. It publishes nothing. The exit code is 1 if something is found that keeps perception
from giving cones, 2 for an error of the command.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from conegrad_bringup.bag_options import PIPELINE, VEHICLE, read_roles, topic_setting
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.examination import examine_installation, examine_running_graph
from conegrad_nodes.doctor.finding import Finding

SIGNS = {Level.OK: "ok", Level.WARN: "WARNING", Level.ERROR: "ERROR", Level.STALE: "ERROR"}


@dataclass(frozen=True)
class DoctorSettings(Config):
    """Settings of the command."""

    graph: bool = setting(False, "Examine the running graph, too")
    seconds: float = setting(8.0, "How long to listen to the graph [s]", low=1.0, high=600.0)
    domain: int | None = setting(None, "ROS domain of the graph (default: ROS_DOMAIN_ID)")
    pipeline: str = setting(DEFAULT, PIPELINE)
    topic: tuple[str, ...] = topic_setting()
    vehicle: str = setting(
        "", f"{VEHICLE}; its calibration replaces that of the graph; empty: that of the graph"
    )


SETTINGS = CommandSettings({"": DoctorSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Examine, and print each finding as soon as it is known."""
    own = SETTINGS.read(options)[DoctorSettings]
    findings = []
    for finding in _findings(own):
        findings.append(finding)
        if not options.json:
            print(as_text(finding), flush=True)
    if options.json:
        print(json.dumps([as_dict(finding) for finding in findings], indent=2))
    else:
        print(summary(findings))
    return int(any(finding.level >= Level.ERROR for finding in findings))


def as_text(finding: Finding) -> str:
    """A finding for people: one line, and its remedy below."""
    line = f"{SIGNS[finding.level]:<8} {finding.area}: {finding.text}"
    return f"{line}\n{'':<8}   -> {finding.remedy}" if finding.remedy else line


def as_dict(finding: Finding) -> dict[str, str]:
    """A finding for programs."""
    return {**finding._asdict(), "level": finding.level.name}


def summary(findings: list[Finding]) -> str:
    """The last line."""
    errors = sum(finding.level >= Level.ERROR for finding in findings)
    warnings = sum(finding.level == Level.WARN for finding in findings)
    if not errors and not warnings:
        return f"all {len(findings)} findings are in order"
    return f"{errors} errors, {warnings} warnings in {len(findings)} findings"


def _findings(own: DoctorSettings) -> Iterator[Finding]:
    yield from examine_installation(own.pipeline)
    if not own.graph:
        return
    print(f"listening to the graph for {own.seconds:.0f} s ...", file=sys.stderr)
    yield from examine_running_graph(
        own.seconds, topics=read_roles(own.topic), vehicle=own.vehicle, domain=own.domain
    )
