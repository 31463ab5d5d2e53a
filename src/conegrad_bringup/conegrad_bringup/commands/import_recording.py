"""Turn a folder of recordings into a bag (MCAP).

  conegrad import fskitti FOLDER -o BAG   the layout of FSKITTI (points, labels, images)
  conegrad import folder FOLDER -o BAG    pictures, scans and clouds of any source

docs/import.md describes both layouts.
"""

import argparse
from pathlib import Path

from conegrad_bringup.options import Bar
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_data.importing.folder_formats import BIN_COLUMNS
from conegrad_data.importing.folder_import import import_folder
from conegrad_data.importing.fskitti_import import import_fskitti

CALIBRATION = "calibration.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("layout", choices=("fskitti", "folder"), help="how the folder is laid out")
    parser.add_argument("folder", type=Path, help="folder to read")
    add_output(parser)
    parser.add_argument(
        "--lidar-height",
        type=float,
        help="fskitti: height of a level LiDAR above the ground [m] (default: measured, with its "
        "tilt, on the ground of the clouds)",
    )
    parser.add_argument(
        "--frames",
        default=":",
        metavar="FIRST:END",
        help="fskitti: part of the sequence, such as :8 or 8: (default: all frames)",
    )
    parser.add_argument(
        "--vehicle",
        default="",
        help=f"folder: vehicle preset by name or file (default: {CALIBRATION} in the folder)",
    )
    parser.add_argument(
        "--cloud-columns",
        type=int,
        default=BIN_COLUMNS,
        help="folder: float32 values per point of points/*.bin (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Import and say what was written."""
    if not options.folder.is_dir():
        raise FileNotFoundError(f"{options.folder}: no such folder, expected one to import")
    with output_bag(options, options.folder) as output:
        import_layout = _import_fskitti if options.layout == "fskitti" else _import_folder
        import_layout(options, output)
    print(f"{options.output}: written; 'conegrad info {options.output}' describes it")


def _import_fskitti(options: argparse.Namespace, output: Path) -> None:
    import_fskitti(
        options.folder,
        output,
        lidar_height=options.lidar_height,
        rows=_rows(options.frames),
        progress=Bar("import"),
    )


def _rows(text: str) -> slice:
    """The slice that ``FIRST:END`` says; either may be left out."""
    first, colon, end = text.partition(":")
    if not colon or not all(part.isdecimal() for part in (first, end) if part):
        raise ValueError(f"--frames {text}: expected FIRST:END, such as :8 or 8:")
    return slice(int(first or 0), int(end) if end else None)


def _import_folder(options: argparse.Namespace, output: Path) -> None:
    from conegrad_core.vehicle import load_vehicle

    calibration = options.folder / CALIBRATION
    if not options.vehicle and not calibration.exists():
        raise ValueError(
            f"{calibration} is missing: copy config/vehicles/formula_student.yaml there and "
            f"write your sensors into it, or name a preset with --vehicle"
        )
    import_folder(
        options.folder,
        output,
        load_vehicle(options.vehicle or calibration),
        cloud_columns=options.cloud_columns,
        progress=Bar("import"),
    )
