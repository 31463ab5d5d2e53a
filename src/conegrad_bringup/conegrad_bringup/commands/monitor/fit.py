"""Fit a monitor to the drives of a training: it tells images and scans that are unlike them.

  conegrad monitor fit drives/* -o monitor.safetensors
  conegrad monitor fit drives/* -o monitor.safetensors --false-alarms 0.001

Light, contrast, colours, sharpness and noise of images, and returns, ranges, gaps and noise of
scans are compared with those of the drives. The alarm threshold holds for drives that were held
out, one after the other, so several drives are needed for it to mean something. Give the file to
the nodes as parameter 'monitor': they then say on /diagnostics when their frames are unlike.
"""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import read_roles, topic_setting
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.domain_monitor.domain_model import fit_domain, save_domain
from conegrad_core.domain_monitor.domain_monitor import STATISTICS
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_evaluation.domain_drives import by_kind, drive_statistics

logger = logging.getLogger(__name__)

FEW_DRIVES = 5


@dataclass(frozen=True)
class MonitorSettings(Config):
    """Settings of the fit."""

    every: int = setting(1, "Read every Nth message of a sensor", low=1)
    false_alarms: float = setting(
        0.01, "Share of frames of unseen drives that may raise an alarm", low=1e-6, high=0.5
    )
    topic: tuple[str, ...] = topic_setting()


SETTINGS = CommandSettings({"": MonitorSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bags", type=Path, nargs="+", metavar="BAG", help="drives of the training")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Read the drives, fit, write."""
    own = SETTINGS.read(options)[MonitorSettings]
    topics = read_roles(own.topic)
    bags = ProgressBar("read")(options.bags, len(options.bags))
    drives = by_kind(drive_statistics(bag, every=own.every, topics=topics) for bag in bags)
    models = {}
    for kind, of_kind in drives.items():
        models[kind] = fit_domain(of_kind, STATISTICS[kind][0], own.false_alarms)
        print(
            f"{kind}: {sum(map(len, of_kind))} frames of {len(of_kind)} drives, alarm above "
            f"{models[kind].threshold:.2f}, {models[kind].false_alarms:.2%} of held-out frames"
        )
        if len(of_kind) < FEW_DRIVES:
            logger.warning(
                "%s: %d drives say little about others: expect more false alarms than %g; %d or "
                "more are better",
                kind, len(of_kind), own.false_alarms, FEW_DRIVES,
            )  # fmt: skip
    save_domain(models, options.output)
    print(f"{options.output}: written; nodes take it as parameter 'monitor'")
