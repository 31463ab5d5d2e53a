"""Options of the commands that read a bag: its topics, and how it would be perceived."""

import argparse
from pathlib import Path

from conegrad_data.topics.topics import read_topics


def add_topics(parser: argparse.ArgumentParser) -> None:
    """Which topic of the bag plays which role."""
    parser.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="ROLE=TOPIC",
        help="topic of the bag, such as image=/front/image_raw; 'none' leaves it out; repeatable",
    )


def chosen_topics(options: argparse.Namespace) -> dict[str, str]:
    """Topic of each role that was named.

    Raises:
        BagError: if a word has another form, or a role does not exist.
    """
    return read_topics(options.topic, "--topic")


def add_perception(parser: argparse.ArgumentParser) -> None:
    """What a run of the perception takes from elsewhere than the bag, and the topics."""
    parser.add_argument(
        "--params", type=Path, action="append", default=[], help="ROS parameter file; repeatable"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="parameter of the nodes, such as detector.engine=onnx; repeatable",
    )
    add_topics(parser)
    parser.add_argument(
        "--vehicle", default="", help="preset that gives the calibration in place of the bag"
    )
