"""Lists the frames of an FSKITTI sequence: its own ``metadata.json``, or ``odometry.json``."""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from conegrad_data.bags import messages
from conegrad_data.bags.types import BagError

logger = logging.getLogger(__name__)

METADATA, ODOMETRY = "metadata.json", "odometry.json"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


class FskittiFrame(NamedTuple):
    """One instant of a sequence.

    Attributes:
        name: its number as its files have it.
        stamp_ns: of all of its messages [ns].
        pose: x, y [m] and yaw [rad] of the LiDAR in its world.
        points: its cloud.
        labels: its cones, None if there are none.
        image: its picture, None if there is none.
    """

    name: str
    stamp_ns: int
    pose: tuple[float, float, float]
    points: Path
    labels: Path | None
    image: Path | None


def read_frames(folder: Path) -> list[FskittiFrame]:
    """Frames of a sequence in the order of time; what is listed and missing is reported.

    Both files hold the pose of the world *in the car* (``p_car = R(yaw) p_world + t``): only read
    in this way do the labels of neighbouring frames fall on one another, to 1 mm. It is inverted
    here.

    Raises:
        BagError: if there is no frame, or the file is not of its form.
    """
    path = next((p for name in (ODOMETRY, METADATA) if (p := folder / name).exists()), None)
    if path is None:
        raise BagError(
            f"{folder / ODOMETRY} is missing, and so is {METADATA}: is this a folder of the "
            "FSKITTI layout?"
        )
    read = _of_odometry if path.name == ODOMETRY else _of_metadata
    try:
        frames = _without_repetition(path, list(read(folder, read_json(path))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BagError):
            raise
        raise BagError(f"{path}: {FORMS[path.name]} ({error!r})") from error
    return sorted(_with_files(path, frames), key=lambda frame: frame.stamp_ns)


FORMS = {
    ODOMETRY: "expected a list of id, stamp, x, y, yaw",
    METADATA: "expected data with id, odom (timestamp, x, y, yaw) and pointcloud (file) in each",
}


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        BagError: if it is none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BagError(f"{path}: not valid JSON ({error})") from error


def _of_odometry(folder: Path, rows: Any) -> Iterator[FskittiFrame]:
    for row in rows:
        name = f"{int(row['id']):07d}"
        pictures = [folder / "images" / f"{name}{suffix}" for suffix in IMAGE_SUFFIXES]
        labels = folder / "labels" / f"{name}.txt"
        yield FskittiFrame(
            name,
            round(float(row["stamp"]) * messages.NANOSECONDS),
            _inverse_pose(float(row["x"]), float(row["y"]), float(row["yaw"])),
            folder / "points" / f"{name}.bin",
            labels if labels.exists() else None,
            next((picture for picture in pictures if picture.exists()), None),
        )


def _of_metadata(folder: Path, content: Any) -> Iterator[FskittiFrame]:
    for row in content["data"]:
        odometry = row["odom"]
        files = {key: row[key]["file"] for key in ("labels", "image") if row.get(key)}
        yield FskittiFrame(
            f"{int(row['id']):07d}",
            round(float(odometry["timestamp"]) * messages.NANOSECONDS),
            _inverse_pose(float(odometry["x"]), float(odometry["y"]), float(odometry["yaw"])),
            folder / row["pointcloud"]["file"],
            folder / files["labels"] if "labels" in files else None,
            folder / files["image"] if "image" in files else None,
        )


def _without_repetition(path: Path, frames: Sequence[FskittiFrame]) -> list[FskittiFrame]:
    by_name: dict[str, FskittiFrame] = {}
    for frame in frames:
        if by_name.setdefault(frame.name, frame) != frame:
            raise BagError(f"{path}: frame {frame.name} comes twice, with different content")
    if len(by_name) < len(frames):
        logger.warning("%s: %d frames come twice; read once", path, len(frames) - len(by_name))
    return list(by_name.values())


def _with_files(path: Path, frames: Sequence[FskittiFrame]) -> list[FskittiFrame]:
    """The frames that have a cloud, with the labels and pictures that are there."""
    kept = [frame for frame in frames if frame.points.exists()]
    if not kept:
        raise BagError(f"{path.parent}: no frame of {path.name} has a cloud points/NNNNNNN.bin")
    _tell_missing(path, "cloud", [f.points for f in frames if not f.points.exists()], "left out")
    labels = [f.labels for f in kept if f.labels and not f.labels.exists()]
    images = [f.image for f in kept if f.image and not f.image.exists()]
    _tell_missing(path, "labels", labels, "imported without labels")
    _tell_missing(path, "image", images, "imported without image")
    return [
        frame._replace(
            labels=None if frame.labels in labels else frame.labels,
            image=None if frame.image in images else frame.image,
        )
        for frame in kept
    ]


def _tell_missing(path: Path, kind: str, missing: Sequence[Path], fate: str) -> None:
    if missing:
        logger.warning(
            "%s lists %d files (%s) that are missing, %s first: their frames are %s",
            path,
            len(missing),
            kind,
            missing[0].name,
            fate,
        )


def _inverse_pose(x: float, y: float, yaw: float) -> tuple[float, float, float]:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return float(-cos * x - sin * y), float(sin * x - cos * y), -yaw
