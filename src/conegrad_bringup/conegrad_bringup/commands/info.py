"""Describe a bag: topics, rates, stamps, frames, and what perception would miss in it."""

import argparse
import json
import math
from typing import Any

import numpy as np

from conegrad_nodes.bags.info import BagInfo, TopicInfo, inspect

COLUMNS = ("topic", "type", "count", "rate [Hz]", "longest gap [s]", "delay [ms]", "details")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help="folder of a bag, or a file *.mcap or *.db3")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> None:
    """Print the description."""
    info = inspect(options.bag)
    print(json.dumps(as_dict(info), indent=2) if options.json else as_text(info))


def as_text(info: BagInfo) -> str:
    """A description for people."""
    lines = [f"{info.path}: {info.duration:.1f} s", ""]
    lines += _table([COLUMNS, *(_row(topic) for topic in info.topics.values())])
    lines += ["", f"frames: {', '.join(info.frames) or 'none (no tf_static)'}"]
    if len(info.pair_offsets):
        offsets = 1000 * np.abs(info.pair_offsets)
        median, largest = float(np.median(offsets)), float(offsets.max())
        lines += [f"image to nearest scan: median {median:.1f} ms, at most {largest:.1f} ms"]
    for warning in info.warnings:
        lines += ["", f"WARNING {warning}"]
    for advice in info.advice:
        lines += ["", f"{advice.problem}", f"  -> {advice.remedy}"]
    if not info.advice:
        lines += ["", f"ready: conegrad perceive {info.path} -o OUTPUT"]
    return "\n".join(lines)


def as_dict(info: BagInfo) -> dict[str, Any]:
    """A description for programs."""
    return {
        "path": info.path,
        "duration": info.duration,
        "topics": {
            name: {
                "type": topic.msgtype,
                "count": topic.count,
                "rate": _finite(topic.rate),
                "longest_gap": _finite(topic.longest_gap),
                "delay": _finite(topic.delay),
                "frames": sorted(topic.frames),
                "detail": topic.detail,
            }
            for name, topic in info.topics.items()
        },
        "roles": info.roles,
        "frames": info.frames,
        "warnings": info.warnings,
        "advice": [advice._asdict() for advice in info.advice],
    }


def _row(topic: TopicInfo) -> tuple[str, ...]:
    frames = ", ".join(sorted(frame for frame in topic.frames if frame))
    details = "; ".join(text for text in (topic.detail, frames and f"in {frames}") if text)
    return (
        topic.name,
        topic.msgtype.replace("/msg/", "/"),
        str(topic.count),
        _number(topic.rate, 1),
        _number(topic.longest_gap, 3),
        _number(1000 * topic.delay, 1),
        details,
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
