"""The own car in the clouds of a whole drive, before any of them is used."""

import dataclasses
from collections.abc import Mapping

from conegrad_core.lidar.own_car import CarOutline
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import DecodeError
from conegrad_data.recording.scan_reading import ScanReader

SPACING_NS = 400_000_000  # [ns] between clouds that are looked at: a car in motion moves 1 m
PLACES = 16  # of the car are enough
CLOUDS = 400  # are looked at, at most


def find_own_car(
    bag: BagReader, roles: Mapping[str, str], reduction: ReductionConfig
) -> CarOutline | None:
    """Look for the car in the clouds of a drive.

    Args:
        bag: the drive.
        roles: its topics.
        reduction: of its clouds.

    Returns:
        None where the settings give the car or want none, or where the drive has no clouds or
        too few places of the car.
    """
    reader = ScanReader(reduction)
    if "points" not in roles or reader.car is None or reader.car.is_done:
        return None
    latest, looked_at = None, 0
    for raw in bag.raw_messages([roles["points"]]):
        if latest is not None and raw.receive_ns - latest < SPACING_NS:
            continue
        latest, looked_at = raw.receive_ns, looked_at + 1
        try:
            reader.read(bag.decode(raw))
        except DecodeError:
            continue  # who uses the cloud says what is wrong with it
        if reader.car.places >= PLACES or looked_at >= CLOUDS:
            break
    return reader.car.outline


def with_own_car(
    bag: BagReader, roles: Mapping[str, str], reduction: ReductionConfig | None
) -> ReductionConfig:
    """The settings with the car that was found in the clouds of a drive."""
    reduction = reduction or ReductionConfig()
    outline = find_own_car(bag, roles, reduction)
    if outline is None:
        return reduction
    return dataclasses.replace(reduction, car_outline=outline.as_setting())
