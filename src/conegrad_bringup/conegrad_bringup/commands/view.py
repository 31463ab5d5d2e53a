"""See a bag or a running graph: in a browser, on a page that needs nothing else, or in Foxglove.

With BAG, the bag is played in real time through the nodes, in a process and a ROS domain of their
own, and nothing is recorded ('conegrad perceive' records). Without, the view listens to the graph
that this environment reaches (ROS_DOMAIN_ID), and only to what somebody looks at. Both show the
camera picture with its boxes, the bird's eye view with scan and cones, rates, latencies and
diagnostics. Ctrl-C ends it.

  conegrad view drive --loop
  conegrad view drive --rate 0.5 --pipeline camera_keypoints
  conegrad view
  conegrad view --namespace car --topic image=/front/image_raw
"""

import argparse
import contextlib
import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.bag_options import BAG, PERCEPTION_PARAMETERS, PerceptionSettings, read_roles
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings, EffectiveSettings, Group
from conegrad_core.settings.options import option_of_field
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_nodes.view_server.view import served


@dataclass(frozen=True)
class ViewSettings(PerceptionSettings):
    """Settings of the command itself."""

    rate: float = setting(
        1.0, "Speed relative to real time; 0 plays as fast as the nodes go", low=0.0
    )
    loop: bool = setting(False, "Play a bag again and again")
    namespace: str = setting("", "Namespace of the nodes of a running graph")
    domain: int | None = setting(
        None, "ROS domain (default: ROS_DOMAIN_ID, of a bag one of its own)"
    )


SETTINGS = CommandSettings(
    {"": ViewSettings(), "view": Group(ViewConfig(view=True), leave_out=("view",))},
    {"": PERCEPTION_PARAMETERS},
)
OF_GRAPH = ("topic", "namespace", "domain")  # settings that a running graph takes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", nargs="?", default="", help=BAG)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Serve until the bag ends, or until Ctrl-C."""
    settings = SETTINGS.read(options)
    with contextlib.suppress(KeyboardInterrupt):  # the way that a view ends
        if options.bag:
            _view_bag(options.bag, settings)
        else:
            _view_graph(settings)


def _view_bag(bag: str, settings: EffectiveSettings) -> None:
    from conegrad_nodes.playback.this_machine import check_middleware

    check_middleware()  # ahead of rclpy, which ends the process without one
    from conegrad_nodes.playback.perceive import PerceiveOptions
    from conegrad_nodes.playback.player import PlayConfig
    from conegrad_nodes.viewing.bag_view import view_bag

    own = settings[ViewSettings]
    if own.namespace:
        fault = f"is {own.namespace!r} beside the bag {bag}"
        raise ValueError(f"--namespace {fault}, expected it for a running graph alone")
    chosen = PerceiveOptions(
        pipeline=own.what_runs,
        play=PlayConfig(rate=own.rate),
        parameters=settings.parameters[""],
        parameter_files=own.params_file,
        topics=read_roles(own.topic),
        vehicle=own.vehicle,
        domain=own.domain,
    )
    feed = ViewFeed(Path(bag).name)
    view_bag(bag, chosen, feed, served(feed, settings[ViewConfig]), loop=own.loop)
    print(feed.activity)


def _view_graph(settings: EffectiveSettings) -> None:
    own = settings[ViewSettings]
    _refuse_those_of_bags(own, settings.parameters[""])
    from conegrad_nodes.middleware.domain import keep_here
    from conegrad_nodes.viewing.graph_view import GraphView

    keep_here(os.environ)
    title = f"Running graph {own.namespace}".rstrip()
    topics = read_roles(own.topic)
    with (
        served(ViewFeed(title), settings[ViewConfig]) as feed,
        GraphView(feed, namespace=own.namespace, topics=topics, domain=own.domain) as graph,
    ):
        graph.listen()


def _refuse_those_of_bags(own: ViewSettings, parameters: Mapping[str, Any]) -> None:
    """Refuse what says how a bag is perceived."""
    default = ViewSettings()
    for field in dataclasses.fields(own):
        value = getattr(own, field.name)
        if field.name not in OF_GRAPH and value != getattr(default, field.name):
            raise ValueError(
                f"{option_of_field(field)} is {value!r}, expected it with a BAG alone: the nodes "
                "of a running graph are what they are"
            )
    if parameters:
        names = ", ".join(parameters)
        raise ValueError(f"parameters of nodes are given ({names}), expected them with a BAG alone")
