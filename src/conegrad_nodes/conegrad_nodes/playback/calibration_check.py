"""Whether a bag and the settings give the calibration that the fusion waits for."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from conegrad_core.geometry.camera import CameraModel, check_image_size
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.decode import DecodeError, read_header
from conegrad_data.recording.headers import first_frame
from conegrad_nodes.parameters.chosen_parameters import settings

FRAMES_OF_BAG = "tf_static.yaml"  # a run writes the transforms of its bag there
REMEDY = (
    "record it, or give --vehicle with a preset or file, or a calibration file: "
    "--set calibration.{part}=file --set calibration.file=FILE"
)


def check_calibration(
    bag: BagReader,
    roles: Mapping[str, str],
    parameters: Mapping[str, Any],
    image_sizes: Iterable[tuple[int, int]] = (),
    *,
    with_lidar: bool = True,
) -> None:
    """Put the calibration together as the fusion node will, before anything is played.

    Args:
        bag: the drive.
        roles: topic of the bag of each role that is played.
        parameters: of the nodes by full name, those of parameter files included.
        image_sizes: width and height of some images [px].
        with_lidar: messages of the LiDAR can be used, where there are any.

    Raises:
        BagError: if a part is missing or cannot be used; says which, and what could replace it.
        ValueError: if a setting of the calibration is out of bounds.
    """
    config = settings(CalibrationConfig, parameters, "calibration")
    source = CalibrationSource(config)
    has_camera = "image" in roles
    needs_info = has_camera and config.intrinsics == "camera_info"
    fault = _camera_info_fault(source, bag, roles) if needs_info else None
    if fault is not None:
        missing = f"has no camera_info that can be used{fault}"
        raise BagError(f"{bag.path} {missing}; {REMEDY.format(part='intrinsics')}")
    remedy = REMEDY.format(part="extrinsics")
    if config.extrinsics == "tf":
        raise BagError(
            f"{bag.path} has no tf_static, which states where the sensors are; {remedy}. Where it "
            "has another name: --topic tf_static=NAME"
        )
    lidar_frame = first_frame(bag, roles.get("scan") or roles.get("points"))
    _check_named(bag, roles, config)
    try:
        calibration, _ = source.needed(
            first_frame(bag, roles.get("image")),
            lidar_frame,
            with_camera=has_camera,
            with_lidar=with_lidar and bool({"scan", "points"} & set(roles)),
        )
    except CalibrationError as error:
        text = str(error)
        if Path(config.file).name == FRAMES_OF_BAG:
            text = text.replace(config.file, "tf_static")
        raise BagError(f"{bag.path}: {text}; {remedy}") from error
    if calibration is not None:
        _check_sizes(calibration.camera, image_sizes, f"{bag.path}: {roles['image']}")


def _check_named(bag: BagReader, roles: Mapping[str, str], config: CalibrationConfig) -> None:
    """Refuse sensors whose messages name no frame, where the settings name none either."""
    sensors = {"scan": "lidar_frame", "points": "lidar_frame"}
    if config.extrinsics != "vehicle":
        sensors["image"] = "camera_frame"
    for role, setting in sensors.items():
        if role in roles and not getattr(config, setting) and _is_unnamed(bag, roles[role]):
            raise BagError(
                f"{bag.path}: header.frame_id is empty on {roles[role]}, expected the frame of "
                f"the sensor; name it with --set calibration.{setting}=FRAME"
            )


def _is_unnamed(bag: BagReader, topic: str) -> bool:
    """Whether the first header of a topic that can be read names no frame."""
    for raw in bag.raw_messages([topic]):
        with contextlib.suppress(DecodeError):
            return not read_header(raw.data).frame
    return False


def _check_sizes(camera: CameraModel, sizes: Iterable[tuple[int, int]], place: str) -> None:
    for size in sizes:
        try:
            check_image_size(camera, *size)
        except ValueError as error:
            raise BagError(f"{place}: {error}") from error


def _camera_info_fault(
    source: CalibrationSource, bag: BagReader, roles: Mapping[str, str]
) -> str | None:
    """Why no camera_info can be used; None where one can, which the source then has."""
    if "camera_info" not in roles:
        return ""
    fault = ""
    for _, _, msg in bag.messages([roles["camera_info"]]):
        try:
            source.take_camera_info(msg)
        except DecodeError as error:  # the node skips it, too
            fault = fault or f" on {roles['camera_info']}: {error}"
            continue
        return None
    return fault
