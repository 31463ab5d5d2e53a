"""Cones as the messages of other stacks; colours are matched by name, never by number.

Definitions, as of their repositories: eufs_msgs (gitlab.com/eufs/eufs_msgs), fs_msgs
(github.com/FS-Driverless/fs_msgs), vision_msgs 4 (github.com/ros-perception/vision_msgs).
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from conegrad_msgs.msg import Cone, ConeArray
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Vector3

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass
from conegrad_data.decode.cones import CLASS_OF_NUMBER
from conegrad_data.decode.errors import DecodeError

# By our name of the colour: field of eufs_msgs/ConeArrayWithCovariance, constant of fs_msgs/Cone.
EUFS_FIELDS = {
    "blue": "blue_cones",
    "yellow": "yellow_cones",
    "small_orange": "orange_cones",
    "big_orange": "big_orange_cones",
    "unknown": "unknown_color_cones",
}
FS_CONSTANTS = {
    "blue": "BLUE",
    "yellow": "YELLOW",
    "small_orange": "ORANGE_SMALL",
    "big_orange": "ORANGE_BIG",
    "unknown": "UNKNOWN",
}
PLANE = (0, 1, 6, 7)  # entries of x and y in a row-major 6x6 covariance


class ConeFormat(NamedTuple):
    """Messages that cones can be published as.

    Attributes:
        package: of the messages.
        name: of the message.
        convert: makes it of a ConeArray; given also the module ``package.msg``.
        remedy: how the package is installed.
    """

    package: str
    name: str
    convert: Callable[[ConeArray, Any], Any]
    remedy: str

    def messages(self) -> Any:
        """The module with the messages.

        Raises:
            ImportError: naming the package and how it is installed.
        """
        try:
            return importlib.import_module(f"{self.package}.msg")
        except ImportError as error:
            raise ImportError(f"{self.package} is not installed: {self.remedy}") from error


def eufs_cones(cones: ConeArray, messages: Any) -> Any:
    """eufs_msgs/ConeArrayWithCovariance, a list per colour, in the frame of the cones."""
    lists: dict[str, list[Any]] = {field: [] for field in EUFS_FIELDS.values()}
    for cone in cones.cones:
        converted = messages.ConeWithCovariance(point=cone.position, covariance=cone.covariance)
        lists[EUFS_FIELDS[colour_name(cone)]].append(converted)
    return messages.ConeArrayWithCovariance(header=cones.header, **lists)


def fs_track(cones: ConeArray, messages: Any) -> Any:
    """fs_msgs/Track, which states neither stamp nor frame nor covariances."""
    return messages.Track(
        track=[
            messages.Cone(
                location=cone.position,
                color=getattr(messages.Cone, FS_CONSTANTS[colour_name(cone)]),
            )
            for cone in cones.cones
        ]
    )


def vision_detections(cones: ConeArray, messages: Any) -> Any:
    """vision_msgs/Detection3DArray: boxes of the sizes of the rules, a hypothesis per colour.

    The score of a hypothesis is existence times the probability of its colour; ``class_id`` is our
    name of it.
    """
    return messages.Detection3DArray(
        header=cones.header,
        detections=[_detection(cone, cones.header, messages) for cone in cones.cones],
    )


FORMATS = {
    "eufs": ConeFormat(
        "eufs_msgs",
        "ConeArrayWithCovariance",
        eufs_cones,
        "build https://gitlab.com/eufs/eufs_msgs in your workspace and source its setup file",
    ),
    "fs": ConeFormat(
        "fs_msgs",
        "Track",
        fs_track,
        "build https://github.com/FS-Driverless/fs_msgs in your workspace and source its setup "
        "file",
    ),
    "vision": ConeFormat(
        "vision_msgs",
        "Detection3DArray",
        vision_detections,
        "sudo apt install ros-jazzy-vision-msgs",
    ),
}


def colour_name(cone: Cone) -> str:
    """Our name of the colour of a cone.

    Raises:
        DecodeError: if its number is none of conegrad_msgs/Cone.
    """
    if cone.colour not in CLASS_OF_NUMBER:
        expected = ", ".join(map(str, sorted(CLASS_OF_NUMBER)))
        raise DecodeError(f"colour of a cone is {cone.colour}, expected one of {expected}")
    return CLASS_OF_NUMBER[cone.colour].name.lower()


def _detection(cone: Cone, header: Any, messages: Any) -> Any:
    kind = ConeClass[colour_name(cone).upper()]
    row = ConeClass.BLUE if kind == ConeClass.UNKNOWN else kind  # as high as a small one
    width, height = CONE_WIDTHS[row], CONE_HEIGHTS[row]
    upward = -1.0 if cone.position.z > 0 else 1.0  # the ground is above a LiDAR upside down
    centre = Point(x=cone.position.x, y=cone.position.y, z=cone.position.z + upward * 0.5 * height)
    pose = Pose(position=centre)
    covariance = [0.0] * 36
    for entry, value in zip(PLANE, cone.covariance, strict=True):
        covariance[entry] = float(value)
    hypotheses = [
        messages.ObjectHypothesisWithPose(
            hypothesis=messages.ObjectHypothesis(
                class_id=colour.name.lower(),
                score=cone.existence * getattr(cone, f"probability_{colour.name.lower()}"),
            ),
            pose=PoseWithCovariance(pose=pose, covariance=covariance),
        )
        for colour in ConeClass
    ]
    return messages.Detection3D(
        header=header,
        results=hypotheses,
        bbox=messages.BoundingBox3D(center=pose, size=Vector3(x=width, y=width, z=height)),
        id=str(cone.id) if cone.id else "",
    )
