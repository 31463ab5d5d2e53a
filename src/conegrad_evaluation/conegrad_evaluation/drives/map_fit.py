"""Whether a map of cones lies where a drive went at all."""

import math
from collections.abc import Iterable
from pathlib import Path

from conegrad_core.cones import TrueCones
from conegrad_data.errors import AlignmentError

HARDLY = 0.2  # precision and recall that the map of another track reaches by chance
EXPECTED = (
    "expected the cones of this track, in metres, in the frame of the bag's odometry; "
    "'conegrad align' puts a surveyed map there"
)


def check_in_view(truths: Iterable[TrueCones | None], track: str | Path, bag: Path) -> None:
    """Look for a cone of a map that a sensor could see; stops at the first frame that has one.

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
            f"the map {track} does not fit {bag}: none of its cones ever comes into view of the "
            f"sensors (the nearest stays {nearest:.0f} m away), {EXPECTED}"
        )


def misfit_warning(precision: float, recall: float, track: str | Path) -> str | None:
    """Why a map may not fit a drive, by how the perceived cones match it; None if it may well.

    Args:
        precision: share of the perceived cones that lie on the map; NaN if there are none.
        recall: share of the map's cones that were perceived; NaN if none was in range.
        track: the map.
    """
    if not precision < HARDLY or recall >= HARDLY:
        return None
    return (
        f"hardly any perceived cone lies on the map {track} (precision {precision:.2f}, recall "
        f"{recall:.2f}): unless the perception is that bad, the map does not fit this drive; "
        f"{EXPECTED}"
    )
