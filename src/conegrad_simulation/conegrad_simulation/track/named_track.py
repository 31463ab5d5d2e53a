"""Tracks by name: random, one of the rules, or a map of cones in a file."""

from conegrad_core.settings.names import nearest
from conegrad_core.vehicle import Vehicle
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_csv import track_from_csv
from conegrad_simulation.track.track_events import acceleration, skidpad
from conegrad_simulation.track.track_random import random_track


def make_track(name: str, seed: int, vehicle: Vehicle) -> Track:
    """Track by name: ``random`` (of the seed), ``acceleration``, ``skidpad``, or a CSV file.

    Args:
        name: of the track, or the path of a cone map that ends in ``.csv``.
        seed: of a random track.
        vehicle: scales every track that is not a file by its ``cone_spacing_scale``.

    Raises:
        ValueError: if the name is none of these, or the file is not a map of cones.
        FileNotFoundError: if the file is missing.
    """
    made = {"random": lambda: random_track(seed), "acceleration": acceleration, "skidpad": skidpad}
    if name in made:
        return made[name]().scaled(vehicle.cone_spacing_scale)
    if not name.endswith(".csv"):
        raise ValueError(
            f"track is {name!r}, expected {', '.join(made)} or a file *.csv{nearest(name, made)}"
        )
    return track_from_csv(name)
