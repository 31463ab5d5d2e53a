"""How long cones keep their id: switches per cone, IDF1, and the time that tracking takes.

    conegrad simulate -o drive --track random --seed 41 --seconds 30
    conegrad perceive drive -o cones --direct --set track_ids=true
    python benchmarks/cone_identities.py cones

Bags need ``/cones`` with ids, ``/truth`` at the stamps of the cones, and ``/odom``. Truth gets
identities from frame to frame: a true cone that leaves the range of the truth and comes back, as
in the next lap, is another one, as it is for the tracking. A cone is matched to a true one that a
sensor could see within 0.5 m, one to one. Printed are, over all bags:

- *switches*: changes of the id between two frames in which a true cone is matched one after the
  other, per true cone; and the share of true cones without any;
- *IDF1* (Ristani et al., ECCV Workshops 2016): 2 IDTP / (true + found), which missed and false
  cones lower, too; and *purity*, IDTP / matched, which they do not: each true cone counts with one
  id, those that give most;
- the time of the tracking per frame, its 99th percentile, and cones per frame.
"""

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from conegrad_core.cone_tracks import ConeTracks
from conegrad_core.cones import Cones
from conegrad_core.geometry.odometry import Pose2
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import cones_from_msg, stamp_ns_from_msg, truth_from_msg

MATCH_DISTANCE = 0.5  # [m] of a cone from the true one
STEP = 0.3  # [m] that a true cone moves between two truths beyond the motion of all of them

Floats = npt.NDArray[np.float64]


class Truth(NamedTuple):
    """True cones of one stamp: ``(N, 2)`` positions [m], identities, and which could be seen."""

    positions: Floats
    names: npt.NDArray[np.int64]
    visible: npt.NDArray[np.bool_]


def truths_of(bag: BagReader) -> dict[int, Truth]:
    """True cones by stamp [ns], with identities."""
    found: dict[int, Truth] = {}
    before, next_name = Truth(np.zeros((0, 2)), np.zeros(0, dtype=int), np.zeros(0, dtype=bool)), 0
    for _, _, msg in bag.messages(["/truth"]):
        truth = truth_from_msg(msg)
        positions = truth.positions.double().numpy()
        names = np.full(len(positions), -1)
        for one, other in zip(*_moved_alike(before.positions, positions), strict=True):
            names[other] = before.names[one]
        fresh = names < 0
        names[fresh] = next_name + np.arange(fresh.sum())
        next_name += int(fresh.sum())
        visible = (truth.visible_camera | truth.visible_lidar).numpy()
        before = found[stamp_ns_from_msg(msg.header.stamp)] = Truth(positions, names, visible)
    return found


def _moved_alike(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Rows of the same cones in two truths some milliseconds apart: all move as one body."""
    if not len(before) or not len(now):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    moved = before
    for _ in range(5):  # iterative closest points; the first guess is within some decimetres
        distances = np.linalg.norm(moved[:, None] - now[None], axis=2)
        rows, columns = linear_sum_assignment(distances)
        near = distances[rows, columns] <= max(STEP, np.median(distances[rows, columns]) * 1.5)
        a, b = before[rows[near]], now[columns[near]]
        u, _, v = np.linalg.svd((a - a.mean(0)).T @ (b - b.mean(0)))
        turn = (u @ np.diag([1.0, np.linalg.det(u @ v)]) @ v).T
        moved = (before - a.mean(0)) @ turn.T + b.mean(0)
    distances = np.linalg.norm(moved[:, None] - now[None], axis=2)
    rows, columns = linear_sum_assignment(distances)
    near = distances[rows, columns] <= STEP
    return rows[near], columns[near]


class Scores:
    """Counts over frames."""

    def __init__(self) -> None:
        self.pairs: Counter[tuple[tuple[str, int], tuple[str, int]]] = Counter()
        self.last: dict[tuple[str, int], int] = {}
        self.switches: Counter[tuple[str, int]] = Counter()
        self.true = self.found = self.frames = self.without_id = 0

    def add(self, bag: str, cones: Cones, truth: Truth) -> None:
        """Count a frame."""
        ids = np.zeros(len(cones.source), dtype=int) if cones.ids is None else cones.ids.numpy()
        self.frames += 1
        self.without_id += int((ids == 0).sum())
        positions = cones.positions.double().numpy()
        distances = np.linalg.norm(positions[:, None] - truth.positions[None], axis=2)
        is_near = distances <= MATCH_DISTANCE
        rows, columns = linear_sum_assignment(np.where(is_near, distances, 1e3))
        matched = is_near[rows, columns]
        rows, columns = rows[matched], columns[matched]
        unseen = int((~truth.visible[columns]).sum())  # found beyond what is asked for
        self.true += int(truth.visible.sum())
        self.found += len(ids) - unseen
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if not truth.visible[column]:
                continue
            name, identity = (bag, int(truth.names[column])), int(ids[row])
            self.pairs[name, (bag, identity)] += 1
            self.switches[name] += self.last.get(name, identity) != identity
            self.last[name] = identity

    def text(self) -> str:
        """The figures."""
        names = sorted({name for name, _ in self.pairs})
        ids = sorted({identity for _, identity in self.pairs})
        table = np.zeros((len(names), len(ids)))
        row_of, column_of = ({key: i for i, key in enumerate(keys)} for keys in (names, ids))
        for (name, identity), count in self.pairs.items():
            table[row_of[name], column_of[identity]] = count
        rows, columns = linear_sum_assignment(-table)
        best, matched = table[rows, columns].sum(), table.sum()
        calm = sum(self.switches[name] == 0 for name in names)
        switches = sum(self.switches.values())
        return (
            f"{self.frames} frames, {len(names)} true cones found, {int(matched)} matches, "
            f"{self.without_id} cones without id\n"
            f"switches: {switches}, {switches / len(names):.3f} per true cone; without any: "
            f"{100 * calm / len(names):.1f} % of the true cones\n"
            f"IDF1: {2 * best / (self.true + self.found):.3f}, purity: {best / matched:.4f}"
        )


def timed(messages: list[Cones]) -> str:
    """Time of the tracking per frame; the car stands still for it."""
    tracks, seconds = ConeTracks(), []
    for number, cones in enumerate(messages):
        positions, covariances = (
            cones.positions.double().numpy(),
            cones.covariances.double().numpy(),
        )
        start = time.perf_counter()
        tracks.add(positions, covariances, Pose2(0.0, 0.0, 0.0), 0.1 * number)
        seconds.append(time.perf_counter() - start)
    milliseconds = 1e3 * np.array(seconds)
    count = np.mean([len(cones.source) for cones in messages])
    return (
        f"tracking: {np.median(milliseconds):.2f} ms per frame (median), "
        f"p99 {np.percentile(milliseconds, 99):.2f} ms, {count:.0f} cones"
    )


def main() -> None:
    """Print the figures of the bags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bags", nargs="+", type=Path)
    scores, messages = Scores(), []
    for path in parser.parse_args().bags:
        with BagReader(path) as bag:
            truths = truths_of(bag)
            for _, _, msg in bag.messages(["/cones"]):
                stamp_ns = stamp_ns_from_msg(msg.header.stamp)
                if stamp_ns not in truths:
                    raise SystemExit(f"{path} has no truth at the stamp {stamp_ns} ns of its cones")
                messages.append(cones_from_msg(msg))
                scores.add(str(path), messages[-1], truths[stamp_ns])
    print(scores.text())
    print(timed(messages))


if __name__ == "__main__":
    main()
