"""What no output of the graph may be, whatever comes in."""

import math
import time
from collections import Counter

import numpy as np

from conegrad_core.timing.pairing import PairingConfig

SECOND = 1_000_000_000
ON_THE_WAY = 2.0  # [s] that cones may take on a busy machine


def stamp_ns(stamp):
    return stamp.sec * SECOND + stamp.nanosec


def real_numbers(msg):
    """Every float in a message, at any depth."""
    for name, kind in msg.get_fields_and_field_types().items():
        value = getattr(msg, name)
        if hasattr(value, "get_fields_and_field_types"):
            yield from real_numbers(value)
        elif isinstance(value, list) and value and not isinstance(value[0], str):
            for element in value:
                yield from real_numbers(element)
        elif "float" in kind or "double" in kind:
            yield from np.atleast_1d(np.asarray(value)).tolist()


class OutputCheck:
    """Collects what is wrong with outputs.

    Attributes:
        faults: how often each kind was seen.
        seen: outputs by topic.
        frames: frames of the scans that were sent, by stamp [ns].
        age_limits: [s], lowest and highest age of the stamp of cones when they arrive here.
    """

    def __init__(self):
        self.faults, self.seen = Counter(), Counter()
        self.frames = {}
        config = PairingConfig()
        self.age_limits = (-config.max_stamp_ahead, config.max_stamp_age + ON_THE_WAY)

    def note_sent(self, topic, msg):
        """Remember the frame of a scan, that its cones have to be in."""
        if topic in ("scan", "points", "segmentation") and not isinstance(msg, bytes):
            key = stamp_ns(msg.header.stamp)
            self.frames.setdefault(key, set()).add(msg.header.frame_id)
            while len(self.frames) > 5000:
                self.frames.pop(next(iter(self.frames)))

    def finite(self, topic, msg):
        self.seen[topic] += 1
        if not all(map(math.isfinite, real_numbers(msg))):
            self.faults[f"{topic}: a value is not finite"] += 1

    def detections(self, msg):
        self.finite("detections", msg)

    def segmentation(self, msg):
        # NaN is how a range says that nothing came back.
        self.seen["segmentation"] += 1
        if not np.isfinite(np.asarray(msg.logits)).all():
            self.faults["segmentation: a logit is not finite"] += 1

    def cones(self, msg):
        self.finite("cones", msg)
        self._stamp("cones", msg.header)
        for cone in msg.cones:
            xx, xy, yx, yy = cone.covariance
            if not (xx > 0 and xx * yy - xy * yx > 0):
                self.faults["cones: a determinant is not above 0"] += 1
            if not 0 <= cone.existence <= 1:
                self.faults["cones: an existence is not in 0 to 1"] += 1
        if not msg.header.frame_id:
            self.faults["cones: without a frame"] += 1
        if msg.lidar_used:
            sent = self.frames.get(stamp_ns(msg.lidar_stamp))
            if sent is not None and msg.header.frame_id not in sent:
                self.faults["cones: in another frame than their scan"] += 1

    def command(self, msg):
        self.finite("cmd_vel", msg)
        if not 0 <= msg.linear.x < 100:
            self.faults[f"cmd_vel: a speed of {msg.linear.x} m/s"] += 1

    def _stamp(self, topic, header):
        age = time.time() - stamp_ns(header.stamp) / SECOND
        low, high = self.age_limits
        if not low <= age <= high:
            self.faults[f"{topic}: a stamp outside the limits"] += 1
