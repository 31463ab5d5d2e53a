"""The port types of the pipelines that ship."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from conegrad_core.camera.image import Detections, check_image
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConePositions, Cones
from conegrad_core.crops.crops import Crops
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.pipeline.port import PortType, TuplePort
from conegrad_core.standing.standing import Standing


class ImagePort(PortType):
    """``(height, width, 3)`` uint8 RGB image, or its float levels, which can have a gradient."""

    name = "Image"
    container = np.ndarray
    visibility = "visible_camera"

    def check(self, value: Any) -> None:
        """Refuse anything but an RGB image.

        Raises:
            ValueError: naming shape and dtype.
        """
        if not isinstance(value, Tensor):
            self.check_container(value)
        check_image(value, self.name)

    def tensors(self, value: Any) -> tuple[Tensor, ...]:
        """The levels of an image that is given as such."""
        return (value,) if isinstance(value, Tensor) else ()

    def with_tensors(self, value: Any, tensors: Sequence[Tensor]) -> Any:
        """Other levels in place of those of an image.

        Raises:
            ValueError: if there are more or fewer.
        """
        if len(tensors) != len(self.tensors(value)):
            found = len(tensors)
            raise ValueError(f"{self.name} takes {len(self.tensors(value))} tensors, found {found}")
        return tensors[0] if tensors else value


IMAGE = ImagePort()
_OF_SCAN = {"ranges": ("B",), "angles": ("B",), "times": ("B",), "motions": ("B", 3)}
SCAN = TuplePort(
    "Scan",
    Scan,
    {**_OF_SCAN, "profile": ("P", "B")},
    optional=("times", "motions", "profile"),
    differentiable=("ranges",),
    visibility="visible_lidar",
)
DETECTIONS = TuplePort(
    "Detections",
    Detections,
    {"boxes_xyxy": ("K", 4), "logits": ("K", 4)},
    differentiable=("boxes_xyxy", "logits"),
)
SEGMENTED_SCAN = TuplePort(
    "SegmentedScan",
    SegmentedScan,
    {**_OF_SCAN, "logits": ("B",)},
    optional=("times", "motions"),
    differentiable=("logits",),
)
CONES = TuplePort(
    "Cones",
    Cones,
    {
        "positions": ("M", 2),
        "covariances": ("M", 2, 2),
        "colours": ("M", 5),
        "existence_logits": ("M",),
        "source": ("M",),
        "lidar_evidence": ("M",),
        "lidar_share": ("M",),
        "ids": ("M",),
    },
    optional=("lidar_evidence", "lidar_share", "ids"),
    differentiable=("positions", "covariances", "colours", "existence_logits"),
)
CROPS = TuplePort(
    "Crops",
    Crops,
    {"pictures": ("K", 3, "S", "S"), "windows_xyxy": ("K", 4)},
    differentiable=("pictures", "windows_xyxy"),
)
KEYPOINTS = TuplePort(
    "Keypoints",
    Keypoints,
    {"positions": ("K", 7, 2), "log_deviations": ("K", 7)},
    differentiable=("positions", "log_deviations"),
)
CONE_COLOURS = TuplePort(
    "ConeColours", ConeColours, {"logits": ("K", 4)}, differentiable=("logits",)
)
CONE_POSITIONS = TuplePort(
    "ConePositions",
    ConePositions,
    {"positions": ("K", 2), "covariances": ("K", 2, 2)},
    differentiable=("positions", "covariances"),
)
STANDING = TuplePort("Standing", Standing, {"logits": ("K",)}, differentiable=("logits",))
