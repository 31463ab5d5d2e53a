"""Examines what was recorded of a graph: the checks of ``conegrad info``, rates, alignment."""

import math
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from conegrad_core.geometry.calibration import moved_calibration
from conegrad_core.geometry.odometry import sensor_motion
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.recording.bag_index import TopicIndex
from conegrad_data.recording.info import BagInfo, inspect
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.alignment import SeenTogether, misalignment
from conegrad_nodes.doctor.finding import Finding
from conegrad_nodes.doctor.own_car_check import examine_own_car
from conegrad_nodes.parameters.chosen_parameters import settings
from conegrad_nodes.playback.direct import DirectFrame, direct_frames
from conegrad_nodes.playback.first_calibration import first_camera_info
from conegrad_nodes.playback.perceive import PerceiveOptions, check_bag

LEAST_RATES = {"image": 5.0, "scan": 5.0, "points": 5.0, "odom": 10.0}  # [Hz], by role
LONG_GAP = 4.0  # median steps, above which a sensor counts as one that stops now and then,
LEAST_GAP = 0.15  # [s] and this long at least
MAX_CLOCK_OFFSET = 0.25  # [s] between the delays of two sensors
MAX_ANGLE = math.radians(1.0)  # of the calibration
FRAMES = 60  # pairs that are perceived
# Advice about recordings that does not matter on a car, or that the check of the bag gives better.
PASSED_OVER = ("comparison", "calibration")
GRAPH_PREFIXES = ("calibration.", "pairing.", "reduction.", "sweep.")


def options_of(
    parameters: Mapping[str, Any], topics: Mapping[str, str], vehicle: str = ""
) -> PerceiveOptions:
    """How the graph perceives: the parameters of its nodes that decide on calibration and pairing.

    Args:
        parameters: of the nodes, by full name.
        topics: that the user chose, by role.
        vehicle: preset in place of the calibration of the graph.
    """
    chosen = {name: value for name, value in parameters.items() if name.startswith(GRAPH_PREFIXES)}
    if chosen.get("calibration.extrinsics") == "tf":  # the recorded transforms take its place
        del chosen["calibration.extrinsics"]
    if not chosen.get("calibration.file"):
        chosen.pop("calibration.file", None)
    return PerceiveOptions(parameters=chosen, topics=topics, vehicle=vehicle)


def examine_recording(path: Path, options: PerceiveOptions) -> Iterator[Finding]:
    """What is wrong with the messages of a graph.

    Args:
        path: the bag.
        options: how the graph perceives.
    """
    try:
        info = inspect(str(path), options.topics, is_logging=False)
    except BagError as error:
        yield Finding("sensors", Level.ERROR, str(error), "is a driver running?")
        return
    yield from _examine_info(info)
    yield from _examine_rates(info)
    yield from _examine_clocks(info)
    with (
        BagReader(path, is_logging=False) as bag,
        tempfile.TemporaryDirectory(prefix="conegrad-") as folder,
    ):
        found = check_bag(bag, options, Path(folder))
        for finding in found.findings:
            if finding.level > Level.OK:
                yield Finding("calibration", finding.level, finding.text, finding.remedy)
        parameters = options.of_files | dict(found.parameters)
        # As the nodes have it: the outline that is found for a replay stands in its place.
        asked = options.of_files | dict(options.parameters)
        yield from examine_own_car(bag, found.roles, settings(ReductionConfig, asked, "reduction"))
        has_both = "image" in found.roles and {"scan", "points"} & set(found.roles)
        if has_both and not found.errors:
            yield from examine_alignment(bag, options, found.roles, parameters)


def _examine_info(info: BagInfo) -> Iterator[Finding]:
    for advice in info.advice:
        if advice.area not in PASSED_OVER:
            yield Finding(advice.area, Level.WARN, advice.problem, advice.remedy)
    if "odom" not in info.roles:
        text = "no odometry: motion within a scan, and between an image and its scan, is not known"
        yield Finding("sensors", Level.WARN, text, "publish odom (nav_msgs/Odometry)")


def _examine_rates(info: BagInfo) -> Iterator[Finding]:
    for role, least in LEAST_RATES.items():
        topic = info.topics.get(info.roles.get(role, ""))
        if topic is None or topic.count < 2:
            continue
        text = f"{topic.name} comes at {topic.rate:.1f} Hz"
        if topic.rate < least:
            text = f"{text}, expected {least:.0f} Hz or more: cones are that much older"
            remedy = "raise the rate of its driver; look for a full network or a busy processor"
            yield Finding("sensors", Level.WARN, text, remedy)
        elif topic.longest_gap > max(LEAST_GAP, LONG_GAP / topic.rate):
            text = f"{text}, but stopped for {topic.longest_gap:.2f} s"
            remedy = "look for lost messages: shared memory, network, a busy processor"
            yield Finding("sensors", Level.WARN, text, remedy)
        else:
            yield Finding("sensors", Level.OK, text)


def _examine_clocks(info: BagInfo) -> Iterator[Finding]:
    """Sensors whose stamps lie differently to the time of their arrival."""
    topics = [
        info.topics[name]
        for role in LEAST_RATES
        if (name := info.roles.get(role, "")) in info.topics
    ]
    delays = {topic.name: topic.delay for topic in topics if _is_stamped(topic)}
    if len(delays) < 2:
        return
    first, last = min(delays, key=delays.__getitem__), max(delays, key=delays.__getitem__)
    offset = delays[last] - delays[first]
    if offset > MAX_CLOCK_OFFSET:
        yield Finding(
            "clocks",
            Level.ERROR,
            f"stamps of {last} are {delays[last]:.2f} s old on arrival, those of {first} "
            f"{delays[first]:.2f} s: {offset:.2f} s apart",
            "synchronise the clocks of the sensors (PTP, chrony), or let the drivers stamp with "
            "the time of this computer; a constant delay: pairing.camera_offset, lidar_offset",
        )
    else:
        yield Finding("clocks", Level.OK, f"stamps of the sensors agree within {offset:.2f} s")


def _is_stamped(topic: TopicIndex) -> bool:
    return any(topic.stamp_ns)


def examine_alignment(
    bag: BagReader, options: PerceiveOptions, roles: Mapping[str, str], parameters: dict[str, Any]
) -> Iterator[Finding]:
    """Whether the cones of the LiDAR, drawn into the images, meet the boxes of the camera.

    Args:
        bag: with images and scans.
        options: how the graph perceives.
        roles: topic of each role.
        parameters: of the nodes, with those that the bag gives.
    """
    source = CalibrationSource(settings(CalibrationConfig, parameters, "calibration"))
    info = first_camera_info(bag, roles, parameters)
    if info is not None:
        source.take_camera_info(bag.decode(info))
    try:
        frames = islice(direct_frames(bag, options), FRAMES)
        found = misalignment(_together(frames, source))
    except (BagError, CalibrationError) as error:
        yield Finding("calibration", Level.ERROR, str(error), "see docs/frames.md")
        return
    if found is None:
        yield Finding(
            "calibration",
            Level.OK,
            "whether LiDAR and camera are aligned cannot be told: too few cones are seen by both",
        )
        return
    yaw, pitch = math.degrees(found.yaw), math.degrees(found.pitch)
    text = (
        f"the camera points {abs(yaw):.1f} degrees further {'right' if yaw > 0 else 'left'} and "
        f"{abs(pitch):.1f} degrees {'higher' if pitch > 0 else 'lower'} than its calibration says "
        f"({found.pairs} pairs of a box and a cone of the LiDAR)"
    )
    if max(abs(found.yaw), abs(found.pitch)) <= MAX_ANGLE:
        yield Finding("calibration", Level.OK, text)
        return
    yield Finding(
        "calibration",
        Level.ERROR,
        f"{text}, expected {math.degrees(MAX_ANGLE):.0f} at most",
        f"change yaw by {-yaw:+.1f} and pitch by {-pitch:+.1f} degrees in the calibration "
        "(REP-103: left and down are positive), or turn the camera back; where it happens in bends "
        "alone, the stamps of both sensors are apart: pairing.camera_offset",
    )


def _together(frames: Iterator[DirectFrame], source: CalibrationSource) -> Iterator[SeenTogether]:
    for frame in frames:
        image, scan = frame.pair.detections, frame.pair.segmentation
        if image is None or scan is None:
            continue
        calibration, base_from_lidar = source.calibration(image.frame, scan.frame)
        if frame.pair.motion is not None:
            motion: torch.Tensor = sensor_motion(frame.pair.motion, base_from_lidar)
            calibration = moved_calibration(calibration, motion)
        ports = {**image.values, **scan.values}
        if {"detections", "segmentation"} <= set(ports):
            yield SeenTogether(calibration, ports["detections"], ports["segmentation"])
