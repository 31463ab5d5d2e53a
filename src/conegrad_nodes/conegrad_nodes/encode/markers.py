"""Cones as markers: a body in the colour of the cone, and the ellipse of its position."""

import math

import numpy as np
from geometry_msgs.msg import Pose, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from conegrad_core.cones import COLOUR_NAMES, CONE_HEIGHTS, CONE_WIDTHS, ConeClass, Cones
from conegrad_core.geometry.ellipse import ellipse_of
from conegrad_core.geometry.mounting import Ground
from conegrad_nodes.encode.points import DISPLAY_COLOURS

BODY_TO_BASE = 0.6  # mean width of a cone over the width of its base
ELLIPSE_SIGMAS = 2.0
ELLIPSE_THICKNESS = 0.01  # [m]
SMALLEST_AXIS = 0.01  # [m], a marker without width is refused by RViz


def markers_to_msg(cones: Cones, header: Header, ground: Ground) -> MarkerArray:
    """Markers of one frame; the first one deletes those of the frame before."""
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for row, (x, y) in enumerate(cones.positions.tolist()):
        colour = int(cones.colours[row].argmax())
        existence = float(cones.existence_logits[row].sigmoid())
        markers.append(_body(header, row, x, y, ground, colour, existence))
        markers.append(_ellipse(header, row, x, y, ground.z, cones.covariances[row].numpy()))
    return MarkerArray(markers=markers)


def _body(
    header: Header, row: int, x: float, y: float, ground: Ground, colour: int, existence: float
) -> Marker:
    # A cone of unknown colour is drawn as a small one.
    size = ConeClass.BLUE if colour == ConeClass.UNKNOWN else colour
    height, width = CONE_HEIGHTS[size], CONE_WIDTHS[size] * BODY_TO_BASE
    red, green, blue = (value / 255 for value in DISPLAY_COLOURS[COLOUR_NAMES[colour]])
    marker = Marker(header=header, ns="cones", id=row, type=Marker.CYLINDER)
    marker.pose = _pose(x, y, ground.z + ground.up * height / 2)
    marker.scale = Vector3(x=width, y=width, z=height)
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=0.3 + 0.7 * existence)
    return marker


def _ellipse(
    header: Header, row: int, x: float, y: float, ground: float, covariance: np.ndarray
) -> Marker:
    ellipse = ellipse_of(covariance, ELLIPSE_SIGMAS)
    major, minor = (max(2 * axis, SMALLEST_AXIS) for axis in (ellipse.major, ellipse.minor))
    marker = Marker(header=header, ns="covariance", id=row, type=Marker.CYLINDER)
    marker.pose = _pose(x, y, ground, yaw=ellipse.yaw)
    marker.scale = Vector3(x=major, y=minor, z=ELLIPSE_THICKNESS)
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=0.35)
    return marker


def _pose(x: float, y: float, z: float, yaw: float = 0.0) -> Pose:
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = x, y, z
    pose.orientation.z, pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    return pose
