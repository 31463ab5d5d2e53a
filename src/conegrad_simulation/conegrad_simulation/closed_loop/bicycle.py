"""Kinematic bicycle model whose steering and drive lag behind the command."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import ChassisPreset

SUBSTEP = 0.005  # [s], longest step of the integration
MIN_COMMAND_SPEED = (
    0.05  # [m/s], below it the yaw rate gives no steering angle, so the steering stays
)


@dataclass(frozen=True)
class BicycleConfig(Config):
    """Lags and delay of the actuators; the vehicle preset holds their limits."""

    steering_lag: float = setting(0.1, "Time constant of the steering [s]", low=0.001, high=5.0)
    drive_lag: float = setting(0.1, "Time constant of drive and brakes [s]", low=0.001, high=5.0)
    speed_gain: float = setting(
        4.0, "Demanded acceleration per speed error [1/s]", low=0.1, high=100.0
    )
    delay: float = setting(
        0.05, "From a command to the first move of an actuator [s]", low=0.0, high=1.0
    )


class DriveCommand(NamedTuple):
    """Demanded speed [m/s] and yaw rate [rad/s], as in geometry_msgs/Twist."""

    speed: float
    yaw_rate: float


class BicycleState(NamedTuple):
    """The car at one time.

    Attributes:
        x: of the rear axle in the map [m].
        y: likewise [m].
        yaw: heading [rad].
        speed: along the heading [m/s].
        acceleration: along the heading [m/s^2].
        steering: angle of the front wheel, left positive [rad].
    """

    x: float
    y: float
    yaw: float
    speed: float = 0.0
    acceleration: float = 0.0
    steering: float = 0.0


def move(
    state: BicycleState,
    command: DriveCommand,
    seconds: float,
    chassis: ChassisPreset,
    config: BicycleConfig,
) -> BicycleState:
    """State of the car after a time under a constant command.

    Args:
        state: at the beginning.
        command: demanded motion; the steering angle follows from yaw rate and speed.
        seconds: duration [s], not negative.
        chassis: wheel base and limits.
        config: lags; its delay is applied by the caller.
    """
    steps = max(1, math.ceil(seconds / SUBSTEP - 1e-9))
    for _ in range(steps):
        state = _step(state, command, seconds / steps, chassis, config)
    return state


def yaw_rate(state: BicycleState, chassis: ChassisPreset) -> float:
    """Rate of the heading [rad/s]."""
    return state.speed * math.tan(state.steering) / chassis.wheel_base


def _step(
    state: BicycleState,
    command: DriveCommand,
    seconds: float,
    chassis: ChassisPreset,
    config: BicycleConfig,
) -> BicycleState:
    limit = chassis.max_acceleration
    target = min(max(command.speed, 0.0), chassis.max_speed)
    wanted = min(max(config.speed_gain * (target - state.speed), -limit), limit)
    acceleration = _lagged(state.acceleration, wanted, seconds, config.drive_lag)
    steering = _lagged(
        state.steering, _wanted_steering(state, command, chassis), seconds, config.steering_lag
    )
    speed = max(0.0, state.speed + acceleration * seconds)
    mean = 0.5 * (state.speed + speed)
    turn = mean * math.tan(0.5 * (state.steering + steering)) / chassis.wheel_base * seconds
    heading = state.yaw + 0.5 * turn
    return BicycleState(
        state.x + mean * seconds * math.cos(heading),
        state.y + mean * seconds * math.sin(heading),
        state.yaw + turn,
        speed,
        acceleration if speed > 0.0 else max(0.0, acceleration),
        steering,
    )


def _wanted_steering(state: BicycleState, command: DriveCommand, chassis: ChassisPreset) -> float:
    if command.speed < MIN_COMMAND_SPEED:
        return state.steering
    angle = math.atan(chassis.wheel_base * command.yaw_rate / command.speed)
    return min(max(angle, -chassis.steering_limit), chassis.steering_limit)


def _lagged(value: float, wanted: float, seconds: float, lag: float) -> float:
    return wanted + (value - wanted) * math.exp(-seconds / lag)
