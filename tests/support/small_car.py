"""The preset of the race car with a coarse camera and a coarse LiDAR."""

import dataclasses

from conegrad_core.vehicle import Vehicle, load_vehicle

WIDTH, HEIGHT = 160, 96  # of the images [px]


def small_car() -> Vehicle:
    """Images at 10 Hz and scans at 20 Hz."""
    vehicle = load_vehicle("formula_student")
    camera = dataclasses.replace(
        vehicle.camera, width=WIDTH, height=HEIGHT, rate=10.0, hfov=1.6, intrinsics=None
    )
    lidar = dataclasses.replace(
        vehicle.lidar, beams=361, angle_increment=0.013, angle_min=-2.34, rate=20.0
    )
    return dataclasses.replace(vehicle, camera=camera, lidar=lidar)
