"""Turn a folder of recordings into a bag (MCAP).

  conegrad import fskitti FOLDER -o BAG   the layout of FSKITTI (points, labels, images)
  conegrad import folder FOLDER -o BAG    pictures, scans and clouds of any source

docs/import.md describes both layouts.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import VEHICLE
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_data.importing.folder_formats import BIN_COLUMNS
from conegrad_data.importing.folder_import import import_folder
from conegrad_data.importing.fskitti_import import import_fskitti

CALIBRATION = "calibration.yaml"


@dataclass(frozen=True)
class ImportSettings(Config):
    """Settings of the command."""

    lidar_height: float | None = setting(
        None,
        "Height of a level LiDAR above the ground [m], of fskitti (default: measured, with its "
        "tilt, on the ground of the clouds)",
    )
    label_error: float | None = setting(
        None,
        "Standard deviation of x and y of the labels [m], of fskitti (default: measured by the "
        "returns of the clouds)",
        low=0.0,
        high=1.0,
    )
    part: str = setting(
        ":",
        "Part of the sequence, of fskitti, such as :8 or 8:",
        metavar="FIRST:END",
        aliases=("frames",),
    )
    vehicle: str = setting("", f"{VEHICLE}; empty: {CALIBRATION} in the folder")
    cloud_columns: int = setting(
        BIN_COLUMNS, "Values (float32) of a point of points/*.bin, of folder"
    )


SETTINGS = CommandSettings({"": ImportSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("layout", choices=("fskitti", "folder"), help="how the folder is laid out")
    parser.add_argument("folder", type=Path, help="folder to read")
    add_output(parser)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Import and say what was written."""
    if not options.folder.is_dir():
        raise FileNotFoundError(f"{options.folder}: no such folder, expected one to import")
    settings = SETTINGS.read(options)[ImportSettings]
    with output_bag(options, options.folder) as output:
        import_layout = _import_fskitti if options.layout == "fskitti" else _import_folder
        import_layout(options.folder, settings, output)
    print(f"{options.output}: written; 'conegrad info {options.output}' describes it")


def _import_fskitti(folder: Path, settings: ImportSettings, output: Path) -> None:
    import_fskitti(
        folder,
        output,
        lidar_height=settings.lidar_height,
        label_error=settings.label_error,
        rows=_rows(settings.part),
        progress=ProgressBar("import"),
    )


def _rows(text: str) -> slice:
    """The slice that ``FIRST:END`` says; either may be left out."""
    first, colon, end = text.partition(":")
    if not colon or not all(part.isdecimal() for part in (first, end) if part):
        raise ValueError(f"--part {text}: expected FIRST:END, such as :8 or 8:")
    return slice(int(first or 0), int(end) if end else None)


def _import_folder(folder: Path, settings: ImportSettings, output: Path) -> None:
    from conegrad_core.vehicle import load_vehicle

    calibration = folder / CALIBRATION
    if not settings.vehicle and not calibration.exists():
        raise ValueError(
            f"{calibration} is missing: copy config/vehicles/formula_student.yaml there and "
            f"write your sensors into it, or name a preset with --vehicle"
        )
    import_folder(
        folder,
        output,
        load_vehicle(settings.vehicle or calibration),
        cloud_columns=settings.cloud_columns,
        progress=ProgressBar("import"),
    )
