"""The camera picture with the boxes that were found in it, as JPEG."""

import threading
import time
from typing import NamedTuple

import cv2

from conegrad_core.camera.image import RgbImage
from conegrad_core.drawing import MIN_SCORE, draw_detections
from conegrad_data.decode import DecodeError, detections_from_msg, image_from_msg, read_header
from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import FeedMessage, ViewFeed

WIDTH = 960  # [px] of the picture, at most
QUALITY = 80
LATE = 1.0  # [s] after which detections are not waited for: their node has ended


class CameraPicture(NamedTuple):
    """A picture for people.

    Attributes:
        number: of the newest message in it; larger than that of earlier pictures.
        jpeg: the file.
        boxes: number of drawn boxes; None where no detections came.
        fault: why there is no picture; the file is empty then.
    """

    number: int
    jpeg: bytes
    boxes: int | None
    fault: str = ""


class CameraPictures:
    """Makes the newest picture, once for all who look."""

    def __init__(self, feed: ViewFeed) -> None:
        self._feed = feed
        self._lock = threading.Lock()
        self._made: CameraPicture | None = None

    def number(self) -> int:
        """Of the newest picture, without making it; 0 before the first image."""
        image, detections = _pair(self._feed)
        return _number(image, detections) if image is not None else 0

    def newest(self) -> CameraPicture | None:
        """The newest picture; None before the first image."""
        with self._lock:
            image, detections = _pair(self._feed)
            if image is None:
                return None
            number = _number(image, detections)
            if self._made is None or self._made.number != number:
                self._made = _picture(number, image, detections)
            return self._made


def _number(image: FeedMessage, detections: FeedMessage | None) -> int:
    return max(image.number, detections.number if detections is not None else 0)


def _pair(feed: ViewFeed) -> tuple[FeedMessage | None, FeedMessage | None]:
    """The image that the newest detections are of, with them; else the newest image alone."""
    images, detections = feed.recent("image"), feed.newest("detections")
    if not images:
        return None, None
    if detections is None or time.monotonic() - detections.arrival > LATE:
        return images[-1], None
    try:
        stamp_ns = read_header(detections.data).stamp_ns
        for image in reversed(images):
            if read_header(image.data).stamp_ns == stamp_ns:
                return image, detections
    except DecodeError:
        pass  # the image itself is refused with its reason, or shown without boxes
    return images[-1], None


def _picture(number: int, image: FeedMessage, detections: FeedMessage | None) -> CameraPicture:
    try:
        picture = image_from_msg(decoded(image))
        boxes = None
        if detections is not None:
            found = detections_from_msg(decoded(detections))
            picture = draw_detections(picture, found)
            boxes = int((found.logits.sigmoid() >= MIN_SCORE).any(dim=1).sum())
        return CameraPicture(number, jpeg_of(picture), boxes)
    except DecodeError as error:
        return CameraPicture(number, b"", None, f"{image.topic} cannot be shown: {error}")


def jpeg_of(image: RgbImage, width: int = WIDTH) -> bytes:
    """JPEG of an image, made smaller where it is wider than ``width`` [px]."""
    if image.shape[1] > width:
        size = (width, max(1, round(image.shape[0] * width / image.shape[1])))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    options = (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return bytes(data)
