"""``calibration.yaml`` of a record: the calibration of the vehicle as plain numbers."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from conegrad_core.geometry.calibration import Calibration, check_calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.settings import Config, required
from conegrad_core.settings.mapping import Location, read_config
from conegrad_core.settings.yaml_file import read_yaml_file, yaml_text
from conegrad_core.whole_file import write_whole


@dataclass(frozen=True)
class _CalibrationEntries(Config):
    """Fields of the file."""

    width: int = required("Image width [px]", low=1)
    height: int = required("Image height [px]", low=1)
    intrinsics: tuple[float, ...] = required("Camera matrix, row by row [px]")
    distortion_model: str = required("As of the vehicle presets")
    distortion: tuple[float, ...] = required("Distortion coefficients")
    camera_from_lidar: tuple[float, ...] = required("Rigid transform, row by row")
    lidar_height: float = required("Of the LiDAR above the ground [m]")
    up: float = required("1, or -1 where the LiDAR hangs upside down", low=-1.0, high=1.0)


def write_calibration_file(path: Path, calibration: Calibration) -> None:
    """Write a calibration; 32-bit numbers are kept exactly."""
    camera = calibration.camera
    entries = _CalibrationEntries(
        width=camera.width,
        height=camera.height,
        intrinsics=_numbers(camera.intrinsics),
        distortion_model=camera.distortion_model,
        distortion=_numbers(camera.distortion),
        camera_from_lidar=_numbers(calibration.camera_from_lidar),
        lidar_height=float(calibration.lidar_height),
        up=float(calibration.up),
    )
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(entries).items()
    }
    write_whole(path, yaml_text(plain).encode())


def read_calibration_file(path: Path) -> Calibration:
    """Read a file of :func:`write_calibration_file`.

    Raises:
        ValueError: naming file, line, key and what was expected.
    """
    document = read_yaml_file(path)
    read = read_config(_CalibrationEntries, document.content, Location(document.place))
    for name, values, count in (
        ("intrinsics", read.intrinsics, 9),
        ("camera_from_lidar", read.camera_from_lidar, 16),
    ):
        if len(values) != count:
            raise ValueError(f"{path}: {name} has {len(values)} numbers, expected {count}")
    camera = CameraModel(
        read.width,
        read.height,
        torch.tensor(read.intrinsics).reshape(3, 3),
        torch.tensor(read.distortion),
        read.distortion_model,
    )
    transform = torch.tensor(read.camera_from_lidar).reshape(4, 4)
    calibration = Calibration(camera, transform, read.lidar_height, read.up)
    check_calibration(calibration)
    return calibration


def _numbers(tensor: Tensor) -> tuple[float, ...]:
    return tuple(map(float, tensor.detach().reshape(-1)))
