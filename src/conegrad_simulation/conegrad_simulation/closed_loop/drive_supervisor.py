"""Supervisor of a drive: measures where the car drove and what it touched, and ends the drive."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from conegrad_core.settings import Config, setting
from conegrad_simulation.closed_loop.car import SimulatedCar
from conegrad_simulation.closed_loop.contacts import clearances
from conegrad_simulation.closed_loop.course_progress import CourseProgress
from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.scene_settings import SceneDescription

STANDING_SPEED = 0.1  # [m/s] at full size, a slower car counts as standing


@dataclass(frozen=True)
class SupervisorConfig(Config):
    """When a drive ends."""

    laps: int = setting(1, "Laps to drive; a track that is not closed is driven once", low=1)
    max_seconds: float = setting(600.0, "Longest drive in simulated time [s]", low=0.1)
    max_standing: float = setting(
        6.0, "Longest standstill before the drive ends, in simulated time [s]", low=0.1
    )
    finish_margin: float = setting(
        8.0,
        "Distance from the end at which an open track counts as driven, at full size [m]",
        low=0.0,
    )


class TracePoint(NamedTuple):
    """The car at one moment.

    Attributes:
        time: since the start [s].
        x: of ``base_link`` in the map [m].
        y: likewise [m].
        yaw: heading [rad].
        speed: along the heading [m/s].
        lateral: offset to the left of the centre line [m].
        along: distance driven along the centre line [m].
    """

    time: float
    x: float
    y: float
    yaw: float
    speed: float
    lateral: float
    along: float


@dataclass
class DriveLog:
    """Measurements of a drive.

    Attributes:
        outcome: why the drive ended; empty while it goes on.
        is_finished: all laps were driven.
        lap_times: of each finished lap, the first from a standing start [s].
        touched: rows of the scene's cones that the car touched, in that order.
        clearance: smallest distance from the car to a cone [m].
        length: of a lap [m].
        trace: the car over time.
        wall_seconds: that the drive took.
        missing_results: number of results that the graph did not publish in time, by kind.
    """

    length: float
    outcome: str = ""
    is_finished: bool = False
    lap_times: list[float] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    clearance: float = float("inf")
    trace: list[TracePoint] = field(default_factory=list)
    wall_seconds: float = 0.0
    missing_results: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Simulated length of the drive [s]."""
        return self.trace[-1].time if self.trace else 0.0

    def laterals(self) -> Floats:
        """Distance off the centre line at each moment [m]."""
        return np.abs([point.lateral for point in self.trace])

    def summary(self) -> dict[str, object]:
        """Figures of the drive, ready for JSON: lengths in m, times in s, speeds in m/s."""
        laterals, speeds = self.laterals(), np.array([point.speed for point in self.trace])
        return {
            "outcome": self.outcome,
            "finished": self.is_finished,
            "lap_times": [round(value, 3) for value in self.lap_times],
            "seconds": round(self.seconds, 3),
            "driven": round(float(self.trace[-1].along), 2) if self.trace else 0.0,
            "lap_length": round(self.length, 2),
            "mean_speed": round(float(speeds.mean()), 3) if len(speeds) else 0.0,
            "cones_touched": len(self.touched),
            "smallest_clearance": round(self.clearance, 3),
            "lateral_mean": round(float(laterals.mean()), 3) if len(laterals) else 0.0,
            "lateral_max": round(float(laterals.max()), 3) if len(laterals) else 0.0,
            "wall_seconds": round(self.wall_seconds, 1),
            "sim_time_factor": round(self.seconds / max(self.wall_seconds, 1e-9), 4),
            "answers_given_up": self.missing_results,
        }


class DriveSupervisor:
    """Measures a car on its course, and ends the drive.

    Attributes:
        log: measurements until now.
    """

    def __init__(
        self, description: SceneDescription, car: SimulatedCar, config: SupervisorConfig
    ) -> None:
        """Begin at the pose of the car.

        Args:
            description: scene, track and vehicle.
            car: the car to measure.
            config: when the drive ends.

        Raises:
            ValueError: if the vehicle has no chassis.
        """
        self._description, self._car, self._config = description, car, config
        if description.vehicle.chassis is None:
            raise ValueError(f"{description.vehicle.name} has no chassis, expected one to drive")
        self._chassis = description.vehicle.chassis
        self._scale = description.scale
        self._course = CourseProgress(description.track)
        self._course.start(car.pose)
        self._goal = self._course.length - self._config.finish_margin * self._scale
        if self._course.is_closed:
            self._goal = self._course.length
        self._stood_from = 0.0
        self.log = DriveLog(self._course.length)

    def update(self) -> None:
        """Measure the car now; sets ``log.outcome`` when the drive is over."""
        pose, time = self._car.pose, self._car.time
        state = self._car.state(time)
        position = self._course.update(pose)
        log = self.log
        log.trace.append(TracePoint(time, *pose, state.speed, position.lateral, position.along))
        gaps = clearances(self._description.scene, pose, self._chassis)
        log.clearance = min(log.clearance, float(gaps.min()))
        log.touched += [int(r) for r in np.flatnonzero(gaps <= 0.0) if r not in log.touched]
        if state.speed > STANDING_SPEED * self._scale:
            self._stood_from = time
        self._count_laps(time, position.along)
        if not log.outcome:
            log.outcome = self._why_over(time, position.is_off)

    def progress(self) -> float:
        """Share of the whole drive that is done, from 0 to 1."""
        if not self.log.trace:
            return 0.0
        laps = self._laps()
        return float(np.clip(self.log.trace[-1].along / (laps * self._goal), 0.0, 1.0))

    def _laps(self) -> int:
        return self._config.laps if self._course.is_closed else 1

    def _count_laps(self, time: float, along: float) -> None:
        log = self.log
        done = len(log.lap_times)
        if along >= (done + 1) * self._goal:
            log.lap_times.append(time - sum(log.lap_times))
        if len(log.lap_times) == self._laps():
            log.is_finished = True
            log.outcome = "finished"

    def _why_over(self, time: float, is_off: bool) -> str:
        if is_off:
            return f"the car left the track after {time:.1f} s"
        if time - self._stood_from > self._config.max_standing:
            return f"the car has stood still since {self._stood_from:.1f} s"
        if time > self._config.max_seconds:
            return f"not finished within {self._config.max_seconds:g} s"
        return ""
