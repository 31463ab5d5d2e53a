"""Checks whether a map of cones fits a drive."""

import math
from collections.abc import Iterable
from pathlib import Path

from conegrad_core.cones import TrueCones
from conegrad_data.errors import AlignmentError

CHANCE_RATE = 0.2  # highest precision and recall of the map of another track, by chance
EXPECTED = (
    "expected the cones of this track, in metres, in the frame of the bag's odometry; "
    "'conegrad align' moves a surveyed map there"
)


def check_in_view(truths: Iterable[TrueCones | None], track: str | Path, bag: Path) -> None:
    """Check that a sensor could see a cone of a map in some frame of a drive.

    Args:
        truths: of the frames of the drive, in the LiDAR frame; None where the pose is unknown.
        track: the map.
        bag: the drive.

    Raises:
        AlignmentError: if no frame has one.
    """
    nearest = math.inf
    for truth in truths:
        if truth is None:
            continue
        if (truth.visible_camera | truth.visible_lidar).any():
            return
        nearest = min(nearest, float(truth.positions.norm(dim=-1).min()))
    if math.isfinite(nearest):
        raise AlignmentError(
            f"the map {track} does not fit {bag}: none of its cones comes into view of the "
            f"sensors (the nearest is {nearest:.0f} m away), {EXPECTED}"
        )


def misfit_warning(precision: float, recall: float, track: str | Path) -> str | None:
    """Warning that a map may not fit a drive, from the matches of the perceived cones.

    Args:
        precision: share of the perceived cones that match the map; NaN if there are none.
        recall: share of the map's cones that were perceived; NaN if none was in range.
        track: the map.

    Returns:
        The warning; None where the map fits.
    """
    if not precision < CHANCE_RATE or recall >= CHANCE_RATE:
        return None
    return (
        f"few perceived cones match the map {track} (precision {precision:.2f}, recall "
        f"{recall:.2f}): either the perception fails, or the map does not fit this drive; "
        f"{EXPECTED}"
    )
