"""Whether a bag and the settings give the calibration that the fusion waits for."""

from collections.abc import Mapping
from typing import Any

from conegrad_nodes.bags.info import read_stamp
from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.types import BagError
from conegrad_nodes.calibration import CalibrationConfig, CalibrationError, CalibrationSource
from conegrad_nodes.decode import DecodeError, camera_model_from_msg
from conegrad_nodes.playback.chosen_parameters import settings

REMEDY = (
    "record it, or give --vehicle with a preset or file, or a calibration file: "
    "--set calibration.{part}=file --set calibration.file=FILE"
)


def check_calibration(
    bag: BagReader, roles: Mapping[str, str], parameters: Mapping[str, Any]
) -> None:
    """Put the calibration together as the fusion node will, before anything is played.

    Args:
        bag: the drive.
        roles: topic of the bag of each role that is played.
        parameters: of the nodes by full name, those of parameter files included.

    Raises:
        BagError: if a part is missing or cannot be used; says which, and what could replace it.
        ValueError: if a setting of the calibration is out of bounds.
    """
    config = settings(CalibrationConfig, parameters, "calibration")
    source = CalibrationSource(config)
    has_camera = "image" in roles
    needs_info = has_camera and config.intrinsics == "camera_info"
    if needs_info and not _take_camera_info(source, bag, roles):
        missing = "has no camera_info that can be used"
        raise BagError(f"{bag.path} {missing}; {REMEDY.format(part='intrinsics')}")
    remedy = REMEDY.format(part="extrinsics")
    if config.extrinsics == "tf":
        raise BagError(
            f"{bag.path} has no tf_static, which tells where the sensors are; {remedy}. Where it "
            "has another name: --topic tf_static=NAME"
        )
    lidar_frame = _first_frame(bag, roles, "scan" if "scan" in roles else "points")
    try:
        source.needed(
            _first_frame(bag, roles, "image"),
            lidar_frame,
            with_camera=has_camera,
            with_lidar=bool({"scan", "points"} & set(roles)),
        )
    except CalibrationError as error:
        raise BagError(f"{bag.path}: {error}; {remedy}") from error


def _take_camera_info(source: CalibrationSource, bag: BagReader, roles: Mapping[str, str]) -> bool:
    if "camera_info" not in roles:
        return False
    for _, _, msg in bag.messages([roles["camera_info"]]):
        try:
            source.set_camera(camera_model_from_msg(msg))
        except DecodeError:  # the node skips it, too
            continue
        return True
    return False


def _first_frame(bag: BagReader, roles: Mapping[str, str], role: str) -> str:
    if role not in roles:
        return ""
    return next((read_stamp(raw.data).frame for raw in bag.raw_messages([roles[role]])), "")
