"""Say which part of a drive is unlike the drives that a monitor was fitted to.

  conegrad monitor check drive --monitor monitor.safetensors

The exit code is 1 if more frames are unlike than the false-alarm rate of the monitor explains
(three times as many), 2 for an error.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import BAG, read_roles, topic_setting
from conegrad_core.domain_monitor.domain_model import load_domain, smoothed
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_evaluation.domain_drives import drive_statistics

TOLERATED = 3.0  # times the share of false alarms
LEAST = 0.01  # share of frames that is worth a word


@dataclass(frozen=True)
class CheckSettings(Config):
    """Settings of the check."""

    every: int = setting(1, "Read every Nth message of a sensor", low=1)
    topic: tuple[str, ...] = topic_setting()


SETTINGS = CommandSettings({"": CheckSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", type=Path, help=BAG)
    parser.add_argument(
        "--monitor",
        type=Path,
        required=True,
        metavar="FILE",
        help="monitor that 'conegrad monitor fit' wrote",
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, print one line per sensor."""
    own = SETTINGS.read(options)[CheckSettings]
    models = load_domain(options.monitor)
    drive = drive_statistics(options.bag, every=own.every, topics=read_roles(own.topic))
    is_unlike = False
    for kind, statistics in drive.items():
        if kind not in models:
            print(f"{kind}: {options.monitor} was fitted without it")
            continue
        model = models[kind]
        alarms = smoothed(model.distances(statistics)) > model.threshold
        share = float(alarms.mean())
        line = f"{kind}: {share:.1%} of {len(statistics)} frames are unlike those of the training"
        if share > max(LEAST, TOLERATED * model.false_alarms):
            is_unlike = True
            causes = Counter(name for row in statistics[alarms] for name in model.unusual(row))
            line += f", most of all in {', '.join(name for name, _ in causes.most_common(3))}"
        print(line)
    return int(is_unlike)
