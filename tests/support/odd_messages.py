"""Messages that no sane node sends: valid ones with odd values in some of their fields."""

import math
import random
import re
from array import array

import numpy as np
from rclpy.serialization import serialize_message

REALS = (
    math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, 1e-30, -1.0, 1.0, 0.5, 1e6, -1e6, 1e9,
    1e30, -1e30, 1e39, -1e39, 1e200, -1e308,
)  # fmt: skip
LARGEST_FLOAT = 3.4e38
INTEGERS = {
    name: (0 if name[0] == "u" else -(2 ** (bits - 1)), 2 ** (bits - (name[0] != "u")) - 1)
    for bits in (8, 16, 32, 64)
    for name in (f"int{bits}", f"uint{bits}")
}
TEXTS = (
    "", " ", "/", "//", "lidar", "camera_optical", "base_link", "map", "x" * 3000, "☃", "a\nb",
    "rgb8", "bgr16", "mono16", "bayer_rggb8", "nv12", "yuv422", "16UC1", "jpeg", "png",
    "compressedDepth", "plumb_bob", "equidistant", "rational_polynomial", "x", "y", "z", "ring",
    "time", "blue", "yellow",
)  # fmt: skip
LENGTHS = (0, 1, 2, 3, 7, 100, 5000)
BIG = 20_000  # elements of a long sequence


class OddMessages:
    """Makes one odd message after the other.

    Args:
        make: gives a valid message.
        seed: of the choices; the same seed gives the same oddities.
    """

    def __init__(self, make, seed=0):
        self._make = make
        self._random = random.Random(seed)

    def next(self):
        """A message, or bytes in place of one."""
        draw, msg = self._random.random(), self._make()
        if draw < 0.05:
            return self._scribbled(serialize_message(msg))
        if draw < 0.15:
            self._refill(msg)
            return msg
        for _ in range(self._random.choice((1, 1, 1, 2, 3, 8))):
            self._change(msg)
        return msg

    def _scribbled(self, data):
        """Bytes cut off or overwritten behind the head that says how they are encoded."""
        if self._random.random() < 0.3:
            return bytes(data[: self._random.randrange(4, len(data))])
        changed = bytearray(data)
        for _ in range(self._random.choice((1, 4, 16))):
            changed[self._random.randrange(4, len(data))] = self._random.randrange(256)
        return bytes(changed)

    def _refill(self, msg):
        """Give every field another value."""
        for name, kind in msg.get_fields_and_field_types().items():
            value = getattr(msg, name)
            if hasattr(value, "get_fields_and_field_types"):
                self._refill(value)
            elif isinstance(value, list) and value and not isinstance(value[0], str):
                for element in value:
                    self._refill(element)
            else:
                setattr(msg, name, self._other(value, kind))

    def _change(self, msg):
        """Give one field, somewhere in the message, another value."""
        name, kind = self._random.choice(list(msg.get_fields_and_field_types().items()))
        value = getattr(msg, name)
        if hasattr(value, "get_fields_and_field_types"):
            self._change(value)
        elif isinstance(value, list) and value and not isinstance(value[0], str):
            if self._random.random() < 0.6:
                self._change(self._random.choice(value))
            else:
                setattr(msg, name, self._resized(value, "message/"))
        else:
            setattr(msg, name, self._other(value, kind))

    def _other(self, value, kind):
        """Another value of the type of a field."""
        if kind in ("float", "double"):
            return self._real(value, kind)
        if kind == "boolean":
            return not value
        if kind in INTEGERS:
            return self._integer(value, kind)
        if kind.startswith("string"):
            return self._random.choice(TEXTS)
        fixed = re.fullmatch(r"(\w+)\[\d+\]", kind)
        if fixed:
            return self._with_odd_elements(value, fixed[1])
        inner = re.fullmatch(r"sequence<([\w/]+)(?:, \d+)?>", kind)[1]
        if isinstance(value, array) and len(value) and self._random.random() < 0.5:
            return self._with_odd_elements(value, inner)
        return self._resized(value, inner)

    def _real(self, value, kind):
        odd = self._random.choice((*REALS, -value, value * 1e3, value + self._random.gauss(0, 1)))
        if kind == "float" and math.isfinite(odd):
            return max(-LARGEST_FLOAT, min(LARGEST_FLOAT, odd))
        return odd

    def _integer(self, value, kind):
        low, high = INTEGERS[kind]
        odd = self._random.choice(
            (low, high, 0, 1, value + 1, value - 1, 10**9, self._random.randint(low, high))
        )
        return max(low, min(high, odd))

    def _with_odd_elements(self, values, kind):
        """A copy with one odd element, or of one odd element all over."""
        copy = values[:] if isinstance(values, array) else np.array(values)
        count = len(copy)
        rows = range(count) if self._random.random() < 0.3 else [self._random.randrange(count)]
        first = copy[rows[0]]
        odd = self._other(first.item() if isinstance(first, np.generic) else first, kind)
        for row in rows:
            copy[row] = odd
        return copy

    def _resized(self, values, inner):
        """As many elements as nobody expects."""
        if not len(values) and "/" in inner:
            return values  # nothing to repeat
        if not len(values):
            values = ["x"] if inner == "string" else array(values.typecode, [0])
        length = self._random.choice((*LENGTHS, len(values) - 1, len(values) + 1, 2 * len(values)))
        length = max(0, min(BIG, length))
        return (values * (length // len(values) + 1))[:length]
