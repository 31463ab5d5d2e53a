"""Perception of cones with camera and planar LiDAR, free of ROS and differentiable end to end.

from conegrad_core import Perception, Scan, Vehicle

perception, car = Perception.load(), Vehicle.load("formula_student")
cones = perception(image, Scan(ranges, car.lidar.angles()), car)
print(cones.positions, cones.colours)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from conegrad_core.moved_modules import install

if TYPE_CHECKING:
    from conegrad_core.cones import Cones
    from conegrad_core.lidar.scan import Scan
    from conegrad_core.perception import Perception
    from conegrad_core.vehicle import Vehicle

__all__ = ["Cones", "Perception", "Scan", "Vehicle"]
install()  # former names of modules
_HOMES = {"Cones": "cones", "Perception": "perception", "Scan": "lidar.scan", "Vehicle": "vehicle"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: a submodule alone stays light."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
