"""What ``metadata.yaml`` declares about a bag, and how that differs from what is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import yaml

METADATA = "metadata.yaml"
ROOT = "rosbag2_bagfile_information"
DURATION_ERROR = 1.0  # [s], a difference below is not reported: recorders round and cut


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic of ``metadata.yaml``.

    Attributes:
        msgtype: such as ``sensor_msgs/msg/Image``.
        count: messages.
        qos: profiles that its publishers offered, as the file has them: a list, or YAML.
    """

    msgtype: str
    count: int
    qos: Any


@dataclass(frozen=True)
class Metadata:
    """What ``metadata.yaml`` declares.

    Attributes:
        files: names of the bag's files, with the messages that each should hold, -1 if not said.
        topics: by name; of several types on one name, that with the most messages.
        duration: from the first to the last message [s], negative if not said.
        notes: texts by name, ``custom_data``.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    topics: Mapping[str, DeclaredTopic] = field(default_factory=dict)
    duration: float = -1.0
    notes: Mapping[str, str] = field(default_factory=dict)


def read_metadata(folder: Path) -> Metadata | None:
    """What a bag declares, None if it declares nothing.

    Raises:
        ValueError: if the file is not of the form of rosbag2; says in what.
        OSError: if it cannot be read.
    """
    path = folder / METADATA
    if not path.exists():
        return None
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        information = declared[ROOT]
        # Up to version 3 the paths start at the folder above.
        names = [PurePath(name).name for name in information["relative_file_paths"]]
        return Metadata(
            dict.fromkeys(names, -1) | _file_counts(information),
            _topics(information),
            _duration(information),
            dict(information.get("custom_data") or {}),
        )
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = " ".join(str(error).split())
        raise ValueError(f"{path} is not readable ({first})") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not of the form of rosbag2 ({error!r})") from error


def _file_counts(information: Mapping[str, Any]) -> dict[str, int]:
    files = information.get("files") or []
    return {PurePath(file["path"]).name: int(file["message_count"]) for file in files}


def _topics(information: Mapping[str, Any]) -> dict[str, DeclaredTopic]:
    topics: dict[str, DeclaredTopic] = {}
    for entry in information["topics_with_message_count"]:
        declared = entry["topic_metadata"]
        count = int(entry["message_count"])
        name, qos = declared["name"], declared.get("offered_qos_profiles")
        if name not in topics or topics[name].count < count:
            topics[name] = DeclaredTopic(declared["type"], count, qos)
    return topics


def _duration(information: Mapping[str, Any]) -> float:
    nanoseconds = (information.get("duration") or {}).get("nanoseconds", -1)
    return float(nanoseconds) * 1e-9


def differences(
    declared: Metadata, counts: Mapping[str, int], types: Mapping[str, str], duration: float
) -> Iterator[str]:
    """One line for each topic, and for the time, that is not as declared.

    Args:
        declared: by the bag.
        counts: messages that are read, by topic.
        types: message type, by topic.
        duration: from the first to the last message that is read [s].
    """
    for name in sorted({*declared.topics, *counts}):
        topic, count = declared.topics.get(name), counts.get(name, 0)
        if topic is None:
            yield f"{METADATA} does not declare {name}, {count} messages of it are read"
        elif topic.count != count:
            yield f"{METADATA} declares {topic.count} messages on {name}, {count} are read"
        elif name in types and topic.msgtype != types[name]:
            yield f"{METADATA} declares {name} as {topic.msgtype}, it is read as {types[name]}"
    if declared.duration >= 0 and abs(declared.duration - duration) > DURATION_ERROR:
        yield f"{METADATA} declares {declared.duration:.1f} s, {duration:.1f} s are read"
