"""Calibration files: fixed transforms between frames and, if wanted, the intrinsics."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import yaml

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_data.calibration.static_frames import StaticFrames


class CalibrationFile:
    """A YAML file with fixed transforms and, if wanted, the intrinsics of the camera.

    Raises:
        ValueError: naming file and key.
    """

    def __init__(self, path: Path) -> None:
        try:
            content = yaml.safe_load(path.read_text())
            self.transforms = [_transforms(content["frames"])]
            self.camera = _camera(content["camera"]) if "camera" in content else None
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is not a calibration file ({type(error).__name__}: {error}), expected it "
                "like config/frames.yaml"
            ) from error


def _transforms(entries: list[Mapping[str, Any]]) -> Any:
    """The transforms of a file in the shape of a tf2_msgs/TFMessage."""
    return SimpleNamespace(
        transforms=[
            SimpleNamespace(
                header=SimpleNamespace(frame_id=str(entry["parent"])),
                child_frame_id=str(entry["child"]),
                transform=SimpleNamespace(
                    translation=_named("xyz", entry["translation"]),
                    rotation=_named("xyzw", entry["quaternion"]),
                ),
            )
            for entry in entries
        ]
    )


def _named(names: str, values: list[float]) -> Any:
    return SimpleNamespace(**dict(zip(names, map(float, values), strict=True)))


def _camera(values: Mapping[str, Any]) -> CameraModel:
    fx, fy, cx, cy = map(float, values["intrinsics"])
    model = CameraModel(
        int(values["width"]),
        int(values["height"]),
        torch.tensor([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]),
        torch.tensor([float(value) for value in values["distortion"]]),
        str(values["distortion_model"]),
    )
    check_camera(model)
    return model


def write_calibration_file(path: Path, messages: Iterable[Any]) -> None:
    """Write the transforms of tf2_msgs/TFMessage messages, the last one of each child.

    What cannot be used is left out.
    """
    entries: dict[str, dict[str, Any]] = {}
    frames = StaticFrames()
    for transform in (transform for msg in messages for transform in msg.transforms):
        child = transform.child_frame_id.lstrip("/")
        frames.add(SimpleNamespace(transforms=[transform]))
        if child in frames.faults:
            continue
        entries.pop(child, None)
        entries[child] = {
            "parent": transform.header.frame_id,
            "child": child,
            "translation": _values("xyz", transform.transform.translation),
            "quaternion": _values("xyzw", transform.transform.rotation),
        }
    path.write_text(yaml.safe_dump({"frames": list(entries.values())}, sort_keys=False))


def _values(names: str, vector: Any) -> list[float]:
    return [float(getattr(vector, name)) for name in names]
