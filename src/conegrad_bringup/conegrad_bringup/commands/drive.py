"""Drive a simulated car around a track on perceived cones alone, in the live graph.

  conegrad drive --track random --seed 4 --vehicle formula_student -o out/lap
  conegrad drive --track random --view -o out/seen
  conegrad drive --track random --seed 4 --camera-lost 10 13 -o out/lap
  conegrad drive --seed 4 --fault image_hue:3@8- --fault no_scan@3-5 -o out/lap

Simulator, perception and driver run as ROS nodes, in a ROS domain of their own. Time waits for
them, so that the drive is the same on any computer. OUTPUT holds the recording with its truth
(drive), the report (report/report.html), the figures (drive.json), a picture and an animation
(lap.png, lap.gif). The exit code is 0 if all laps were driven.
"""

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.bag_options import (
    FORCE,
    PERCEPTION_PARAMETERS,
    PIPELINE,
    SYSTEM,
    params_file_setting,
)
from conegrad_bringup.drive_view import drive_view
from conegrad_bringup.output_folder import fresh_folder
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings, Group, NodeParameters
from conegrad_core.system_record.location import pinned
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.report import Preface
from conegrad_nodes.playback.this_machine import check_environment
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.drive_loop import ProgressCallback
from conegrad_simulation.closed_loop.drive_supervisor import DriveLog, SupervisorConfig
from conegrad_simulation.closed_loop.lap_picture import save_lap_picture
from conegrad_simulation.closed_loop.live_drive import (
    START_TIMEOUT,
    DriveOptions,
    LiveDrive,
    run_drive,
)
from conegrad_simulation.closed_loop.simulator import SensorConfig
from conegrad_simulation.scene.scene_settings import SceneSettings
from conegrad_training.engine.progress_display import ProgressDisplay

SKIDPAD = "skidpad"
MARKER = ".conegrad-drive"  # in folders that a later drive may replace
NOT_DRIVEN = 3  # exit code of a drive that did not come to its end


@dataclass(frozen=True)
class DriveSettings(Config):
    """Settings of the command itself."""

    pipeline: str = setting("", f"{PIPELINE}; empty: as the parameters say, else camera_lidar")
    system: str = setting("", SYSTEM)
    params_file: tuple[Path, ...] = params_file_setting()
    start_timeout: float = setting(
        START_TIMEOUT, "Longest wait for the nodes to start [s]", low=0.0
    )


@dataclass(frozen=True)
class DrivenScene(SceneSettings):
    """A scene with a track that the driver can follow."""

    track: str = setting(
        "random", "Track: random (of the seed), acceleration, or a map of the cones (CSV)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.track == SKIDPAD:
            raise self.refusal(
                "track",
                f"is {SKIDPAD}, which crosses itself: the driver follows one lane and does not "
                "know where to turn; expected random, acceleration, or a map of the cones (CSV)",
            )


def _driver_kinds(groups: Mapping[str, Config]) -> Mapping[str, Any]:
    from conegrad_nodes.parameters.parameter_names import kinds_by_name
    from conegrad_simulation.driver.driver_node import PARTS

    return kinds_by_name(PARTS)


SETTINGS = CommandSettings(
    {
        "": DriveSettings(),
        "scene": Group(DrivenScene(), leave_out=("lidar", "movable_cones")),
        "supervisor": SupervisorConfig(),
        "sensors": SensorConfig(),
        "bicycle": BicycleConfig(),
        "view": ViewConfig(),
    },
    {
        "": PERCEPTION_PARAMETERS,
        "driver": NodeParameters("--set-driver", "pursuit.speed=5.0", _driver_kinds),
    },
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help=FORCE)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Drive, evaluate, write everything and say how it went."""
    check_environment()
    settings = SETTINGS.read(options)
    own = settings[DriveSettings]
    parameters = _with_pipeline(settings.parameters[""], own)
    chosen = DriveOptions(
        scene=settings[DrivenScene],
        sensors=settings[SensorConfig],
        bicycle=settings[BicycleConfig],
        supervisor=settings[SupervisorConfig],
        parameters=parameters,
        parameter_files=own.params_file,
        driver_parameters=settings.parameters["driver"],
        start_timeout=own.start_timeout,
    )
    folder: Path = options.output
    with drive_view(settings[ViewConfig], chosen) as follower:
        fresh_folder(folder, MARKER, force=options.force)
        print("starting simulator, perception and driver", flush=True)
        with _bar() as progress:
            driven = run_drive(folder / "drive", chosen, progress=progress, follower=follower)
    log = driven.log
    print(describe(log), flush=True)
    save_lap_picture(driven.description, log, chosen.sensors, folder / "lap.png")
    driven.animation.save(folder / "lap.gif")
    evaluation = evaluate_bag(
        folder / "drive",
        folder / "report",
        vehicle=driven.description.vehicle,
        preface=_preface(driven, folder),
    )
    _write_figures(driven, chosen, evaluation, folder / "drive.json")
    name = "F1 with colour" if evaluation.with_camera else "F1 (no camera)"
    print(f"{name} on the way: {number(evaluation.score)}")
    print(f"report: {folder / 'report' / 'report.html'}\nanimation: {folder / 'lap.gif'}")
    print(f"bag:    {folder / 'drive'}")
    return 0 if log.is_finished else NOT_DRIVEN


def _with_pipeline(parameters: Mapping[str, Any], own: DriveSettings) -> Mapping[str, Any]:
    """Parameters of the nodes, with the pipeline or the recorded system of the options.

    Raises:
        ValueError: if more than one of both and the parameter ``pipeline`` are given.
    """
    named = {"--pipeline": own.pipeline, "--system": own.system}
    named["parameter pipeline"] = parameters.get("pipeline", "")
    given = {name: value for name, value in named.items() if value}
    if len(given) > 1:
        listed = " and ".join(f"{name} is {value!r}" for name, value in given.items())
        raise ValueError(f"{listed}, expected one of them")
    chosen = pinned(own.system) or own.pipeline
    return {**parameters, "pipeline": chosen} if chosen else parameters


def describe(log: DriveLog) -> str:
    """How the drive went, for people."""
    figures = log.summary()
    laps = ", ".join(f"{value:.2f} s" for value in log.lap_times)
    lines = [f"lap time: {laps}" if log.is_finished else f"not finished: {log.outcome}"]
    lines += [
        f"driven {figures['driven']} m of {figures['lap_length']} m a lap in {log.seconds:.1f} s",
        f"cones touched: {len(log.touched)}; smallest distance to one {log.clearance:.2f} m",
        f"off the centre line: {figures['lateral_mean']} m on average, "
        f"{figures['lateral_max']} m at most",
        f"simulated {figures['sim_time_factor']} s per second",
    ]
    if log.missing_results:
        missing = ", ".join(
            f"{count} {name}" for name, count in sorted(log.missing_results.items())
        )
        lines.append(f"results that did not come: {missing}")
    return "\n".join(lines)


def _preface(driven: LiveDrive, folder: Path) -> Preface:
    log = driven.log
    figures = log.summary()
    laps = ", ".join(f"{value:.2f}" for value in log.lap_times)
    outcome = "every lap was driven" if log.is_finished else f"not finished: {log.outcome}"
    return Preface(
        title="The drive",
        hint=f"{driven.description.track.name}, {driven.description.vehicle.name}; on perceived "
        f"cones alone; {outcome}. In the animation: the camera, and from above true cones as "
        "rings and perceived ones as dots.",
        cards=(
            ("Lap time", laps or "-", "s", f"{figures['lap_length']} m, from a standing start"),
            ("Cones touched", str(len(log.touched)), "", f"nearest {log.clearance:.2f} m"),
            (
                "Off the centre line",
                str(figures["lateral_mean"]),
                "m",
                f"at most {figures['lateral_max']} m",
            ),
            ("Mean speed", str(figures["mean_speed"]), "m/s", ""),
            (
                "Simulated time",
                str(figures["sim_time_factor"]),
                "s per s",
                f"{log.seconds:.1f} s in {log.wall_seconds:.0f} s",
            ),
        ),
        pictures=(folder / "lap.png", folder / "lap.gif"),
    )


def _write_figures(
    driven: LiveDrive, chosen: DriveOptions, evaluation: Evaluation, path: Path
) -> None:
    counts = evaluation.total.counts
    figures: dict[str, Any] = {
        "track": driven.description.track.name,
        "vehicle": driven.description.vehicle.name,
        "world": chosen.scene.world,
        "seed": chosen.scene.seed,
        "camera_lost": list(chosen.sensors.camera_lost),
        "lidar_lost": list(chosen.sensors.lidar_lost),
        "faults": list(chosen.sensors.faults),
        **driven.log.summary(),
        "f1_colour": round(counts.f1_colour, 4),
        "f1": round(counts.f1, 4),
    }
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _bar() -> Iterator[ProgressCallback]:
    """Shows how far the drive is."""
    layout = "{desc} {percentage:3.0f} % |{bar}| {elapsed}{postfix}"
    with contextlib.closing(ProgressDisplay("drive", 100, unit="%", bar_format=layout)) as display:
        yield lambda share, factor: display.advance(
            100 * share - display.done, f"{factor:.2f} s per s"
        )
