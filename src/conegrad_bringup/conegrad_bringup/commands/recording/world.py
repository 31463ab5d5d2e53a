"""Make one scene as a world for Gazebo, as a simulated bag, or as both.

  conegrad world make --track skidpad --vehicle roboracer -o build/skidpad
  conegrad world make --track skidpad --vehicle roboracer -o build/skidpad.mcap

The same options describe the same cones, obstacles, walls and light, so that both can be compared.
"""

import argparse
import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.option_parser import add_renamed
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings, EffectiveSettings, Group
from conegrad_core.settings.names import choice_fault
from conegrad_simulation.gazebo.export import export_gazebo_world
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.scene.scene_settings import SceneDescription, SceneSettings, describe_scene

KINDS = ("gazebo", "bag")


@dataclass(frozen=True)
class WorldSettings(Config):
    """Settings of the command itself."""

    workers: int = setting(0, "Processes that render images; 0: one per CPU", low=0)


NOT_OFFERED = tuple(f.name for f in dataclasses.fields(BagConfig) if f.name != "seconds")
SETTINGS = CommandSettings(
    {
        "": WorldSettings(),
        "bag": Group(BagConfig(seconds=10.0), leave_out=NOT_OFFERED),
        "scene": SceneSettings(),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=["make"], help="what to do")
    parser.add_argument(
        "-o",
        "--output",
        type=target,
        action="append",
        required=True,
        help="world to write (a folder), or bag to write (a file *.mcap); repeatable",
    )
    add_renamed(parser, "--to", "--output", nargs=2, read=lambda words: (words[0], Path(words[1])))
    SETTINGS.add_to(parser)


def target(text: str) -> tuple[str, Path]:
    """What an output is, and its path: a file of MCAP is a bag, anything else a world."""
    path = Path(text)
    return ("bag" if path.suffix == ".mcap" else "gazebo"), path


def run(options: argparse.Namespace) -> None:
    """Make the scene and say what was written."""
    wrong = [kind for kind, _ in options.output if kind not in KINDS]
    if wrong:
        raise ValueError(f"--to {choice_fault(wrong[0], KINDS)}, and a path")
    settings = SETTINGS.read(options)
    description = describe_scene(settings[SceneSettings])
    for kind, path in options.output:
        if kind == "gazebo":
            _make_world(description, path)
        else:
            _make_bag(description, path, settings)


def _make_world(description: SceneDescription, folder: Path) -> None:
    made = export_gazebo_world(description, folder)
    print(f"{made.world}: {made.cones} cones, {description.vehicle.name}")
    print("with ROS 2 and Gazebo from apt:")
    print(f"ros2 launch conegrad_bringup gazebo.launch.py world:={folder.resolve()}")


def _make_bag(description: SceneDescription, path: Path, chosen: EffectiveSettings) -> None:
    settings = description.settings
    if settings.lidar != "planar":
        raise ValueError(f"--lidar {settings.lidar}: a bag is simulated with the planar LiDAR only")
    config = dataclasses.replace(chosen[BagConfig], seed=settings.seed, world=settings.world)
    made = simulate_bag(
        path,
        description.track,
        description.vehicle,
        DriveConfig(),
        config,
        workers=chosen[WorldSettings].workers or os.cpu_count() or 1,
        progress=ProgressBar("simulate"),
    )
    print(f"{made.path}: {made.seconds:.1f} s, {made.images} images, {made.scans} scans")
