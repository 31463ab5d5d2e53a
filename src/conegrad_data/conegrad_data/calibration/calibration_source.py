"""Where the sensors are: from camera_info and tf_static, a file, or a vehicle preset."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from conegrad_core.geometry.calibration import (
    Calibration,
    mounted_calibration,
)
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.mounting import NotUprightError, lidar_up
from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_data.calibration.calibration_file import CalibrationFile
from conegrad_data.calibration.static_frames import MAX_NAMED, FrameError, StaticFrames
from conegrad_data.decode import DecodeError, Matrix, camera_model_from_msg

HAS_TF2_MESSAGES = find_spec("tf2_msgs") is not None
INTRINSICS_SOURCES = ("camera_info", "file", "vehicle")
EXTRINSICS_SOURCES = ("tf", "file", "vehicle")
MAX_KNOWN = 16  # calibrations that are held: one for each pair of frames
IMAGES = ("raw", "rectified")
NEAR = 0.3  # [m] between two frames of one camera


class CalibrationError(ValueError):
    """A part of the calibration is not known (yet); says which and where it should come from."""


@dataclass(frozen=True)
class CalibrationConfig(Config):
    """Where the calibration comes from."""

    intrinsics: str = setting("camera_info", "Intrinsics come from: camera_info, file or vehicle")
    extrinsics: str = setting("tf", "Extrinsics come from: tf (tf_static), file or vehicle")
    file: str = setting("", "Calibration file, like config/frames.yaml")
    vehicle: str = setting("", "Vehicle preset, by name or path")
    base_frame: str = setting("base_link", "Frame on the ground below the vehicle")
    lidar_frame: str = setting("", "Frame of the LiDAR; empty: as in its messages")
    default_lidar_frame: str = setting(
        "", "Frame of cones before the first scan; empty: the base frame"
    )
    camera_frame: str = setting("", "Optical frame of the camera; empty: as in its messages")
    images: str = setting(
        "raw", "Of camera_info, K and D are taken for raw images, P for rectified: raw or rectified"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (
            ("intrinsics", INTRINSICS_SOURCES),
            ("extrinsics", EXTRINSICS_SOURCES),
            ("images", IMAGES),
        ):
            self.check_choice(name, allowed)
            value = getattr(self, name)
            if value in ("file", "vehicle") and not getattr(self, value):
                raise self.refusal(name, f"is {value!r}, but calibration.{value} is empty")


class CalibrationSource:
    """Puts the calibration together and keeps it; a missing part is never guessed.

    Raises:
        ValueError: if the file or the preset cannot be used.
    """

    def __init__(self, config: CalibrationConfig) -> None:
        self._config = config
        self._vehicle: Vehicle | None = load_vehicle(config.vehicle) if config.vehicle else None
        file = CalibrationFile(Path(config.file).expanduser()) if config.file else None
        self._camera = file.camera if file and config.intrinsics == "file" else None
        if self._vehicle and config.intrinsics == "vehicle":
            self._camera = self._vehicle.camera.model()
        if file and config.intrinsics == "file" and file.camera is None:
            raise ValueError(f"{config.file} has no section camera, expected the intrinsics")
        transforms = file.transforms if file and config.extrinsics == "file" else []
        self._frames = StaticFrames(transforms)
        if self._frames.faults:
            raise ValueError(f"{config.file}: {'; '.join(self._frames.faults.values())}")
        self._known: dict[tuple[str, str], tuple[Calibration, Tensor]] = {}

    def cone_frame(self, lidar_frame: str) -> str:
        """Frame of the cones: of the LiDAR by its messages or the settings, else of the base.

        Args:
            lidar_frame: of the scan, or of the newest one; empty as long as there was none.
        """
        config = self._config
        return config.lidar_frame or lidar_frame or config.default_lidar_frame or config.base_frame

    @property
    def camera(self) -> CameraModel | None:
        """Intrinsics as they are known now; None as long as they are not."""
        return self._camera

    def take_camera_info(self, msg: Any) -> None:
        """Take a sensor_msgs/CameraInfo, if the intrinsics come from there.

        Raises:
            DecodeError: if it cannot be used.
        """
        self.set_camera(camera_model_from_msg(msg, rectified=self._config.images == "rectified"))

    def set_camera(self, camera: CameraModel) -> None:
        """Take the intrinsics of a camera_info message, if they come from there."""
        if self._config.intrinsics == "camera_info" and not _same(camera, self._camera):
            self._camera = camera
            self._known.clear()

    def add_transforms(self, msg: Any) -> None:
        """Take a message of tf_static, if the extrinsics come from there.

        Raises:
            DecodeError: if it holds transforms that cannot be used; all others count.
        """
        if self._config.extrinsics != "tf":
            return
        if self._frames.add(msg):
            self._known.clear()
        children = [transform.child_frame_id.lstrip("/") for transform in msg.transforms]
        faults = [self._frames.faults[child] for child in children if child in self._frames.faults]
        if faults:
            count = f"{len(faults)} of {len(children)} transforms cannot be used"
            raise DecodeError(f"{count}: {'; '.join(faults[:MAX_NAMED])}")

    def needed(
        self, camera_frame: str, lidar_frame: str, *, with_camera: bool, with_lidar: bool = True
    ) -> tuple[Calibration | None, Tensor]:
        """As :meth:`calibration`; without a camera None, and where the LiDAR is.

        Args:
            camera_frame: of the detections.
            lidar_frame: of the segmentation, or where it took no part of the newest one.
            with_camera: whether detections took part.
            with_lidar: whether a segmentation took part: its frame must be known.
        """
        if with_lidar or not with_camera:
            _check_named(self._config.lidar_frame or lidar_frame, "LiDAR")
        if with_camera:
            return self.calibration(camera_frame, lidar_frame)
        return None, self._base_from(self.cone_frame(lidar_frame))

    def base_from(self, body: str) -> Matrix:
        """``(4, 4)`` transform from the frame of a body fixed to the car into that of the base.

        Raises:
            CalibrationError: if it is not known.
        """
        if self._vehicle and self._config.extrinsics == "vehicle":
            frames = StaticFrames.of_vehicle(self._vehicle)
            try:
                return frames.lookup(self._config.base_frame, body)
            except FrameError as error:
                known = ", ".join(frames.names)
                raise CalibrationError(
                    f"the vehicle preset has no frame {body!r}, expected one of: {known}"
                ) from error
        return self._lookup(self._config.base_frame, body, "base").double().numpy()

    def _base_from(self, cone_frame: str) -> Tensor:
        if cone_frame == self._config.base_frame:
            return torch.eye(4)  # no guess: a frame in itself
        if self._vehicle and self._config.extrinsics == "vehicle":
            pose = self._vehicle.lidar.mounting.base_from_sensor().float()
        else:
            pose = self._lookup(self._config.base_frame, cone_frame, "base")
        try:
            lidar_up(pose)
        except ValueError as error:
            raise CalibrationError(f"the calibration cannot be used: {error}") from error
        return pose

    def calibration(self, camera_frame: str, lidar_frame: str) -> tuple[Calibration, Tensor]:
        """The calibration in the frame of the cones, and ``base_from_lidar`` ``(4, 4)``.

        Args:
            camera_frame: of the detections; the settings take precedence.
            lidar_frame: of the segmentation; likewise. Where no LiDAR took part so far it is
                empty, and the base stands in for the LiDAR.

        Raises:
            CalibrationError: naming what is missing.
        """
        frames = (
            self._config.camera_frame or camera_frame,
            self.cone_frame(lidar_frame),
        )
        if frames not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[frames] = self._assembled(*frames)
        return self._known[frames]

    def _assembled(self, camera_frame: str, cone_frame: str) -> tuple[Calibration, Tensor]:
        if self._camera is None:
            raise CalibrationError(
                "no intrinsics: nothing received on camera_info, and calibration.intrinsics is "
                f"{self._config.intrinsics!r}"
            )
        base_from_lidar = self._base_from(cone_frame)
        camera_from_lidar = self._camera_from(camera_frame, cone_frame, base_from_lidar)
        calibration = usable_calibration(
            self._camera, camera_from_lidar, base_from_lidar, camera_frame, self._frames
        )
        return calibration, base_from_lidar

    def _camera_from(self, camera_frame: str, cone_frame: str, base_from_lidar: Tensor) -> Tensor:
        if self._vehicle and self._config.extrinsics == "vehicle":
            return (self._vehicle.camera_from_base() @ base_from_lidar.double()).float()
        _check_named(camera_frame, "camera")
        return self._lookup(camera_frame, cone_frame, "camera")

    def _lookup(self, target: str, source: str, what: str) -> Tensor:
        if self._config.extrinsics == "tf" and not HAS_TF2_MESSAGES:
            raise CalibrationError(
                "no extrinsics: calibration.extrinsics is 'tf', but tf2_msgs is not installed; "
                "install it, or set calibration.extrinsics to 'file' or 'vehicle'"
            )
        try:
            return torch.from_numpy(self._frames.lookup(target, source)).float()
        except FrameError as error:
            place = "tf_static" if self._config.extrinsics == "tf" else self._config.file
            known = ", ".join(self._frames.names) or "none"
            raise CalibrationError(
                f"no extrinsics from {source!r} to {target!r} ({what}) in {place}; "
                f"frames known there: {known}{self._frames.explained()}"
            ) from error


def usable_calibration(
    camera: CameraModel,
    camera_from_lidar: Tensor,
    base_from_lidar: Tensor,
    camera_frame: str = "",
    frames: StaticFrames | None = None,
) -> Calibration:
    """Calibration of sensors as mounted; the one check of it, for every way in.

    Args:
        camera: intrinsics and distortion.
        camera_from_lidar: ``(4, 4)`` rigid transform into the camera's optical frame.
        base_from_lidar: ``(4, 4)`` rigid transform into the car's frame, z = 0 on the ground.
        camera_frame: of the images, for people.
        frames: where an optical frame is looked for, should that of the images be none.

    Raises:
        CalibrationError: if it cannot be used; says why.
    """
    try:
        return mounted_calibration(camera, camera_from_lidar, base_from_lidar)
    except NotUprightError as error:
        place = f"images are in the frame {camera_frame!r}: " if camera_frame else ""
        other = ""
        if camera_frame and frames:
            other = _optical_frame(frames, camera_frame, camera, camera_from_lidar, base_from_lidar)
        hint = f"; {other!r} is one, set calibration.camera_frame to it" if other else ""
        raise CalibrationError(
            f"{place}{error}; images belong to an optical frame, x right, y down, z forward{hint}"
        ) from error
    except ValueError as error:
        raise CalibrationError(f"the calibration cannot be used: {error}") from error


def _optical_frame(
    frames: StaticFrames,
    camera_frame: str,
    camera: CameraModel,
    camera_from_lidar: Tensor,
    base_from_lidar: Tensor,
) -> str:
    """A frame beside that of the images which is an optical one; empty where there is none."""
    for name in frames.names:
        try:
            other_from_camera = torch.from_numpy(frames.lookup(name, camera_frame)).float()
            mounted_calibration(camera, other_from_camera @ camera_from_lidar, base_from_lidar)
        except ValueError:
            continue
        if float(other_from_camera[:3, 3].norm()) < NEAR:
            return name
    return ""


def _check_named(frame: str, sensor: str) -> None:
    if not frame:
        raise CalibrationError(
            f"the frame of the {sensor} is not known: its messages have none, or did not come yet, "
            f"and calibration.{sensor.lower()}_frame is empty"
        )


def _same(a: CameraModel, b: CameraModel | None) -> bool:
    return (
        b is not None
        and (a.width, a.height, a.distortion_model) == (b.width, b.height, b.distortion_model)
        and torch.equal(a.intrinsics, b.intrinsics)
        and torch.equal(a.distortion, b.distortion)
    )
