"""Detections, segmentations and cones to messages."""

import math
from array import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from conegrad_msgs.msg import Cone, ConeArray, ConeDetection, ConeDetectionArray, ScanSegmentation
from std_msgs.msg import Header
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CLASS_NAMES, COLOUR_NAMES, Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.mounting import Ground
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_data.decode.cones import COLOUR_NUMBERS

PROVENANCE = ("camera_evidence", "lidar_evidence", "lidar_share")  # of Cones and of Cone alike
MESSAGE_COLOURS = tuple(COLOUR_NUMBERS[name] for name in COLOUR_NAMES)


def stamp_to_msg(stamp_ns: int) -> Time:
    """builtin_interfaces/Time of nanoseconds."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    return Time(sec=seconds, nanosec=nanoseconds)


def detections_to_msg(
    detections: Detections,
    header: Header,
    image_width: int,
    image_height: int,
    alarms: Sequence[Reason] = (),
) -> ConeDetectionArray:
    """conegrad_msgs/ConeDetectionArray; sizes are of the original image [px]."""
    corners = _array(detections.boxes_xyxy).astype(np.float64)  # centre and size become exact
    logits = _array(detections.logits)
    sizes = corners[:, 2:] - corners[:, :2]
    centres = corners[:, :2] + sizes / 2
    scores = 1 / (1 + np.exp(-logits.max(axis=1, initial=-np.inf).astype(np.float64)))
    rows = np.concatenate([centres, sizes], axis=1).tolist()
    return ConeDetectionArray(
        header=header,
        image_width=image_width,
        image_height=image_height,
        class_names=list(CLASS_NAMES),
        detections=[
            ConeDetection(
                center_u=row[0],
                center_v=row[1],
                width=row[2],
                height=row[3],
                class_logits=array("f", logits[index].tobytes()),
                score=float(scores[index]),
            )
            for index, row in enumerate(rows)
        ],
        alarms=list(map(str, alarms)),
    )


def segmentation_to_msg(
    segmented: SegmentedScan,
    header: Header,
    range_min: float,
    range_max: float,
    alarms: Sequence[Reason] = (),
) -> ScanSegmentation:
    """conegrad_msgs/ScanSegmentation; the limits are those of the sensor [m]."""
    angles = segmented.angles
    increment = (float(angles[-1]) - float(angles[0])) / (len(angles) - 1)
    return ScanSegmentation(
        header=header,
        angle_min=float(angles[0]),
        angle_increment=increment,
        range_min=float(range_min),
        range_max=float(range_max),
        ranges=array("f", _array(segmented.ranges).tobytes()),
        logits=array("f", _array(segmented.logits).tobytes()),
        times=array("f", b"" if segmented.times is None else _array(segmented.times).tobytes()),
        alarms=list(map(str, alarms)),
    )


def cones_to_msg(
    cones: Cones,
    header: Header,
    ground: Ground,
    *,
    camera_stamp: Time | None,
    lidar_stamp: Time | None,
    reasons: Sequence[Reason] = (),
) -> ConeArray:
    """conegrad_msgs/ConeArray.

    Args:
        cones: the cones to publish, in the frame of the header.
        header: stamp that the positions hold for.
        ground: in that frame; the cones stand on it.
        camera_stamp: of the camera frame that took part; None if none did.
        lidar_stamp: of the scan that took part; None if none did.
        reasons: why the cones are degraded; empty if they are not.
    """
    return ConeArray(
        header=header,
        cones=_cones(cones, ground.z),
        camera_used=camera_stamp is not None,
        lidar_used=lidar_stamp is not None,
        camera_stamp=camera_stamp or Time(),
        lidar_stamp=lidar_stamp or Time(),
        degraded=bool(reasons),
        reasons=list(map(str, reasons)),
    )


def _cones(cones: Cones, ground: float) -> list[Cone]:
    positions = _array(cones.positions).tolist()
    covariances = _array(cones.covariances).astype(np.float64).reshape(-1, 4)
    colours = _array(cones.colours)
    best = colours.argmax(axis=1).tolist() if len(colours) else []
    probabilities = colours.tolist()
    existence = _array(cones.existence_logits.detach().sigmoid()).tolist()
    source = cones.source.tolist()
    ids = [0] * len(source) if cones.ids is None else cones.ids.tolist()
    provenance = {name: _stated(getattr(cones, name), len(source)) for name in PROVENANCE}
    messages = []
    for row, (x, y) in enumerate(positions):
        msg = Cone(
            covariance=covariances[row],
            colour=MESSAGE_COLOURS[best[row]],
            existence=existence[row],
            source=source[row],
            id=ids[row],
            **{name: values[row] for name, values in provenance.items()},
        )
        msg.position.x, msg.position.y, msg.position.z = x, y, ground
        for name, probability in zip(COLOUR_NAMES, probabilities[row], strict=True):
            setattr(msg, f"probability_{name}", probability)
        messages.append(msg)
    return messages


def _stated(values: Tensor | None, count: int) -> list[float]:
    return [math.nan] * count if values is None else _array(values).tolist()


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()
