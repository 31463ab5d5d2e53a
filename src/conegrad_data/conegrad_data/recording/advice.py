"""What perception and evaluation would miss in a bag, and what to do about it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.recording.bag_index import TopicIndex
from conegrad_data.topics.topics import TopicChoice

MAX_DELAY = 1.0  # [s] between capture and recording, above which the clocks count as different
MAX_PAIR_OFFSET = 0.06  # [s] between an image and its nearest scan, above which it is reported
SENSORS = {"image", "scan", "points"}  # roles, any of which gives cones
BASE_FRAME = "base_link"  # of cones without a LiDAR, too


class Advice(NamedTuple):
    """Something that limits what can be done with a bag, and what to do about it.

    Attributes:
        problem: what it is.
        remedy: what to do.
        area: what it is about: ``sensors``, ``comparison``, ``messages``, ``calibration`` or
            ``stamps``.
    """

    problem: str
    remedy: str
    area: str = "sensors"


NO_SENSORS = Advice(
    "no images and no LiDAR",
    "there is nothing to perceive; record image_raw or its compressed form, and scan or points",
)


def advise(
    topics: dict[str, TopicIndex],
    choice: TopicChoice,
    frames: StaticFrames,
    offsets: npt.NDArray[np.float64],
) -> list[Advice]:
    """What limits what can be done with a bag.

    Args:
        topics: what the bag holds.
        choice: what its topics are for.
        frames: its fixed frames.
        offsets: ``(images,)`` time from each image to the nearest scan [s].
    """
    roles = choice.roles
    held = set(roles) | set(choice.ambiguities)
    by_area = {
        "sensors": _advise_sensors(held) if SENSORS & held else [NO_SENSORS],
        "comparison": _advise_comparison(held),
        "messages": _advise_faults(topics, roles),
        "calibration": _advise_calibration(topics, roles, frames),
        "stamps": _advise_stamps(topics, roles, offsets),
    }
    return [advice._replace(area=area) for area, found in by_area.items() for advice in found]


def _advise_sensors(roles: set[str]) -> list[Advice]:
    advice = []
    if "image" not in roles:
        advice.append(
            Advice("no images", "cones have no colour; record image_raw or its compressed form")
        )
    if "scan" not in roles and "points" not in roles:
        advice.append(Advice("no LiDAR", "cones come from the camera alone; record scan or points"))
    return advice


def _advise_comparison(roles: set[str]) -> list[Advice]:
    if not (SENSORS | {"cones"}) & roles:
        return []
    advice = []
    if "odom" not in roles:
        advice.append(
            Advice(
                "no odometry",
                "motion within a scan, and between an image and its scan, is not compensated, and "
                "a track map cannot serve as truth; record odom",
            )
        )
    if "truth" not in roles:
        advice.append(
            Advice(
                "no truth",
                "evaluate needs a map of the cones: conegrad evaluate BAG --track CONES.csv",
            )
        )
    return advice


def _advise_faults(topics: dict[str, TopicIndex], roles: dict[str, str]) -> list[Advice]:
    found = [topics[name] for name in dict.fromkeys(roles.values()) if name in topics]
    remedy = "check the driver; record again, or mend the messages"
    return [Advice(f"{topic.name}: {topic.fault}", remedy) for topic in found if topic.fault]


def _advise_calibration(
    topics: dict[str, TopicIndex], roles: dict[str, str], frames: StaticFrames
) -> list[Advice]:
    camera, lidar = roles.get("image"), roles.get("scan") or roles.get("points")
    if camera is None and lidar is None:
        return []
    advice = []
    if camera and "camera_info" not in roles:
        advice.append(
            Advice("no camera_info", "fusion stays silent; record it, or use --vehicle FILE")
        )
    targets = [*(topics[camera].frames if camera else ()), BASE_FRAME]
    for lidar_frame in topics[lidar].frames if lidar else {BASE_FRAME}:
        try:
            for target in targets:
                frames.lookup(target, lidar_frame)
        except FrameError as error:
            advice.append(Advice(str(error), "or use --vehicle FILE"))
    return advice


def _advise_stamps(
    topics: dict[str, TopicIndex], roles: dict[str, str], offsets: npt.NDArray[np.float64]
) -> list[Advice]:
    advice = []
    for role in ("image", "scan", "points", "odom"):
        topic = topics.get(roles.get(role, ""))
        if topic is None or not topic.stamp_ns:
            continue
        if not any(topic.stamp_ns):
            advice.append(Advice(f"{topic.name} has no stamps", "set the stamp in its driver"))
        elif abs(topic.delay) > MAX_DELAY:
            advice.append(
                Advice(
                    f"{topic.name} was recorded {topic.delay:.1f} s after its stamps",
                    "synchronise the clocks of the sensors and of the recorder",
                )
            )
    if len(offsets) and np.abs(offsets).max() > MAX_PAIR_OFFSET:
        share = float((np.abs(offsets) > MAX_PAIR_OFFSET).mean())
        advice.append(
            Advice(
                f"{share:.0%} of the images have no scan within {1000 * MAX_PAIR_OFFSET:.0f} ms",
                "they are used alone; a constant offset is set by the fusion node's parameters",
            )
        )
    return advice
