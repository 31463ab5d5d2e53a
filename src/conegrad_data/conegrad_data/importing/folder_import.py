"""Imports a general folder of pictures, scans and clouds into a bag (docs/import.md)."""

import heapq
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conegrad_data.bags import messages
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_data.calibration.static_frames import sensor_transforms
from conegrad_data.importing.folder_formats import (
    BIN_COLUMNS,
    Row,
    number,
    read_cloud,
    read_scan,
    read_table,
    stamped_files,
    table_stamp,
)
from conegrad_data.importing.pictures import IMAGE_FORMATS, check_picture

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.cones import TrueCones
    from conegrad_core.vehicle import Vehicle

logger = logging.getLogger(__name__)

SCAN_SUFFIXES = (".npz", ".npy", ".csv")
CLOUD_SUFFIXES = (".bin", ".npy", ".pcd")
LABEL_COLUMNS = ("stamp", "x", "y", "colour")


class ImportedMessage(NamedTuple):
    """One message to come: made only when it is its turn, so that a drive need not fit memory."""

    stamp_ns: int
    order: int  # of messages of one stamp: odometry before sensors before truth
    write: Callable[[BagWriter], None]


def import_folder(
    folder: Path,
    output: Path,
    vehicle: "Vehicle",
    *,
    cloud_columns: int = BIN_COLUMNS,
    progress: Callable[[Iterable[ImportedMessage], int], Iterable[ImportedMessage]] | None = None,
) -> None:
    """Write all of a folder into a new bag, in the order of stamps.

    Args:
        folder: holds any of ``images/``, ``scans/``, ``points/``, ``odometry.csv``,
            ``labels.csv``.
        output: the bag to create.
        vehicle: the sensors and where they are mounted.
        cloud_columns: float32 values per point of ``points/*.bin``.
        progress: wraps the messages to show progress; given them and their number.

    Raises:
        BagError: if nothing is found or a file cannot be read.
        FileNotFoundError: if there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    notes: list[str] = []
    streams = [
        list(_odometry(folder / "odometry.csv")),
        list(_images(folder / "images", vehicle)),
        list(_scans(folder / "scans", vehicle, notes)),
        list(_clouds(folder / "points", cloud_columns)),
        list(_truth(folder / "labels.csv", vehicle)),
    ]
    entries = list(heapq.merge(*streams, key=lambda entry: entry[:2]))
    if not any(streams[1:4]):
        raise BagError(f"{folder} holds no images/*.png|jpg, scans/*.npz|npy|csv or points/*")
    with BagWriter(output, removed_by=BaseException) as bag:
        _write_transforms(bag, entries[0].stamp_ns, vehicle)
        for entry in progress(entries, len(entries)) if progress else entries:
            entry.write(bag)
    if notes:
        others = f"; so are those of {len(notes) - 1} other scans" if len(notes) > 1 else ""
        logger.warning("%s%s", notes[0], others)


def _images(folder: Path, vehicle: "Vehicle") -> Iterator[ImportedMessage]:
    camera = vehicle.camera.model()
    for stamp, path in stamped_files(folder, tuple(IMAGE_FORMATS)):
        check_picture(path, camera)
        yield ImportedMessage(
            stamp, 1, partial(_write_image, stamp=stamp, path=path, vehicle=vehicle)
        )


def _write_image(bag: BagWriter, stamp: int, path: Path, vehicle: "Vehicle") -> None:
    bag.write("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, camera_info(stamp, vehicle))
    image_format = IMAGE_FORMATS[path.suffix.lower()]
    msg = messages.compressed_image_msg(stamp, "camera_optical", path.read_bytes(), image_format)
    bag.write("/image_raw/compressed", "sensor_msgs/msg/CompressedImage", stamp, msg)


def camera_info(stamp: int, vehicle: "Vehicle") -> Any:
    """sensor_msgs/CameraInfo of a vehicle's camera."""
    model = vehicle.camera.model()
    return messages.camera_info_msg(
        stamp,
        "camera_optical",
        (model.width, model.height),
        model.intrinsics.numpy(),
        model.distortion.tolist(),
        model.distortion_model,
    )


def _scans(folder: Path, vehicle: "Vehicle", notes: list[str]) -> Iterator[ImportedMessage]:
    for stamp, path in stamped_files(folder, SCAN_SUFFIXES):
        write = partial(_write_scan, stamp=stamp, path=path, vehicle=vehicle, notes=notes)
        yield ImportedMessage(stamp, 2, write)


def _write_scan(
    bag: BagWriter, stamp: int, path: Path, vehicle: "Vehicle", notes: list[str]
) -> None:
    scan, lidar = read_scan(path), vehicle.lidar
    if scan.note:
        notes.append(scan.note)
    if scan.angle_min is None and len(scan.ranges) != lidar.beams:
        raise BagError(
            f"{path} has {len(scan.ranges)} beams and no angle_min; {vehicle.name} has "
            f"{lidar.beams} beams"
        )
    msg = messages.scan_msg(
        stamp,
        "lidar",
        scan.ranges,
        angle_min=lidar.angle_min if scan.angle_min is None else scan.angle_min,
        angle_increment=scan.angle_increment or lidar.angle_increment,
        range_min=lidar.range_min,
        range_max=lidar.range_max,
        scan_time=1 / lidar.rate,
    )
    bag.write("/scan", "sensor_msgs/msg/LaserScan", stamp, msg)


def _clouds(folder: Path, columns: int) -> Iterator[ImportedMessage]:
    for stamp, path in stamped_files(folder, CLOUD_SUFFIXES):
        yield ImportedMessage(
            stamp, 2, partial(_write_cloud, stamp=stamp, path=path, columns=columns)
        )


def _write_cloud(bag: BagWriter, stamp: int, path: Path, columns: int) -> None:
    msg = messages.points_msg(stamp, "lidar", read_cloud(path, columns))
    bag.write("/points", "sensor_msgs/msg/PointCloud2", stamp, msg)


def _odometry(path: Path) -> Iterator[ImportedMessage]:
    if not path.exists():
        return
    rows = [
        (table_stamp(row), tuple(number(row, column) for column in ("x", "y", "yaw")))
        for row in read_table(path, ("stamp", "x", "y", "yaw"))
    ]
    for stamp, (x, y, yaw) in sorted(rows):
        yield ImportedMessage(stamp, 0, partial(_write_odometry, stamp=stamp, pose=(x, y, yaw)))


def _write_odometry(bag: BagWriter, stamp: int, pose: tuple[float, float, float]) -> None:
    bag.write("/odom", "nav_msgs/msg/Odometry", stamp, messages.odometry_msg(stamp, pose))


def _truth(path: Path, vehicle: "Vehicle") -> Iterator[ImportedMessage]:
    if not path.exists():
        return
    rows = sorted(read_table(path, LABEL_COLUMNS), key=table_stamp)
    for stamp, group in itertools.groupby(rows, key=table_stamp):
        cones = _true_cones(list(group))
        write = partial(_write_truth, stamp=stamp, truth=cones, ground_z=-vehicle.lidar_height)
        yield ImportedMessage(stamp, 3, write)


def _write_truth(bag: BagWriter, stamp: int, truth: "TrueCones", ground_z: float) -> None:
    msg = messages.truth_msg(stamp, "lidar", truth, ground_z)
    bag.write("/truth", "conegrad_msgs/msg/TruthCones", stamp, msg)


def _true_cones(rows: list[Row]) -> "TrueCones":
    import torch

    from conegrad_core.cones import COLOUR_NAMES, TrueCones

    positions = [[number(row, "x"), number(row, "y")] for row in rows]
    for place, values in rows:
        colour = values["colour"]
        if colour not in COLOUR_NAMES:
            raise BagError(f"{place}: colour is {colour!r}, expected one of {COLOUR_NAMES}")
    table = [row.values for row in rows]
    deviations = [number(row, "deviation") if row.values.get("deviation") else 0.0 for row in rows]
    if bad := next((row.place for row, d in zip(rows, deviations, strict=True) if d < 0), None):
        raise BagError(f"{bad}: deviation is below 0, expected a standard deviation [m]")
    return TrueCones(
        positions=torch.tensor(positions),
        classes=torch.tensor([COLOUR_NAMES.index(values["colour"]) for values in table]),
        visible_camera=torch.tensor([values.get("visible_camera", "1") != "0" for values in table]),
        visible_lidar=torch.tensor([values.get("visible_lidar", "1") != "0" for values in table]),
        deviations=torch.tensor(deviations) if any(deviations) else None,
    )


def _write_transforms(bag: BagWriter, stamp: int, vehicle: "Vehicle") -> None:
    msg = messages.transforms_msg(stamp, sensor_transforms(vehicle))
    bag.write("/tf_static", "tf2_msgs/msg/TFMessage", stamp, msg)
