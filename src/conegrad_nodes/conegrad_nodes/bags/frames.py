"""Fixed transforms of a bag: the tree of frames that ``tf_static`` spans."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.topics import find_topic
from conegrad_nodes.bags.types import BagError

Matrix = npt.NDArray[np.float64]


class StaticFrames:
    """Rigid transforms between frames that do not move against each other."""

    def __init__(self, messages: Iterable[Any]) -> None:
        """Collect the transforms of tf2_msgs/TFMessage messages; later ones replace earlier.

        Raises:
            BagError: if one is no rigid transform; names its frames.
        """
        self._parents: dict[str, tuple[str, Matrix]] = {}
        for msg in messages:
            for transform in msg.transforms:
                child = transform.child_frame_id.lstrip("/")
                parent = transform.header.frame_id.lstrip("/")
                try:
                    self._parents[child] = (parent, _matrix(transform.transform))
                except ValueError as error:
                    raise BagError(f"the transform from {child} to {parent}: {error}") from error

    @classmethod
    def from_bag(cls, bag: BagReader) -> "StaticFrames":
        """The frames of a bag; without ``tf_static`` there are none."""
        return cls.from_topic(bag, find_topic(bag, "tf_static"))

    @classmethod
    def from_topic(cls, bag: BagReader, topic: str | None) -> "StaticFrames":
        """The frames that one topic of a bag tells; without a topic there are none."""
        return cls(msg for _, _, msg in bag.messages([topic])) if topic else cls(())

    @property
    def names(self) -> list[str]:
        """Every frame, in alphabetical order."""
        parents = {parent for parent, _ in self._parents.values()}
        return sorted(parents | set(self._parents))

    def lookup(self, target: str, source: str) -> Matrix:
        """``(4, 4)`` transform ``target_from_source``.

        Raises:
            BagError: if the frames are not connected; names those that are known.
        """
        root, root_from_target = self._root_from(target)
        other_root, root_from_source = self._root_from(source)
        if root != other_root:
            known = ", ".join(self.names) or "none"
            raise BagError(
                f"no transform from {source} to {target} in tf_static (frames: {known}); record "
                f"/tf_static, or give the extrinsics"
            )
        return np.linalg.inv(root_from_target) @ root_from_source

    def _root_from(self, frame: str) -> tuple[str, Matrix]:
        frame, root_from_frame = frame.lstrip("/"), np.eye(4)
        seen = {frame}
        while frame in self._parents:
            frame, parent_from_child = self._parents[frame]
            root_from_frame = parent_from_child @ root_from_frame
            if frame in seen:
                raise BagError(f"tf_static has a loop of frames through {frame}")
            seen.add(frame)
        return frame, root_from_frame


def _matrix(transform: Any) -> Matrix:
    from scipy.spatial.transform import Rotation

    q, t = transform.rotation, transform.translation
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    matrix[:3, 3] = t.x, t.y, t.z
    if not np.isfinite(matrix).all():
        raise ValueError("translation or rotation is not finite")
    return matrix
