"""Calibration that a bag holds: fixed frames, intrinsics of the camera, size of its images."""

from collections.abc import Mapping

from conegrad_core.geometry.camera import CameraModel, check_image_size
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import DecodeError, camera_model_from_msg, image_from_msg
from conegrad_data.topics.topic_rules import is_rectified


def recorded_frames(bag: BagReader, topic: str | None) -> StaticFrames:
    """The fixed frames that one topic of a bag tells; without a topic there are none."""
    return StaticFrames(msg for _, _, msg in bag.messages([topic])) if topic else StaticFrames()


def recorded_camera(bag: BagReader, roles: Mapping[str, str]) -> CameraModel:
    """Camera of the first camera_info that can be used, raw or rectified as its images are.

    Args:
        bag: the drive.
        roles: its topics.

    Raises:
        BagError: if there is none; says why the first one cannot be used.
    """
    if "camera_info" not in roles:
        raise BagError("the bag holds no camera_info; record it")
    rectified = is_rectified(roles.get("image", ""))
    fault = "it has no messages"
    for _, _, msg in bag.messages([roles["camera_info"]]):
        try:
            return camera_model_from_msg(msg, rectified=rectified)
        except DecodeError as error:
            fault = str(error) if fault.startswith("it has") else fault
    raise BagError(f"{roles['camera_info']} cannot be used: {fault}")


def check_recorded_size(bag: BagReader, roles: Mapping[str, str], camera: CameraModel) -> None:
    """Refuse intrinsics of another image size than that of the first image of a bag.

    Raises:
        BagError: with both sizes; also if the image itself cannot be used.
    """
    topic = roles.get("image")
    msg = next((m for _, _, m in bag.messages([topic])), None) if topic else None
    if msg is None:
        return
    try:
        height, width = image_from_msg(msg).shape[:2]
        check_image_size(camera, width, height)
    except ValueError as error:
        raise BagError(f"{topic}: {error}") from error
