"""Statistics of the images and scans of a recording, as the domain monitor takes them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conegrad_core.domain_monitor.domain_monitor import STATISTICS
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.decode import DecodeError, image_from_msg
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.topics.topics import choose_topics, one_lidar
from conegrad_evaluation.metrics.matching import Floats

KINDS = {"image": "Image", "scan": "Scan", "points": "Scan"}  # by role


def drive_statistics(
    path: Path,
    *,
    every: int = 1,
    topics: Mapping[str, str] | None = None,
    reduction: ReductionConfig | None = None,
) -> dict[str, Floats]:
    """``(N, D)`` statistics of the frames of a bag by the kind of their port.

    Args:
        path: of the bag.
        every: of so many messages of a sensor one is read.
        topics: that the user chose, by role.
        reduction: of clouds to scans, as of the LiDAR node.

    Raises:
        BagError: if the bag cannot be read, or holds no image and no scan that can be used.
    """
    reader = ScanReader(reduction)
    found: dict[str, list[Floats]] = {}
    with BagReader(path) as bag:
        choice = one_lidar(choose_topics(bag, topics), topics)
        kinds = {choice.roles[role]: kind for role, kind in KINDS.items() if role in choice.roles}
        counts = dict.fromkeys(kinds, 0)
        for topic, _, msg in bag.messages(list(kinds)):
            counts[topic] += 1
            if (counts[topic] - 1) % every:
                continue
            kind = kinds[topic]
            try:
                value: Any = image_from_msg(msg) if kind == "Image" else reader.read(msg).scan
                found.setdefault(kind, []).append(STATISTICS[kind][1](value))
            except (DecodeError, ValueError):
                continue  # the nodes skip it, too
    if not found:
        raise BagError(f"{path} holds no image and no scan that can be used")
    return {kind: np.stack(rows) for kind, rows in found.items()}


def by_kind(drives: Iterable[Mapping[str, Floats]]) -> dict[str, list[Floats]]:
    """Statistics of all drives that have a kind, by the kind."""
    found: dict[str, list[Floats]] = {}
    for drive in drives:
        for kind, rows in drive.items():
            found.setdefault(kind, []).append(rows)
    return found
