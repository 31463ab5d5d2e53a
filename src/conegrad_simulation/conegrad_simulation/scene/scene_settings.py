"""Description of a scene, the source of a Gazebo world, a closed loop and a simulated bag."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import PRESETS, World
from conegrad_simulation.track.named_track import make_track
from conegrad_simulation.track.track import Track


@dataclass(frozen=True)
class SceneSettings(Config):
    """Settings of a scene; the same settings give the same scene."""

    track: str = setting(
        "random", "Track: random (of the seed), acceleration, skidpad, or a map of the cones (CSV)"
    )
    vehicle: str = setting("formula_student", "Vehicle: name of a preset, or path of a YAML file")
    lidar: str = setting(
        "planar", "Planar LiDAR, or the 3-D one of the vehicle", choices=("planar", "cloud")
    )
    world: str = setting("clear", "Light, ground and weather", choices=tuple(PRESETS))
    seed: int = setting(1, "Seed of the scene, the ride and the noise", low=0)
    track_scale: float = setting(
        0.0,
        "Size of a track from a file relative to that file; 0: as it is",
        low=0.0,
        high=10.0,
    )
    movable_cones: bool = setting(True, "Cones can be knocked over; fixed ones cost less time")


class SceneDescription(NamedTuple):
    """A scene ready to be built.

    Attributes:
        settings: of the scene, with files by their absolute paths.
        vehicle: the car.
        scale: size of the track relative to full size.
        track: cones and the line to drive; the car starts on its first point.
        world: light, ground and weather.
        scene: cones, obstacles and walls; equal to the scene of a bag with these settings.
    """

    settings: SceneSettings
    vehicle: Vehicle
    scale: float
    track: Track
    world: World
    scene: Scene


def describe_scene(settings: SceneSettings) -> SceneDescription:
    """Build the scene of some settings.

    Raises:
        ValueError: if a name in the settings is unknown.
        FileNotFoundError: if the vehicle or the track is missing.
    """
    settings = dataclasses.replace(
        settings, track=_absolute(settings.track), vehicle=_absolute(settings.vehicle)
    )
    vehicle, world = load_vehicle(settings.vehicle), World.preset(settings.world)
    track = make_track(settings.track, settings.seed, vehicle)
    scale = vehicle.cone_spacing_scale
    if settings.track.endswith(".csv"):
        scale = settings.track_scale or 1.0
        track = track.scaled(scale)
    scene = track_scene(track, world, settings.seed)
    return SceneDescription(settings, vehicle, scale, track, world, scene)


def _absolute(name: str) -> str:
    is_file = Path(name).suffix in (".csv", ".yaml", ".yml")
    return str(Path(name).resolve()) if is_file else name


def save_settings(settings: SceneSettings, path: Path) -> None:
    """Write the settings as a file that ``conegrad world make --config`` takes."""
    content = {"scene": dataclasses.asdict(settings)}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
