"""Play a bag through the perception and write a new bag with its inputs and the cones.

By default the nodes run in a process of their own, in a ROS domain of their own, and the bag is
played over DDS in lockstep: as fast as the nodes go, and no message is lost. --rate 1 plays in real
time instead, as on the car. --direct runs the same modules without ROS. --pipeline names another
pipeline than that of the car, --system a recorded system; --stages apart gives each of the stages a
node of its own.

  conegrad perceive drive -o drive_cones
  conegrad perceive drive -o drive_cones --rate 1 --set detector.engine=onnx
  conegrad perceive drive -o drive_cones --pipeline camera_keypoints
  conegrad perceive drive -o drive_cones --system car@champion
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import BAG, PERCEPTION_PARAMETERS, PerceptionSettings, read_roles
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_nodes.playback.perceive import PerceiveOptions, PerceiveResult, perceive_bag
from conegrad_nodes.playback.player import PlayConfig


@dataclass(frozen=True)
class PerceiveSettings(PerceptionSettings):
    """Settings of the command itself."""

    stages: str = setting(
        "composed", "Stages share few nodes, or have a node each", choices=("composed", "apart")
    )
    direct: bool = setting(False, "Run the modules in this process, without ROS")
    domain: int | None = setting(
        None, "ROS domain to share on this machine (default: one of its own)"
    )


SETTINGS = CommandSettings(
    {"": PerceiveSettings(), "play": PlayConfig()}, {"": PERCEPTION_PARAMETERS}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help=BAG)
    add_output(parser)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Perceive and say what came out."""
    settings = SETTINGS.read(options)
    own = settings[PerceiveSettings]
    chosen = PerceiveOptions(
        pipeline=own.what_runs,
        stages=own.stages,
        play=settings[PlayConfig],
        parameters=settings.parameters[""],
        parameter_files=own.params_file,
        topics=read_roles(own.topic),
        vehicle=own.vehicle,
        domain=own.domain,
    )
    with output_bag(options, Path(options.bag)) as output:
        if own.direct:
            from conegrad_nodes.playback.direct_bag import perceive_directly

            count = perceive_directly(options.bag, output, chosen, progress=ProgressBar("perceive"))
            print(f"{output}: {count} messages on /cones")
            return
        result = perceive_bag(options.bag, output, chosen, progress=ProgressBar("perceive"))
    print(describe(result))
    print(f"{output}: written; 'conegrad evaluate {output}' compares it with the truth")


def describe(result: PerceiveResult) -> str:
    """What came out, for people: counts, losses with their reasons, latency."""
    lines = []
    for name, counts in (
        ("images", result.images),
        ("scans", result.scans),
        ("cones", result.fusions),
    ):
        if counts.sent:
            lines.append(f"{name:<7} {counts.received} of {counts.sent}, {counts.lost} lost")
    if result.latencies:
        ordered = sorted(result.latencies)
        p50, p95 = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
        lines.append(f"latency {1000 * p50:.0f} ms median, {1000 * p95:.0f} ms p95")
    return "\n".join([*lines, *result.reasons])
