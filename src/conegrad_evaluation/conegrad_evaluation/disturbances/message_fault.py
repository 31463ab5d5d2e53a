"""Applies a fault to the messages of a sensor on their way into a running graph.

The damage of images and scans is that of the samples: a message is decoded, damaged and encoded
again. A camera that hangs elsewhere than calibrated shows another picture: the image is turned.
"""

import dataclasses
import struct
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.geometry.calibration import Calibration
from conegrad_data.bags.messages import compressed_image_msg, image_msg
from conegrad_data.bags.types import default_typestore
from conegrad_data.decode import image_from_msg, read_header, scan_from_msg
from conegrad_evaluation.disturbances.disturbance import (
    CALIBRATION,
    CAMERA_STREAM,
    LIDAR_STREAM,
    MOTION,
    ODOMETRY_STREAM,
    STREAMS,
    TIME,
)
from conegrad_evaluation.disturbances.fault import Fault
from conegrad_evaluation.disturbances.streams import Arrival, Sent
from conegrad_evaluation.disturbances.time import delay

SECOND = 1_000_000_000  # [ns]
STAMP = struct.Struct("<iI")  # seconds and nanoseconds, behind the four bytes of the encapsulation
QUALITY = 92  # of JPEG
CAMERA, LIDAR, ODOMETRY = "camera", "lidar", "odometry"
SENSORS = {"image": CAMERA, "scan": LIDAR, "points": LIDAR, "odom": ODOMETRY}  # by role of a topic
ACTS_ON = {
    "Image": CAMERA,
    "Scan": LIDAR,
    CALIBRATION: CAMERA,
    TIME: CAMERA,
    MOTION: ODOMETRY,
    CAMERA_STREAM: CAMERA,
    LIDAR_STREAM: LIDAR,
    ODOMETRY_STREAM: ODOMETRY,
}
FROZEN = "camera_frozen"  # acts on time in samples; on the messages it repeats the first one


class LiveMessage(NamedTuple):
    """A serialized message.

    Attributes:
        role: of its topic, such as ``image``.
        msgtype: message type.
        data: CDR, little-endian.
    """

    role: str
    msgtype: str
    data: bytes


class MessageFault:
    """One fault, from its begin on.

    Args:
        fault: chosen disturbance.
        duration: how long it lasts [s]; a mounting that gives way has then moved by all of it.
        calibration: of camera and LiDAR; needed for faults of the calibration.

    Attributes:
        sensor: whose messages it changes, ``camera``, ``lidar`` or ``odometry``.

    Raises:
        ValueError: if messages cannot show the fault.
    """

    def __init__(
        self, fault: Fault, duration: float, calibration: Calibration | None = None
    ) -> None:
        found = fault.disturbance
        if found.acts_on not in ACTS_ON:
            known = ", ".join(ACTS_ON)
            raise ValueError(f"{fault} acts on {found.acts_on}, expected one of {known}")
        if found.acts_on == CALIBRATION and "x" in fault.parameters:
            raise ValueError(
                f"{fault} moves the camera, which no change of its picture shows: turn it, as by "
                "camera_yaw"
            )
        if found.acts_on == CALIBRATION and calibration is None:
            raise ValueError(f"{fault} needs the calibration of the camera, and there is none")
        self.fault, self._found, self._parameters = fault, found, fault.parameters
        self.sensor = ACTS_ON[found.acts_on]
        self._duration, self._calibration = duration, calibration
        self._numbers: dict[str, int] = {}
        self._held: dict[tuple[str, int | None], bytes] = {}
        self._store = default_typestore()

    def sent(self, message: LiveMessage, since: float) -> list[tuple[float, bytes]]:
        """What is sent in place of a message.

        Args:
            message: intact.
            since: time since the begin of the fault [s].

        Returns:
            Delay [s] and content of each message; of other sensors the message itself.

        Raises:
            ValueError: for clouds, which only the faults of streams can act on.
            DecodeError: if the message cannot be read.
        """
        if SENSORS.get(message.role) != self.sensor:
            return [(0.0, message.data)]
        number = self._numbers.get(message.role, 0)
        self._numbers[message.role] = number + 1
        draws = np.random.default_rng((self.fault.seed, number))
        given = self._stream(number, since, draws)
        made = []
        for each in given:
            data = self._content(message, since, each, draws)
            if data is not None:
                made.append((each.delay, _shifted(data, each.shift)))
        return made

    def _stream(self, number: int, since: float, draws: np.random.Generator) -> list[Sent]:
        if self._found.acts_on in STREAMS and self._found.damage is not None:
            given: list[Sent] = self._found.damage(Arrival(number, since), self._parameters, draws)
            return given
        if self._found.acts_on != TIME:
            return [Sent()]
        if self._found.name == FROZEN:
            return [Sent(held=0)]
        return [Sent(shift=delay(self._parameters, draws))]

    def _content(
        self, message: LiveMessage, since: float, sent: Sent, draws: np.random.Generator
    ) -> bytes | None:
        if sent.held is not None:
            first = self._held.setdefault((message.role, sent.held), message.data)
            return _restamped(first, read_header(message.data).stamp_ns)
        if self._found.takes_away or self._found.name == "odometry_lost":
            return None
        acts_on = self._found.acts_on
        if acts_on == "Image":
            return self._damaged_image(message, draws)
        if acts_on == CALIBRATION:
            return self._turned_image(message, since, draws)
        if acts_on == "Scan":
            return self._damaged_scan(message, draws)
        if acts_on == MOTION:
            return self._slipped(message)
        return message.data

    def _damaged_image(self, message: LiveMessage, draws: np.random.Generator) -> bytes | None:
        msg = self._store.deserialize_cdr(message.data, message.msgtype)
        if self._found.damage is None:
            return message.data
        found = self._found.damage(image_from_msg(msg), self._parameters, draws)
        return None if found is None else self._with_image(msg, message.msgtype, found)

    def _with_image(self, msg: Any, msgtype: str, image: RgbImage) -> bytes:
        stamp_ns = msg.header.stamp.sec * SECOND + msg.header.stamp.nanosec
        frame = msg.header.frame_id
        if not hasattr(msg, "format"):
            return self._serialized(image_msg(stamp_ns, frame, image), msgtype)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        made = compressed_image_msg(stamp_ns, frame, encoded.tobytes(), "jpeg")
        return self._serialized(made, msgtype)

    def _turned_image(
        self, message: LiveMessage, since: float, draws: np.random.Generator
    ) -> bytes:
        if self._calibration is None or self._found.damage is None:
            return message.data
        parameters = dict(self._parameters)
        if self._found.name == "camera_drifting":
            parameters = {"degrees": parameters["degrees"] * min(1.0, since / self._duration)}
            draws = np.random.default_rng(self.fault.seed)  # one direction all the time
        wrong = self._found.damage(self._calibration, parameters, draws)
        right = self._calibration.camera_from_lidar.double()
        # Wrong is calibrated_from_actual @ right.
        actual_from_calibrated = (wrong.camera_from_lidar.double() @ right.inverse()).T[:3, :3]
        msg = self._store.deserialize_cdr(message.data, message.msgtype)
        image = image_from_msg(msg)
        intrinsics = self._calibration.camera.intrinsics.double()
        turn: npt.NDArray[np.float64] = (
            intrinsics @ actual_from_calibrated @ torch.linalg.inv(intrinsics)
        ).numpy()
        size = (image.shape[1], image.shape[0])
        turned = cv2.warpPerspective(image, turn, size, borderMode=cv2.BORDER_REPLICATE)
        return self._with_image(msg, message.msgtype, np.asarray(turned, dtype=np.uint8))

    def _damaged_scan(self, message: LiveMessage, draws: np.random.Generator) -> bytes | None:
        if message.role != "scan":
            raise ValueError(f"{self.fault} acts on planar scans, and {message.role} are clouds")
        msg = self._store.deserialize_cdr(message.data, message.msgtype)
        if self._found.damage is None:
            return message.data
        scan = self._found.damage(scan_from_msg(msg), self._parameters, draws)
        if scan is None:
            return None
        ranges = scan.ranges.numpy()
        ranges = ranges[::-1] if msg.angle_increment < 0 else ranges
        no_return = np.where(np.isnan(ranges), np.inf, ranges).astype(np.float32)  # as REP-117 asks
        return self._serialized(dataclasses.replace(msg, ranges=no_return), message.msgtype)

    def _slipped(self, message: LiveMessage) -> bytes:
        """Distance since the begin of the fault, too long by a share."""
        first = self._held.setdefault((message.role, None), message.data)
        begun = self._store.deserialize_cdr(first, message.msgtype)
        msg = self._store.deserialize_cdr(message.data, message.msgtype)
        at, start = msg.pose.pose.position, begun.pose.pose.position
        share = 1.0 + self._parameters["share"]
        moved = dataclasses.replace(
            at, x=start.x + share * (at.x - start.x), y=start.y + share * (at.y - start.y)
        )
        pose = dataclasses.replace(msg.pose.pose, position=moved)
        pose = dataclasses.replace(msg.pose, pose=pose)
        return self._serialized(dataclasses.replace(msg, pose=pose), message.msgtype)

    def _serialized(self, msg: Any, msgtype: str) -> bytes:
        return bytes(self._store.serialize_cdr(msg, msgtype))


def _shifted(data: bytes, seconds: float) -> bytes:
    if not seconds:
        return data
    return _restamped(data, read_header(data).stamp_ns + round(seconds * SECOND))


def _restamped(data: bytes, stamp_ns: int) -> bytes:
    changed = bytearray(data)
    STAMP.pack_into(changed, 4, *divmod(stamp_ns, SECOND))
    return bytes(changed)
