"""Port types without a message of their own over topics."""

from typing import NamedTuple

import pytest
import torch
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from torch import Tensor

from conegrad_core.crops.crops import Crops
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.pipeline.port import TuplePort
from conegrad_data.decode import DecodeError
from conegrad_nodes.port_messages.registry import port_message
from conegrad_nodes.port_messages.tensors import TensorsMessage

HEADER = Header(frame_id="camera")
POINTS = Keypoints(torch.randn(3, 7, 2) * 300, torch.randn(3, 7))
SIZE = {"image_size": (640, 384)}


class Reading(NamedTuple):
    """A number, and perhaps a second one."""

    level: Tensor
    spread: Tensor | None = None


READING = TensorsMessage(
    TuplePort("Reading", Reading, {"level": (), "spread": ()}, optional=["spread"])
)


def over_the_wire(message, value, details):
    msg = message.encode(value, HEADER, details)
    return deserialize_message(serialize_message(msg), message.msgtype)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Keypoints", POINTS),
        ("Keypoints", Keypoints(torch.zeros(0, 7, 2), torch.zeros(0, 7))),
        ("Crops", Crops(torch.rand(2, 3, 8, 8), torch.rand(2, 4) * 640)),
    ],
    ids=["keypoints", "no detection", "crops"],
)
def test_tensors_cross_a_topic_exactly_with_the_size_of_the_image(kind, value):
    message = port_message(kind)
    received = message.decode(over_the_wire(message, value, SIZE))
    for found, expected in zip(received.value, value, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert received.details == SIZE


def test_a_single_number_and_a_field_without_value_are_kept():
    received = READING.decode(over_the_wire(READING, Reading(torch.tensor(0.25)), {}))
    assert (received.value, dict(received.details)) == (Reading(torch.tensor(0.25), None), {})


def damaged(change):
    msg = port_message("Keypoints").encode(POINTS, HEADER, SIZE)
    change(msg)
    return msg


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: setattr(m, "kind", "Crops"), "kind is 'Crops', expected 'Keypoints'"),
        (lambda m: m.tensors.pop(), "Keypoints lacks the field 'log_deviations', expected posi"),
        (lambda m: setattr(m.tensors[0], "name", "place"), "Keypoints has no field 'place'"),
        (lambda m: setattr(m.tensors[1], "name", "positions"), "positions is given twice"),
        (lambda m: m.tensors[0].data.pop(), r"Keypoints.positions has 41 values, expected 42 of"),
        (lambda m: setattr(m.tensors[0], "shape", [42]), r"positions has shape \(42,\), expected"),
        (lambda m: m.tensors[1].shape.__setitem__(0, 2**32 - 1), "log_deviations has 21 values"),
        (lambda m: m.tensors[0].data.__setitem__(5, float("nan")), "positions is not finite"),
    ],
)
def test_a_damaged_message_is_refused_with_its_field(change, fault):
    with pytest.raises(DecodeError, match=fault):
        port_message("Keypoints").decode(damaged(change))


def test_numbers_that_float32_does_not_hold_are_not_sent():
    with pytest.raises(DecodeError, match=r"Reading.level is torch.int64, expected float32"):
        READING.encode(Reading(torch.tensor(3)), HEADER, {})


def test_what_is_not_finite_is_not_sent():
    with pytest.raises(DecodeError, match=r"Reading.spread is not finite"):
        READING.encode(Reading(torch.tensor(3.0), torch.tensor(torch.inf)), HEADER, {})
