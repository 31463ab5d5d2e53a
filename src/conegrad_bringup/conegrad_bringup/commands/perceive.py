"""Play a bag through the perception and write a new bag with its inputs and the cones.

By default the three nodes run in a process of their own, in a ROS domain of their own, and the
bag is played over DDS in lockstep: as fast as the nodes go, and no message is lost. --rate 1
plays in real time instead, as on the car. --direct runs the same modules without ROS.

  conegrad perceive drive -o drive_cones
  conegrad perceive drive -o drive_cones --rate 1 --set detector.engine=onnx
"""

import argparse
from pathlib import Path

from conegrad_bringup.bag_options import add_perception, chosen_topics
from conegrad_bringup.options import Bar, add_config, read_config
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_core.settings.assignments import read_assignments
from conegrad_nodes.playback.perceive import PerceiveOptions, PerceiveResult, perceive_bag
from conegrad_nodes.playback.player import PlayConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help="folder of a bag, or a file *.mcap or *.db3")
    add_output(parser)
    parser.add_argument("--direct", action="store_true", help="without ROS, in this process")
    add_config(parser, PlayConfig)
    add_perception(parser)
    parser.add_argument(
        "--domain",
        type=int,
        default=None,
        help="ROS domain to share on this machine (default: one of its own)",
    )


def run(options: argparse.Namespace) -> None:
    """Perceive and say what came out."""
    chosen = PerceiveOptions(
        play=read_config(options, PlayConfig),
        parameters=read_assignments(options.set, "--set"),
        parameter_files=options.params,
        topics=chosen_topics(options),
        vehicle=options.vehicle,
        domain=options.domain,
    )
    with output_bag(options, Path(options.bag)) as output:
        if options.direct:
            from conegrad_nodes.playback.direct_bag import perceive_directly

            count = perceive_directly(options.bag, output, chosen, progress=Bar("perceive"))
            print(f"{output}: {count} messages on /cones")
            return
        result = perceive_bag(options.bag, output, chosen, progress=Bar("perceive"))
    print(describe(result))
    print(f"{output}: written; 'conegrad evaluate {output}' judges it")


def describe(result: PerceiveResult) -> str:
    """What came out, for people: counts, losses with their reasons, latency."""
    lines = []
    for name, counts in (
        ("images", result.images),
        ("scans", result.scans),
        ("cones", result.fusions),
    ):
        if counts.sent:
            lines.append(f"{name:<7} {counts.answered} of {counts.sent}, {counts.lost} lost")
    if result.latencies:
        ordered = sorted(result.latencies)
        p50, p95 = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
        lines.append(f"latency {1000 * p50:.0f} ms median, {1000 * p95:.0f} ms p95")
    return "\n".join([*lines, *result.reasons])
