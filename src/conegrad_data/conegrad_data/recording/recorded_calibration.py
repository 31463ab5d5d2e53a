"""Calibration that a bag holds: fixed frames, intrinsics of the camera, size of its images."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, check_image_size
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import usable_calibration
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import (
    DecodeError,
    camera_model_from_msg,
    image_from_msg,
    segmentation_from_msg,
)
from conegrad_data.recording.scan_reading import ScanReader, ScanView
from conegrad_data.topics.topic_rules import is_rectified


def recorded_frames(bag: BagReader, topic: str | None) -> StaticFrames:
    """The fixed frames that one topic of a bag gives; without a topic there are none."""
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


def lidar_on_base(
    bodies: StaticFrames, base_frame: str, lidar_frame: str, vehicle: Vehicle | None = None
) -> Tensor:
    """``(4, 4)`` float64 ``base_from_lidar``.

    Args:
        bodies: fixed frames of the bag, or of the vehicle.
        base_frame: of the car.
        lidar_frame: of the scans.
        vehicle: preset whose LiDAR it is where ``bodies`` has no such frame.

    Raises:
        FrameError: if the frames are not connected.
    """
    if vehicle is not None and lidar_frame not in bodies.names:
        return vehicle.lidar.mounting.base_from_sensor()
    return torch.from_numpy(bodies.lookup(base_frame, lidar_frame))


def sensor_calibration(
    bag: BagReader,
    roles: Mapping[str, str],
    static: StaticFrames,
    frames: tuple[str, str],
    base_from_lidar: Tensor,
    vehicle: Vehicle | None = None,
) -> Calibration:
    """Calibration of a drive, of the bag or of a vehicle.

    Args:
        bag: the drive.
        roles: its topics.
        static: its fixed frames.
        frames: of the images and of the scans.
        base_from_lidar: ``(4, 4)`` mounting of the LiDAR.
        vehicle: preset that replaces the calibration of the bag.

    Raises:
        BagError: if camera_info is missing or cannot be used, or is of another image size.
        FrameError: if the frames are not connected.
        CalibrationError: if the calibration cannot be used.
    """
    camera_frame, lidar_frame = frames
    if vehicle is not None:
        camera = vehicle.camera.model()
        camera_from_lidar = vehicle.camera_from_base() @ base_from_lidar.double()
        camera_frame = ""  # that of the preset
    else:
        camera = recorded_camera(bag, roles)
        camera_from_lidar = torch.from_numpy(static.lookup(camera_frame, lidar_frame))
    check_recorded_size(bag, roles, camera)
    return usable_calibration(
        camera, camera_from_lidar.float(), base_from_lidar.float(), camera_frame, static
    )


def recorded_view(
    bag: BagReader,
    roles: Mapping[str, str],
    vehicle: Vehicle | None = None,
    reader: ScanReader | None = None,
) -> ScanView | None:
    """What the LiDAR could see: by the first scan or segmentation, else by a vehicle.

    Args:
        bag: the drive.
        roles: its topics.
        vehicle: preset, for a bag without scans.
        reader: of the scans; None reads them by the default settings.

    Returns:
        None where nothing states it.
    """
    reader = reader or ScanReader()
    views: Mapping[str, Callable[[Any], ScanView]] = {
        "scan": lambda msg: reader.read(msg).view,
        "points": lambda msg: reader.read(msg).view,
        "segmentation": lambda msg: ScanView.of_beams(
            segmentation_from_msg(msg).angles, msg.range_max
        ),
    }
    for role, view in views.items():
        for _, _, msg in bag.messages([roles[role]]) if role in roles else ():
            with contextlib.suppress(DecodeError):
                return view(msg)
    if vehicle is None:
        return None
    return ScanView.of_beams(vehicle.lidar.angles(), vehicle.lidar.range_max)
