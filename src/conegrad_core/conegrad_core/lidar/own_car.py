"""Bodywork of the own car in clouds: cells that stay filled while the surroundings change.

A cell of the LiDAR's frame that holds returns at several places of the car belongs to the car: all
else has moved. Whether the car has moved is told by the surroundings themselves, so that a cone in
front of a standing car is kept however long it stands there. As long as the car stands, only what
hangs together with the LiDAR and stays within the size of a car counts as bodywork.
"""

import logging
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.floating]
Booleans = npt.NDArray[np.bool_]

REACH = 3.3  # [m], no part of a car lies farther ahead of its LiDAR, or behind it
BESIDE = 1.0  # [m], nor to either side
CELL = 0.1  # [m]
LOW, HIGH = 0.1, 2.5  # [m] above ground, of returns that can be bodywork
SURE = 0.25  # [m], lower returns may be grass
EVEN = 0.04  # [m], scatter of the height of low bodywork from place to place
GRASS = 5  # cells beside the car that are always filled: so low returns are grass
PLACES = 4  # of the car, at which a cell has been looked at
SHARE = 0.75  # of the places at which a cell of the car is filled
ENOUGH = 40  # places, after which the search is over
MARGIN = 0.1  # [m] around what was found
# The surroundings, which tell whether the car has moved.
NEAR, FAR = 3.5, 20.0  # [m]
PATCH = 0.5  # [m], side of their cells
ABOVE_GRASS = 0.2  # [m] above ground, of returns that tell them
FEW = 8  # patches tell nothing
CHANGED = 0.5  # of the patches have to be empty at another place
LINKED = 0.6  # [m], bodywork begins within it around the LiDAR
TALL = 0.36  # [m], higher than a small cone: cells of a standing car
LARGER = 5  # cells, longer than a cone: so much of a standing car hangs together

NOTHING = "none"  # as a setting: nothing of the car is in sight

CELLS = round(2 * REACH / CELL)  # along either side of the grid


class CarOutline(NamedTuple):
    """Where the own car is, seen from above in the frame of the LiDAR.

    Attributes:
        corners: ``(K, 2)`` of a convex outline, counter-clockwise [m]; K is 0 where nothing of the
            car can be seen.
    """

    corners: Floats

    def contains(self, points: Floats) -> Booleans:
        """``(N,)`` mask of the ``(N, 2)`` or wider points that lie on the car [m]."""
        if len(self.corners) < 3:
            return np.zeros(len(points), dtype=bool)
        inside = np.ones(len(points), dtype=bool)
        for start, end in zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True):
            (sx, sy), (dx, dy) = start, end - start
            inside &= dx * (points[:, 1] - sy) - dy * (points[:, 0] - sx) >= 0
        return inside

    def __str__(self) -> str:
        if len(self.corners) < 3:
            return "nothing of it is in sight"
        (back, right), (ahead, left) = self.corners.min(axis=0), self.corners.max(axis=0)
        return f"x {back:.1f} to {ahead:.1f} m, y {right:.1f} to {left:.1f} m from the LiDAR"

    def as_setting(self) -> str:
        """The outline as :func:`read_outline` reads it."""
        return "; ".join(f"{x:.2f} {y:.2f}" for x, y in self.corners) or NOTHING


def read_outline(text: str) -> CarOutline:
    """The outline of a text: x and y of corners [m], as in ``0.7 -0.8; 2.1 0; 0.7 0.8``.

    Raises:
        ValueError: if the text has another form, or its corners enclose no area.
    """
    if text.strip() == NOTHING:
        return CarOutline(np.zeros((0, 2)))
    try:
        corners = np.array([[float(part) for part in pair.split()] for pair in text.split(";")])
        return CarOutline(corners[ConvexHull(corners.reshape(-1, 2)).vertices])
    except (ValueError, QhullError) as error:
        form = "x and y of three corners or more [m], as in '0.7 -0.8; 2.1 0; 0.7 0.8'"
        raise ValueError(f"is {text!r}, expected {form}, or {NOTHING!r}") from error


class OwnCarFinder:
    """Finds the own car in clouds of one LiDAR; feed it with clouds in the order of time.

    Args:
        outline: of the car, where it is known; then nothing is looked for.

    Attributes:
        places: of the car that were different from the one before.
        outline: of the car; None until it has been at :data:`PLACES` places.
    """

    def __init__(self, outline: CarOutline | None = None) -> None:
        self.places = ENOUGH if outline is not None else 0
        self.outline = outline
        self._filled = np.zeros((CELLS, CELLS))
        self._tops = np.zeros((2, CELLS, CELLS))  # sums of heights and of their squares
        self._patches: npt.NDArray[np.int64] | None = None

    def __str__(self) -> str:
        if self.outline is not None:
            return f"own car: {self.outline}; its returns are cut"
        return (
            f"own car: not found yet, {self.places} of {PLACES} places; only what hangs together "
            "with the LiDAR is cut"
        )

    def on_car(self, points: Floats, heights: Floats) -> Booleans:
        """Take a cloud, and tell which of its returns are bodywork; arguments as of :meth:`add`."""
        self.add(points, heights)
        if self.outline is not None:
            return self.outline.contains(points)
        return standing_car(points, heights)

    @property
    def is_done(self) -> bool:
        """Whether more clouds change nothing."""
        return self.places >= ENOUGH

    def stop(self) -> None:
        """Learn no more: the next clouds may come in any order."""
        self.places = ENOUGH

    def add(self, points: Floats, heights: Floats) -> None:
        """Take a cloud; it counts if the car has moved since the one that counted last.

        Args:
            points: ``(N, 3)`` in the frame of the LiDAR [m].
            heights: ``(N,)`` above the ground [m].
        """
        if self.is_done:
            return
        patches = _patches(points, heights)
        if self._patches is not None and not _has_moved(self._patches, patches):
            return
        self._patches = patches if len(patches) >= FEW else self._patches
        if len(patches) < FEW:
            return
        self.places += 1
        tops = _tops(points, heights)
        filled = np.isfinite(tops)
        self._filled += filled
        known = np.where(filled, tops, 0.0)
        self._tops += np.stack([known, known**2])
        if self.places >= PLACES:
            is_first = self.outline is None
            self.outline = self._found()
            if is_first:
                logger.info("%s", self)

    def _found(self) -> CarOutline:
        share = self._filled / self.places
        mean, square = self._tops / np.maximum(self._filled, 1)
        scatter = np.sqrt(np.maximum(square - mean**2, 0.0))
        always, (in_reach, beside) = share >= SHARE, _regions()
        low = (scatter < EVEN) & ((always & beside).sum() <= GRASS)
        return _outline(always & in_reach & (low | (mean > SURE)))


def standing_car(points: Floats, heights: Floats) -> Booleans:
    """What one cloud tells: returns that hang together with the LiDAR, without a gap of 0.1 m.

    Where they reach beyond the size of a car they are a wall or a bush, and stay.

    Args:
        points: ``(N, 3)`` in the frame of the LiDAR [m].
        heights: ``(N,)`` above the ground [m].

    Returns:
        ``(N,)`` mask of bodywork. A small cone is never part of it, a big one 0.2 m away neither.
    """
    tops = _tops(points, heights)
    filled = np.isfinite(tops) & (tops > TALL)
    x, y = _middles()
    linked = _linked(filled, filled & (np.hypot(x, y) < LINKED))
    extent = [np.ptp(side) + 1 for side in np.nonzero(linked)] if linked.any() else [0]
    if (linked & ~_regions()[0]).any() or max(extent) < LARGER:
        linked[:] = False
    column, row, inside = _cells(points)
    return inside & linked[column, row]


def _linked(cells: Booleans, seeds: Booleans) -> Booleans:
    """Cells that hang together with seeds, corners included."""
    labels, _ = ndimage.label(cells, structure=np.ones((3, 3)))
    return np.asarray(np.isin(labels, np.unique(labels[seeds & cells])) & cells)


def _outline(cells: Booleans) -> CarOutline:
    columns, rows = np.nonzero(cells)
    if not len(columns):
        return CarOutline(np.zeros((0, 2)))
    x, y = _middles()
    middles = np.stack([x[columns, 0], y[0, rows]], axis=1)
    reach = 0.5 * CELL + MARGIN
    corners = np.concatenate(
        [middles + reach * np.array(way) for way in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    )
    return CarOutline(corners[ConvexHull(corners).vertices])


def _middles() -> tuple[Floats, Floats]:
    """X ``(C, 1)`` and y ``(1, C)`` of the middles of the cells [m]."""
    middles = (np.arange(CELLS) + 0.5) * CELL - REACH
    return middles[:, None], middles[None]


def _regions() -> tuple[Booleans, Booleans]:
    """Cells where a car can be, and those beside them, where it cannot."""
    x, y = _middles()
    is_inside = (np.abs(x) < REACH - CELL) & (np.abs(y) < BESIDE)
    return is_inside, (np.abs(y) > BESIDE + 2 * CELL) & (np.hypot(x, y) < REACH)


def _cells(points: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Booleans]:
    """Column and row of each point, and whether it lies in the grid."""
    with np.errstate(invalid="ignore"):
        inside: Booleans = np.all(np.abs(points[:, :2]) < REACH - 1e-6, axis=1)
    place = np.where(inside[:, None], points[:, :2], 0.0) + REACH
    column, row = np.floor(place / CELL).astype(np.int64).T
    return column, row, inside


def _tops(points: Floats, heights: Floats) -> Floats:
    """Height of the highest return of each cell [m], NaN without one."""
    column, row, inside = _cells(points)
    inside &= (heights > LOW) & (heights < HIGH)
    tops = np.full((CELLS, CELLS), -np.inf)
    np.maximum.at(tops, (column[inside], row[inside]), heights[inside])
    tops[np.isinf(tops)] = np.nan
    return tops


def _patches(points: Floats, heights: Floats) -> npt.NDArray[np.int64]:
    """Sorted keys of the patches of the surroundings that hold two returns or more."""
    ranges = np.hypot(points[:, 0], points[:, 1])
    chosen = (ranges > NEAR) & (ranges < FAR) & (heights > ABOVE_GRASS) & (heights < HIGH)
    keys = np.floor(points[chosen, :2] / PATCH).astype(np.int64)
    found, counts = np.unique(_key(keys[:, 0], keys[:, 1]), return_counts=True)
    return np.asarray(found[counts >= 2])


def _key(column: npt.NDArray[np.int64], row: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return column * 1000 + row


def _has_moved(before: npt.NDArray[np.int64], now: npt.NDArray[np.int64]) -> bool:
    """Whether most of what stood around is gone, and not beside where it was either."""
    around = [now + _key(np.array(i), np.array(j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    stayed = np.isin(before, np.concatenate(around)).mean() if len(before) else 0.0
    returned = np.isin(now, before).mean() if len(now) else 0.0
    return bool(len(now) >= FEW and stayed < CHANGED and returned < CHANGED)
