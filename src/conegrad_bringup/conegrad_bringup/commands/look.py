"""Show what the detector sees in pictures: boxes, scores and counts; no recording, no calibration.

  conegrad look pictures -o seen
  conegrad look front.jpg side.png -o seen --min-score 0.5
  conegrad look pictures -o seen --height 1.1 --tilt 8 --fov 90

Folders stand for the pictures in them. OUTPUT gets each picture with its boxes, cones.csv and the
page index.html. With the height of the camera above flat ground, roughly how far it looks down
and its field of view, each cone gets its place on the ground, too: x ahead and y left of the point
below the camera.
"""

import argparse
import logging
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import FORCE
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.drawing import MIN_SCORE
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_evaluation.pictures.picture_files import PictureError, find_pictures, read_picture
from conegrad_evaluation.pictures.picture_report import PictureReport
from conegrad_evaluation.pictures.seen_picture import (
    RoughMounting,
    look_at,
    tilt_of_boxes,
)

logger = logging.getLogger(__name__)

LEAST_BOXES = 5
TILT_ERROR = 3.0  # [degrees] that is worth a word


@dataclass(frozen=True)
class LookSettings(Config):
    """Settings of the command."""

    min_score: float = setting(MIN_SCORE, "Boxes of a lower score are left out", low=0.0, high=1.0)


SETTINGS = CommandSettings(
    {"": LookSettings(), "mounting": RoughMounting(), "detector": DetectorConfig()}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "pictures", type=Path, nargs="+", metavar="PICTURE", help="pictures, or folders of them"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("seen"), help="folder to write (default: seen)"
    )
    parser.add_argument("--force", action="store_true", help=FORCE)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Look at each picture; the exit code is 1 if none could be read."""
    settings = SETTINGS.read(options)
    own, mounting = settings[LookSettings], settings[RoughMounting]
    paths = find_pictures(options.pictures)
    if options.output.is_dir() and any(options.output.iterdir()) and not options.force:
        raise ValueError(f"{options.output} is not empty: choose another folder, or --force")
    detector = load_detector(settings[DetectorConfig])
    report = PictureReport(options.output)
    unread, tilts = 0, []
    for path in ProgressBar("look")(paths, len(paths)):
        try:
            image = read_picture(path)
        except PictureError as error:
            logger.warning("%s", error)
            unread += 1
            continue
        calibration = mounting.calibration(image.shape[1], image.shape[0])
        seen = look_at(image, detector, calibration, own.min_score)
        report.add(path, image, seen, calibration)
        if calibration is not None and mounting.height is not None:
            tilts += tilt_of_boxes(seen, mounting.height, calibration).tolist()
    if not report.pictures:
        raise PictureError(f"none of {len(paths)} files could be read as a picture")
    counts = ", ".join(f"{report.totals[name]} {name.replace('_', ' ')}" for name in CLASS_NAMES)
    left = f"; {unread} files could not be read" if unread else ""
    print(f"{report.pictures} pictures: {counts}{left}")
    print(f"see {report.finish()}")
    if hint := tilt_hint(tilts, mounting):
        logger.warning("%s", hint)
    return 0


def tilt_hint(tilts: Sequence[float], mounting: RoughMounting) -> str:
    """What the boxes say about the tilt, where that is another one than was given.

    Args:
        tilts: of single boxes [rad].
        mounting: as given.
    """
    if len(tilts) < LEAST_BOXES:
        return ""
    found = math.degrees(statistics.median(tilts))
    if abs(found - mounting.tilt) < TILT_ERROR:
        return ""
    return (
        f"the sizes of the boxes fit a camera that looks down by {found:.0f} degrees at this "
        f"height and field of view, not by {mounting.tilt:.0f}: try --tilt {found:.0f}"
    )
