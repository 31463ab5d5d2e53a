"""Cones, boxes, pictures and frames as messages of Foxglove's schemas."""

import math
from collections.abc import Iterable
from typing import Any

from foxglove.messages import (
    Color,
    CompressedImage,
    CylinderPrimitive,
    Duration,
    FrameTransform,
    FrameTransforms,
    ImageAnnotations,
    Point2,
    PointsAnnotation,
    PointsAnnotationType,
    Pose,
    Quaternion,
    SceneEntity,
    SceneUpdate,
    TextAnnotation,
    Timestamp,
    Vector3,
)

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass, Cones
from conegrad_core.drawing import COLOURS_RGB, MIN_SCORE, PAPER, TIP_SHARE, Rgb
from conegrad_core.geometry.ellipse import ellipse_of
from conegrad_data.decode import (
    cones_from_msg,
    detections_from_msg,
    image_from_msg,
    stamp_ns_from_msg,
)
from conegrad_nodes.view_server.camera_picture import jpeg_of
from conegrad_nodes.view_server.cone_rows import DEVIATIONS

NANOSECONDS = 1_000_000_000
LIFETIME = Duration(1)  # of cones that no others replace
ELLIPSE_HEIGHT = 0.01  # [m]
ELLIPSE_OPACITY = 0.35
MAX_WIDTH = 1920  # [px] of a picture
THICKNESS, FONT_SIZE = 2.0, 14.0  # [px] of boxes and their scores
STRAIGHT = Quaternion(w=1.0)


def picture_from_msg(msg: Any) -> CompressedImage:
    """The camera picture as JPEG; one that comes as JPEG stays as it is.

    Raises:
        DecodeError: if the image cannot be used.
    """
    if "jp" in getattr(msg, "format", ""):
        data = bytes(msg.data)
    else:
        data = jpeg_of(image_from_msg(msg), MAX_WIDTH)
    frame = msg.header.frame_id
    return CompressedImage(timestamp=_stamp(msg), frame_id=frame, data=data, format="jpeg")


def boxes_from_msg(msg: Any) -> ImageAnnotations:
    """Boxes with their scores, in the colours of their best classes.

    Raises:
        DecodeError: if the detections cannot be used.
    """
    detections, stamp = detections_from_msg(msg), _stamp(msg)
    boxes, texts = [], []
    rows = zip(detections.boxes_xyxy.tolist(), detections.logits.sigmoid(), strict=True)
    for (left, top, right, bottom), scores in rows:
        if float(scores.max()) < MIN_SCORE:
            continue
        colour = _colour(COLOURS_RGB[ConeClass(int(scores.argmax()))])
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        boxes.append(
            PointsAnnotation(
                timestamp=stamp,
                type=PointsAnnotationType.LineLoop,
                points=[Point2(x=u, y=v) for u, v in corners],
                outline_color=colour,
                thickness=THICKNESS,
            )
        )
        texts.append(
            TextAnnotation(
                timestamp=stamp,
                position=Point2(x=left, y=top),
                text=f"{float(scores.max()):.2f}",
                font_size=FONT_SIZE,
                text_color=_colour(PAPER),
                background_color=colour,
            )
        )
    return ImageAnnotations(timestamp=stamp, points=boxes, texts=texts)


def scene_from_msg(msg: Any) -> SceneUpdate:
    """A body per cone, fainter where its existence is less sure, and the ellipse at 2 sigma.

    Raises:
        DecodeError: if the cones cannot be used.
    """
    cones = cones_from_msg(msg)
    heights = [cone.position.z for cone in msg.cones]
    bodies = [_body(cones, row, ground) for row, ground in enumerate(heights)]
    ellipses = [_ellipse(cones, row, ground) for row, ground in enumerate(heights)]
    entity = SceneEntity(
        timestamp=_stamp(msg),
        frame_id=msg.header.frame_id,
        id="cones",  # those of the message before are replaced
        lifetime=LIFETIME,
        cylinders=[*bodies, *ellipses],
    )
    return SceneUpdate(entities=[entity])


def frames_from_msgs(static: Any | None, odometry: Any | None, stamp_ns: int) -> FrameTransforms:
    """The fixed frames of the car, and the car in the frame of its odometry.

    Args:
        static: tf2_msgs/TFMessage, if known.
        odometry: nav_msgs/Odometry, if known.
        stamp_ns: that they are given for [ns].
    """
    parts = [
        (t.header.frame_id, t.child_frame_id, t.transform.translation, t.transform.rotation)
        for t in (static.transforms if static is not None else ())
    ]
    if odometry is not None:
        pose = odometry.pose.pose
        frames = odometry.header.frame_id, odometry.child_frame_id
        parts.append((*frames, pose.position, pose.orientation))
    return FrameTransforms(transforms=list(_transforms(parts, stamp_of(stamp_ns))))


def stamp_of(stamp_ns: int) -> Timestamp:
    """Foxglove's stamp of nanoseconds."""
    return Timestamp(*divmod(stamp_ns, NANOSECONDS))


def _transforms(
    parts: Iterable[tuple[str, str, Any, Any]], stamp: Timestamp
) -> Iterable[FrameTransform]:
    for parent, child, place, turn in parts:
        yield FrameTransform(
            timestamp=stamp,
            parent_frame_id=parent,
            child_frame_id=child,
            translation=Vector3(x=place.x, y=place.y, z=place.z),
            rotation=Quaternion(x=turn.x, y=turn.y, z=turn.z, w=turn.w),
        )


def _stamp(msg: Any) -> Timestamp:
    return stamp_of(stamp_ns_from_msg(msg.header.stamp))


def _colour(rgb: Rgb, opacity: float = 1.0) -> Color:
    red, green, blue = (value / 255 for value in rgb)
    return Color(r=red, g=green, b=blue, a=opacity)


def _body(cones: Cones, row: int, ground: float) -> CylinderPrimitive:
    best = ConeClass(int(cones.colours[row].argmax()))
    size = ConeClass.BLUE if best == ConeClass.UNKNOWN else best  # drawn as a small one
    height, width = CONE_HEIGHTS[size], CONE_WIDTHS[size]
    existence = float(cones.existence_logits[row].sigmoid())
    x, y = cones.positions[row].tolist()
    return CylinderPrimitive(
        pose=Pose(position=Vector3(x=x, y=y, z=ground + height / 2), orientation=STRAIGHT),
        size=Vector3(x=width, y=width, z=height),
        bottom_scale=1.0,
        top_scale=TIP_SHARE,
        color=_colour(COLOURS_RGB[best], 0.3 + 0.7 * existence),
    )


def _ellipse(cones: Cones, row: int, ground: float) -> CylinderPrimitive:
    ellipse = ellipse_of(cones.covariances[row].numpy(), DEVIATIONS)
    x, y = cones.positions[row].tolist()
    turn = Quaternion(z=math.sin(ellipse.yaw / 2), w=math.cos(ellipse.yaw / 2))
    return CylinderPrimitive(
        pose=Pose(position=Vector3(x=x, y=y, z=ground), orientation=turn),
        size=Vector3(x=2 * ellipse.major, y=2 * ellipse.minor, z=ELLIPSE_HEIGHT),
        bottom_scale=1.0,
        top_scale=1.0,
        color=_colour(PAPER, ELLIPSE_OPACITY),
    )
