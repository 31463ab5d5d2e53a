"""Cones as messages of other stacks, by stand-ins with the fields of the definitions there."""

import sys
from dataclasses import dataclass, make_dataclass
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from conegrad_msgs.msg import Cone, ConeArray
from geometry_msgs.msg import Point

from conegrad_core.cones import COLOUR_NAMES
from conegrad_data.decode.errors import DecodeError
from conegrad_nodes.cone_converter import ConeConverter
from conegrad_nodes.encode.other_stacks import (
    EUFS_FIELDS,
    FORMATS,
    FS_CONSTANTS,
    ConeFormat,
    eufs_cones,
    fs_track,
    vision_detections,
)
from conegrad_nodes.parameters.node_settings import CONE_FORMATS

BLUE, YELLOW, SMALL_ORANGE, BIG_ORANGE, UNKNOWN = 1, 2, 3, 4, 0  # of conegrad_msgs/Cone


def stand_in(name, *fields):
    """A message with these fields and no others."""
    return make_dataclass(name, [(one, Any, None) for one in fields], slots=True)


@dataclass
class FsCone:
    location: Any = None
    color: int = 0
    BLUE = 0
    YELLOW = 1
    ORANGE_BIG = 2
    ORANGE_SMALL = 3
    UNKNOWN = 4


EUFS = SimpleNamespace(
    ConeWithCovariance=stand_in("ConeWithCovariance", "point", "covariance"),
    ConeArrayWithCovariance=stand_in(
        "ConeArrayWithCovariance", "header", "blue_cones", "yellow_cones", "orange_cones",
        "big_orange_cones", "unknown_color_cones",
    ),
)  # fmt: skip
FS = SimpleNamespace(Cone=FsCone, Track=stand_in("Track", "track"))
VISION = SimpleNamespace(
    ObjectHypothesis=stand_in("ObjectHypothesis", "class_id", "score"),
    ObjectHypothesisWithPose=stand_in("ObjectHypothesisWithPose", "hypothesis", "pose"),
    BoundingBox3D=stand_in("BoundingBox3D", "center", "size"),
    Detection3D=stand_in("Detection3D", "header", "results", "bbox", "id"),
    Detection3DArray=stand_in("Detection3DArray", "header", "detections"),
)


def cone(x, colour, **fields):
    return Cone(position=Point(x=x, y=-1.0, z=-0.15), colour=colour, existence=0.9, **fields)


def cones(*rows):
    msg = ConeArray(cones=list(rows))
    msg.header.frame_id, msg.header.stamp.sec = "lidar", 7
    return msg


ONE_OF_EACH = [
    cone(1.0, BLUE), cone(2.0, YELLOW), cone(3.0, SMALL_ORANGE), cone(4.0, BIG_ORANGE),
    cone(5.0, UNKNOWN),
]  # fmt: skip


def test_every_colour_and_format_has_its_counterpart():
    assert set(EUFS_FIELDS) == set(FS_CONSTANTS) == set(COLOUR_NAMES)
    assert tuple(FORMATS) == CONE_FORMATS


def test_eufs_gets_a_list_per_colour_with_covariances_in_the_same_frame():
    rows = [cone(6.0, BLUE, covariance=[0.04, 0.01, 0.01, 0.09]), *ONE_OF_EACH]
    found = eufs_cones(cones(*rows), EUFS)
    assert (found.header.frame_id, found.header.stamp.sec) == ("lidar", 7)
    places = {name: [one.point.x for one in getattr(found, name)] for name in EUFS_FIELDS.values()}
    assert places == {
        "blue_cones": [6.0, 1.0],
        "yellow_cones": [2.0],
        "orange_cones": [3.0],
        "big_orange_cones": [4.0],
        "unknown_color_cones": [5.0],
    }
    assert list(found.blue_cones[0].covariance) == [0.04, 0.01, 0.01, 0.09]


def test_fs_gets_colours_by_the_names_of_its_constants():
    found = fs_track(cones(*ONE_OF_EACH), FS).track
    assert [(one.location.x, one.color) for one in found] == [
        (1.0, 0), (2.0, 1), (3.0, 3), (4.0, 2), (5.0, 4),
    ]  # fmt: skip


def test_vision_gets_boxes_of_cones_with_a_hypothesis_per_colour():
    seen = cone(
        4.0, BIG_ORANGE, probability_big_orange=0.8, probability_blue=0.2, id=12,
        covariance=[0.04, 0.01, 0.01, 0.09],
    )  # fmt: skip
    (found,) = vision_detections(cones(seen), VISION).detections
    assert (found.header.frame_id, found.id) == ("lidar", "12")
    size, centre = found.bbox.size, found.bbox.center.position
    assert (size.x, size.y, size.z) == (0.285, 0.285, 0.505)
    assert (centre.x, centre.y, centre.z) == pytest.approx((4.0, -1.0, -0.15 + 0.2525))
    scores = {one.hypothesis.class_id: one.hypothesis.score for one in found.results}
    assert scores == pytest.approx(
        {"blue": 0.18, "yellow": 0, "small_orange": 0, "big_orange": 0.72, "unknown": 0}
    )
    covariance = found.results[0].pose.covariance
    assert [covariance[entry] for entry in (0, 1, 6, 7)] == [0.04, 0.01, 0.01, 0.09]
    assert sum(map(abs, covariance)) == pytest.approx(0.15)


def test_a_cone_without_identity_has_an_empty_id_and_one_below_a_hanging_lidar_hangs():
    hanging = cone(4.0, UNKNOWN)
    hanging.position.z = 0.2
    (found,) = vision_detections(cones(hanging), VISION).detections
    assert found.id == ""
    assert found.bbox.center.position.z == pytest.approx(0.2 - 0.1625)


@pytest.mark.parametrize(
    ("convert", "messages"), [(eufs_cones, EUFS), (fs_track, FS), (vision_detections, VISION)]
)
def test_a_colour_that_is_none_is_refused(convert, messages):
    with pytest.raises(DecodeError, match="colour of a cone is 9, expected one of 0, 1, 2, 3, 4"):
        convert(cones(cone(1.0, 9)), messages)
    assert convert(cones(), messages) is not None


@pytest.mark.parametrize("name", CONE_FORMATS)
def test_a_package_that_is_missing_is_named_with_its_remedy(graph, reports, monkeypatch, name):
    for module in (FORMATS[name].package, f"{FORMATS[name].package}.msg"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails
    graph.start(ConeConverter, format=name)
    expected = f"{FORMATS[name].package} is not installed: {FORMATS[name].remedy}"
    graph.until(lambda: expected in reports.text("cone_converter: node"), "the reason")


def test_cones_that_probably_exist_are_published_at_their_stamp(graph, monkeypatch):
    same = ConeFormat("conegrad_msgs", "ConeArray", lambda msg, _: msg, "")
    monkeypatch.setitem(FORMATS, "fs", same)
    graph.start(ConeConverter, format="fs", min_existence=0.6)
    answers = graph.hear(ConeArray, "cones_fs")
    publisher = graph.publisher(ConeArray, "cones")
    doubtful = cone(9.0, BLUE)
    doubtful.existence = 0.5
    sent = cones(doubtful, *ONE_OF_EACH)
    graph.until(lambda: answers, "converted cones", lambda: publisher.publish(sent))
    assert [one.position.x for one in answers[0].cones] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert answers[0].header == sent.header
