"""Images of serialized messages, read in place."""

from types import SimpleNamespace

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.decode import DecodeError, image_from_msg
from conegrad_data.decode.serialized_image import read_image

IMAGE = "sensor_msgs/msg/Image"


def header(seconds, nanoseconds, frame):
    return SimpleNamespace(stamp=SimpleNamespace(sec=seconds, nanosec=nanoseconds), frame_id=frame)


def serialized(frame, encoding, channels):
    pixels = np.arange(3 * 5 * channels, dtype=np.uint8)
    msg = messages.make(
        IMAGE,
        header=messages.header_msg(1_700_000_000_123_456_789, frame),
        height=3,
        width=5,
        encoding=encoding,
        is_bigendian=1,
        step=5 * channels,
        data=pixels,
    )
    return bytes(messages.default_typestore().serialize_cdr(msg, IMAGE)), msg


@pytest.mark.parametrize("frame", ["", "c", "cam", "camera_optical"])
@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", 3), ("mono8", 1), ("bgra8", 4)])
def test_fields_are_those_of_the_message_wherever_they_lie(frame, encoding, channels):
    data, msg = serialized(frame, encoding, channels)
    read = read_image(data, header)
    assert (read.height, read.width, read.step) == (3, 5, 5 * channels)
    assert (read.encoding, read.is_bigendian, read.header.frame_id) == (encoding, 1, frame)
    assert read.header.stamp.sec == 1_700_000_000
    assert read.header.stamp.nanosec == 123_456_789
    assert np.array_equal(image_from_msg(read), image_from_msg(msg))


def test_a_message_that_is_cut_short_anywhere_is_refused():
    data, _ = serialized("camera", "rgb8", 3)
    for length in range(len(data)):
        with pytest.raises(DecodeError, match=f"a message of {length} bytes ends before"):
            read_image(data[:length], header)
