"""Fixed transforms of a car: the tree of frames that ``tf_static`` spans."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from conegrad_data.decode import DecodeError, Matrix, matrix_from_transform

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.vehicle import Vehicle

MAX_NAMED = 3  # skipped transforms that a message names
MAX_FRAMES = 1000  # children that are held; no car has as many


class FrameError(ValueError):
    """Two frames are not connected; names both, and the frames that are known."""


class StaticFrames:
    """Rigid transforms between frames that do not move against each other.

    Attributes:
        faults: why the latest transform of a child was skipped, by the name of the child; the one
            before it stays.
    """

    def __init__(self, messages: Iterable[Any] = ()) -> None:
        """Collect the transforms of tf2_msgs/TFMessage messages; later ones replace earlier."""
        self._parents: dict[str, tuple[str, Matrix]] = {}
        self.faults: dict[str, str] = {}
        for msg in messages:
            self.add(msg)

    def add(self, msg: Any) -> bool:
        """Take the transforms of a tf2_msgs/TFMessage, except those that cannot be used.

        Returns:
            Whether anything is another than before.
        """
        return any([self._add(transform) for transform in msg.transforms])

    def _add(self, transform: Any) -> bool:
        child = transform.child_frame_id.lstrip("/")
        parent = transform.header.frame_id.lstrip("/")
        before = self._parents.get(child)
        try:
            self._check_loop(child, parent)
            if before is None and len(self._parents) >= MAX_FRAMES:
                raise DecodeError(f"there are {MAX_FRAMES} frames already, expected fewer")
            matrix = matrix_from_transform(transform.transform)
        except DecodeError as error:
            if child in self.faults or len(self.faults) < MAX_FRAMES:
                self.faults[child] = f"the transform from {child} to {parent}: {error}"
            return False
        self.faults.pop(child, None)
        self._parents[child] = (parent, matrix)
        is_same = before is not None and before[0] == parent and np.array_equal(before[1], matrix)
        return not is_same

    def _check_loop(self, child: str, parent: str) -> None:
        """Refuse a transform that closes a loop: with it nothing could be looked up any more."""
        way = [child, parent]
        while way[-1] != child and way[-1] in self._parents:
            way.append(self._parents[way[-1]][0])
        if way[-1] == child:
            loop = " -> ".join(way)
            raise DecodeError(f"it closes a loop of frames, child to parent: {loop}")

    @classmethod
    def of_vehicle(cls, vehicle: "Vehicle") -> "StaticFrames":
        """The frames of a preset: ``lidar``, ``camera`` and ``camera_optical`` on ``base_link``."""
        frames = cls(())
        frames._parents = {
            child: (parent, np.asarray(matrix, dtype=np.float64))
            for parent, child, matrix in sensor_transforms(vehicle)
        }
        return frames

    @property
    def names(self) -> list[str]:
        """Every frame, in alphabetical order."""
        parents = {parent for parent, _ in self._parents.values()}
        return sorted(parents | set(self._parents))

    def lookup(self, target: str, source: str) -> Matrix:
        """``(4, 4)`` transform ``target_from_source``.

        Raises:
            FrameError: if the frames are not connected; names those that are known.
        """
        root, root_from_target = self._root_from(target)
        other_root, root_from_source = self._root_from(source)
        if root != other_root:
            known = ", ".join(self.names) or "none"
            raise FrameError(
                f"no transform from {source} to {target} in tf_static (frames: {known}); record "
                f"/tf_static, or give the extrinsics{self.explained()}"
            )
        return np.linalg.inv(root_from_target) @ root_from_source

    def explained(self) -> str:
        """What was skipped, as words that follow a message; empty where nothing was."""
        return "".join(f"; skipped: {fault}" for fault in list(self.faults.values())[:MAX_NAMED])

    def _root_from(self, frame: str) -> tuple[str, Matrix]:
        frame, root_from_frame = frame.lstrip("/"), np.eye(4)
        while frame in self._parents:
            frame, parent_from_child = self._parents[frame]
            root_from_frame = parent_from_child @ root_from_frame
        return frame, root_from_frame


def sensor_transforms(vehicle: "Vehicle") -> list[tuple[str, str, Matrix]]:
    """Parent, child and ``parent_from_child`` of ``lidar``, ``camera`` and ``camera_optical``."""
    from conegrad_core.geometry.transforms import optical_from_body

    return [
        ("base_link", "lidar", vehicle.lidar.mounting.base_from_sensor().numpy()),
        ("base_link", "camera", vehicle.camera.mounting.base_from_sensor().numpy()),
        ("camera", "camera_optical", np.linalg.inv(optical_from_body().double().numpy())),
    ]
