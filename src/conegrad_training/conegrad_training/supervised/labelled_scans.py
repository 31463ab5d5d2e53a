"""Recorded scans whose beams are labelled, read from .npz files."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from conegrad_core.lidar.beam_features import covers_full_turn
from conegrad_core.lidar.segmenter import SegmenterConfig
from conegrad_simulation.lidar.scan_sampler import ScanBatch
from conegrad_training.data.held_out import held_out_rows

# Arrays of a file, each with another name under which recordings have it.
KEYS = {"ranges": "range_xy", "labels": "cone_id", "angles": "azimuth"}
EVEN = 0.05  # largest deviation of an angular step from their mean, as a share of it
FULL_TURN = 2 * math.pi + 0.01  # [rad]
MAX_DROPOUT = 0.1  # largest share of beams that lose their return in training
RANGE_NOISE = 0.01  # [m], standard deviation that is added in training


class ScanRecording(NamedTuple):
    """Labelled scans of one sensor in the order of time.

    Attributes:
        name: of the file.
        scans: ranges ``(T, R, N)`` of R rings at T times, labels of the same shape, and the step.
    """

    name: str
    scans: ScanBatch

    @property
    def label_values(self) -> int:
        """Numbers a person had to give: one per beam with a return."""
        return int(np.isfinite(self.scans.ranges).sum())

    def part(self, rows: slice) -> "ScanRecording":
        """The scans of some of the times."""
        scans = self.scans
        return self._replace(
            scans=scans._replace(ranges=scans.ranges[rows], labels=scans.labels[rows])
        )


def read_split(path: Path, held_out: str) -> tuple[list[ScanRecording], list[ScanRecording]]:
    """Recordings to learn from and to evaluate on.

    Args:
        path: an .npz file, or a folder of them.
        held_out: as of :func:`held_out_rows`.

    Raises:
        ValueError: if a file does not have the layout of :func:`read_scans`, or there is none.
        FileNotFoundError: if there is no such path.
    """
    files = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{path} holds no .npz file, expected labelled scans")
    recordings = [read_scans(file) for file in files]
    rows = held_out_rows({r.name: len(r.scans.ranges) for r in recordings}, held_out)
    training = [r.part(rows[r.name].training) for r in recordings]
    evaluated = [r.part(rows[r.name].held_out) for r in recordings]
    return _filled(training), _filled(evaluated)


def _filled(recordings: list[ScanRecording]) -> list[ScanRecording]:
    return [recording for recording in recordings if len(recording.scans.ranges)]


def read_scans(path: Path, max_range: float | None = None) -> ScanRecording:
    """Read one file.

    Args:
        path: an .npz file with ``ranges``, ``labels`` and ``angles``.
        max_range: returns beyond count as none [m]; None takes the range that the car uses.

    Raises:
        ValueError: if it lacks an array, shapes do not fit, or a value is not possible; names it.
        FileNotFoundError: if there is no such file.
    """
    with np.load(path, allow_pickle=False) as file:
        names = [key if key in file else other for key, other in KEYS.items()]
        if not all(name in file for name in names):
            found = ", ".join(file) or "nothing"
            raise ValueError(f"{path} holds {found}, expected the arrays {', '.join(KEYS)}")
        ranges, labels, angles = (file[name] for name in names)
    if ranges.ndim < 2 or labels.shape != ranges.shape:
        raise ValueError(
            f"{path}: ranges has shape {ranges.shape} and labels {labels.shape}, expected "
            "(scans, ..., beams) for both"
        )
    _check_values(path, "ranges", ranges, ~(ranges < 0), "metres; NaN, inf or 0 for no return")
    if names[1] != "labels":  # the number of the cone, from 1 on
        labels = np.minimum(labels, 1)
    _check_values(path, "labels", labels, (labels == 0) | (labels == 1), "0 (no cone) or 1 (cone)")
    step = _step(path, angles, ranges.shape)
    farthest = SegmenterConfig().max_range if max_range is None else max_range
    used = (ranges > 0) & (ranges <= farthest)
    flat = (len(ranges), -1, ranges.shape[-1])
    kept = np.where(used, ranges, np.nan).astype(np.float32).reshape(flat)
    return ScanRecording(path.stem, ScanBatch(kept, labels.astype(bool).reshape(flat), step))


def _check_values(
    path: Path, name: str, values: npt.NDArray[Any], right: npt.NDArray[np.bool_], expected: str
) -> None:
    if not right.all():
        place = tuple(int(index) for index in np.argwhere(~right)[0])
        raise ValueError(
            f"{path}: {name}[{', '.join(map(str, place))}] is {values[place]}, expected {expected}"
        )


def _step(path: Path, angles: npt.NDArray[Any], shape: tuple[int, ...]) -> float:
    """Angle between neighbouring beams [rad], the same in all scans."""
    try:
        np.broadcast_to(angles, shape)
    except ValueError as error:
        raise ValueError(
            f"{path}: angles has shape {angles.shape}, expected one that spreads over {shape}"
        ) from error
    steps = np.abs(np.diff(np.unwrap(angles.astype(np.float64), axis=-1), axis=-1))
    step = float(steps.mean()) if steps.size else math.nan
    if not step > 0 or np.abs(steps - step).max() > EVEN * step:
        raise ValueError(
            f"{path}: neighbouring angles are {steps.min(initial=math.inf):.5g} to "
            f"{steps.max(initial=0):.5g} rad apart, expected the same everywhere"
        )
    if step * (shape[-1] - 1) > FULL_TURN:
        raise ValueError(
            f"{path}: angles span {step * (shape[-1] - 1):.4g}, expected at most a turn in radians"
        )
    return step


class LabelledScans(Dataset[ScanBatch]):
    """Batches of recorded scans, each a pure function of its seed ``first_seed + index``.

    Scans are mirrored half of the time, turned where they cover a full turn, lose some returns,
    and get a little noise.
    """

    def __init__(
        self, recordings: Sequence[ScanRecording], first_seed: int, batches: int, size: int
    ) -> None:
        """Remember what to draw from.

        Args:
            recordings: one is drawn per batch, by its number of scans.
            first_seed: of the first batch.
            batches: their number.
            size: scans per batch.
        """
        self._recordings = recordings
        self._first_seed, self._batches, self._size = first_seed, batches, size

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> ScanBatch:
        """Batch number ``index``."""
        if not 0 <= index < self._batches:
            raise IndexError(f"index is {index}, expected one in [0, {self._batches})")
        rng = np.random.default_rng(self._first_seed + index)
        counts = np.array([r.scans.ranges[..., 0].size for r in self._recordings])
        scans = self._recordings[rng.choice(len(counts), p=counts / counts.sum())].scans
        times, rings, _ = scans.ranges.shape
        chosen = rng.integers(times, size=self._size), rng.integers(rings, size=self._size)
        return varied(ScanBatch(scans.ranges[chosen], scans.labels[chosen], scans.step), rng)


def varied(batch: ScanBatch, rng: np.random.Generator) -> ScanBatch:
    """Another look at the same scans; the given arrays stay as they are."""
    ranges, labels = batch.ranges, batch.labels
    if rng.random() < 0.5:
        ranges, labels = ranges[:, ::-1], labels[:, ::-1]
    if covers_full_turn(ranges.shape[-1], batch.step):
        shift = int(rng.integers(ranges.shape[-1]))
        ranges, labels = (np.roll(values, shift, axis=-1) for values in (ranges, labels))
    lost = rng.random(ranges.shape) < rng.uniform(0, MAX_DROPOUT)
    noise = rng.normal(0, RANGE_NOISE, ranges.shape)
    ranges = np.where(lost, np.nan, ranges + noise).astype(np.float32)
    return ScanBatch(ranges, np.ascontiguousarray(labels), batch.step)
