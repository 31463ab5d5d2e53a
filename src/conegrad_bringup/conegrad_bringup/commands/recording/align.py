"""Align a surveyed map of the cones with the odometry of a bag; write the map in its frame.

The map (CSV with x, y, colour) may have any origin and heading. The drive is perceived, and the
cones that the drive confirms are found on the map. A picture beside the output shows the fit; a
bad one is refused. The output is what 'train' and 'evaluate' take as --track.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import BAG, CALIBRATION, MAP, read_roles, topic_setting
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.vehicle import load_vehicle
from conegrad_data.cone_map.cone_map_csv import read_cones, save_cones
from conegrad_training import aliases
from conegrad_training.alignment.alignment_picture import draw_alignment
from conegrad_training.alignment.map_alignment import AlignmentConfig, ConeMap, align_map, moved
from conegrad_training.alignment.perceived_map import SeenConesConfig, seen_cones
from conegrad_training.systems.system_config import SystemConfig


@dataclass(frozen=True)
class AlignSettings(Config):
    """Settings of the command itself."""

    vehicle: str = setting("", CALIBRATION)
    topic: tuple[str, ...] = topic_setting()


SETTINGS = CommandSettings(
    {
        "": AlignSettings(),
        "alignment": AlignmentConfig(),
        "seen_cones": SeenConesConfig(),
        "system": SystemConfig(),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", type=Path, help=BAG)
    parser.add_argument("--track", type=Path, required=True, help=MAP)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="map to write (CSV); a picture of the fit goes beside it",
    )
    SETTINGS.add_to(parser)
    aliases.add_options(parser, SETTINGS)


def run(options: argparse.Namespace) -> None:
    """Align, write map and picture, print the fit."""
    aliases.translate_options(options, SETTINGS)
    settings = SETTINGS.read(options)
    own = settings[AlignSettings]
    survey = ConeMap(*read_cones(options.track))
    seen = seen_cones(
        options.bag,
        settings[SeenConesConfig],
        system=settings[SystemConfig],
        vehicle=load_vehicle(own.vehicle) if own.vehicle else None,
        topics=read_roles(own.topic),
    )
    fit = align_map(survey, seen, settings[AlignmentConfig])
    picture = options.output.with_suffix(".png")
    save_cones(moved(survey.positions, fit.odom_from_map), survey.classes, options.output)
    draw_alignment(survey, seen, fit, picture)
    x, y, yaw = fit.odom_from_map
    print(f"origin of the map: x {x:.2f} m, y {y:.2f} m, turned by {math.degrees(yaw):.2f} degrees")
    print(f"fit: {fit.inliers:.0%} of {len(fit.matches)} cones, {fit.residual:.3f} m RMS")
    print(f"map: {options.output}\npicture: {picture}")
