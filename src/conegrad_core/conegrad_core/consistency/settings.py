"""Settings of the monitor of the sensors; defaults are those that a benchmark fitted."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class ConsistencyConfig(Config):
    """Alarm thresholds; ``benchmarks/consistency_thresholds.py`` says where they come from."""

    enabled: bool = setting(True, "Compare sensors with each other and with their past")
    window: int = setting(8, "Frames that an alarm looks back", low=2, high=100)
    range_max: float = setting(
        9.0, "Cones farther from the car are not compared between sensors [m]", low=1.0
    )
    camera_confirms: float = setting(
        0.25, "Lowest share of the LiDAR's cones in view that the camera has", low=0.0, high=1.0
    )
    lidar_confirms: float = setting(
        0.5, "Lowest share of the camera's near cones that the LiDAR has", low=0.0, high=1.0
    )
    either_confirms: float = setting(
        0.6, "Lowest of the higher one of both shares: below it they contradict", low=0.0, high=1.0
    )
    bearing: float = setting(
        1.0, "Largest mean bearing between cones of both sensors [degrees]", low=0.0
    )
    colours_changed: float = setting(
        0.2, "Largest share of known cones whose colour changes", low=0.0, high=1.0
    )
    colours_swapped: float = setting(
        0.4, "Largest share of near cones with the colour of the other side", low=0.0, high=1.0
    )
    drift: float = setting(
        0.12, "Largest drift of standing cones against odometry per metre driven", low=0.0
    )
    count_left: float = setting(
        0.4, "Lowest number of cones against that of the seconds before", low=0.0, high=1.0
    )
    returns_left: float = setting(
        0.04, "Lowest share of the returns of a scan of the seconds before", low=0.0, high=1.0
    )
    stamps_apart: float = setting(
        0.08, "Image and scan of a pair may be this far apart [s]", low=0.0
    )
