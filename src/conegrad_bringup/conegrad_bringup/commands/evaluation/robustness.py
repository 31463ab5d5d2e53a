"""Measure how much of its F1 a system keeps under disturbances of sensors, calibration and time.

  conegrad robustness car@champion --bags drive1 drive2
  conegrad robustness camera_lidar --bags drive --every 5 --disturbances image_fog camera_yaw:3
  conegrad robustness run/system --bags drive -o robustness

Every frame is perceived intact and under each disturbance: NAME, NAME:SEVERITY (1 to 3) or
NAME:PARAMETER=VALUE. By default all that are installed are tried, at every severity. The folder
gets robustness.html, robustness.json and robustness.png: the share of F1 with colour that is left,
by disturbance, with intervals.

  conegrad robustness camera_lidar --bags drive --live --no-figures --disturbances camera_slow

--live plays the first bag through the live graph, too, switches each fault on and off, and measures
when /diagnostics told it, the longest time without cones, and when all was as before. --no-figures
does nothing else. --set gives the nodes parameters, such as monitor=FILE (docs/robustness.md).
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.bag_options import PERCEPTION_PARAMETERS, add_system_and_drives
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.location import pinned
from conegrad_core.system_record.reference import load_referenced
from conegrad_evaluation.robustness.live_outcome import LiveOutcome, LiveSettings, live_faults
from conegrad_evaluation.robustness.live_report import live_text
from conegrad_evaluation.robustness.retention import retention
from conegrad_evaluation.robustness.robustness import RobustnessSettings, measure_robustness
from conegrad_evaluation.robustness.robustness_report import as_text, write_robustness
from conegrad_training.data.disturbed_training import trained_disturbances
from conegrad_training.engine.progress_display import shown


@dataclass(frozen=True)
class CommandLineSettings(RobustnessSettings):
    """What is measured, and how."""

    figures: bool = setting(True, "Measure what is left of F1")
    live: bool = setting(False, "Measure what the live graph makes of the faults")


SETTINGS = CommandSettings(
    {"": CommandLineSettings(), "graph": LiveSettings()}, {"": PERCEPTION_PARAMETERS}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_system_and_drives(parser, "robustness")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Measure, print what is left and what was told."""
    read = SETTINGS.read(options)
    settings = read[CommandLineSettings]
    if not (settings.figures or settings.live):
        raise ValueError("figures is False and live is False, expected one of them")
    system = pinned(options.system)
    table, frames = None, {}
    if settings.figures:
        pipeline = load_referenced(system)
        pipeline.accelerate()
        result = measure_robustness(pipeline, options.bags, settings, shown)
        table = retention(result, trained=settings.trained or trained_disturbances(system))
        frames = result.drives
        print(as_text(table))
    outcomes: list[LiveOutcome] = []
    if settings.live:
        parameters = read.parameters[""]
        for found in _live(options.bags[0], system, settings, read[LiveSettings], parameters):
            outcomes.append(found)
            write_robustness(table, options.output, system, frames, outcomes)  # kept by Ctrl-C
        print(live_text(outcomes))
    report = write_robustness(table, options.output, system, frames, outcomes)
    print(f"report: {report}")


def _live(
    bag: Path,
    system: str,
    settings: CommandLineSettings,
    chosen: LiveSettings,
    parameters: Mapping[str, Any],
) -> Iterator[LiveOutcome]:
    from conegrad_bringup.live_faults import measure_live  # rclpy, for which ROS is needed
    from conegrad_nodes.playback.perceive import PerceiveOptions
    from conegrad_nodes.playback.player import PlayConfig

    graph = PerceiveOptions(pipeline=system, play=PlayConfig(rate=1.0), parameters=parameters)
    faults = live_faults(settings.disturbances, graph.hosts.sensors, settings.seed)
    outcomes = measure_live(bag, graph, faults, chosen)
    return shown(outcomes, len(faults), "live", note=lambda found: str(found.fault))
