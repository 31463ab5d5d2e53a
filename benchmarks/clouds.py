"""Cones of 3-D clouds by the LiDAR alone: this package beside DBSCAN with a size filter.

``python benchmarks/clouds.py --fskitti FOLDER...`` takes recorded scenes in the layout of FSKITTI,
``--simulated N`` takes N drives of simulated LiDARs that no weights were trained on. Both methods
get the same frames, each by itself, and the ground that ``find_ground`` (RANSAC of Open3D) fits to
the points below the sensor.

The clustering takes the points from 0.1 m above the ground on, joins those within 0.3 m, and keeps
clusters of 2 points or more that are narrower than 0.4 m and whose top is 0.12 to 0.6 m above the
ground. The own car is cut out for it by hand (``--car``, in simulated clouds exactly), but not for
ours. Truth is what has returns from ``--near`` to ``--far``; intervals of 95 % are bootstrapped
over frames.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import open3d
import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.fuser import LIDAR, Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.lidar.ground_plane import find_ground
from conegrad_core.lidar.reduction import ReductionConfig, reduce_cloud
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.settings.assignments import read_assignments
from conegrad_data.importing.fskitti_frames import read_frames
from conegrad_data.importing.fskitti_import import read_labels, read_points
from conegrad_evaluation.metrics.evaluator import Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.metrics.table import number
from conegrad_simulation.lidar.clouds.cloud_sampler import CloudFrame, sample_drive

EVALUATION_SEED = 900_000_000  # the training takes lower ones
REACH = 0.3  # [m], points nearer to each other are one cluster
MIN_POINTS = 2
LOWEST = 0.1  # [m] above ground
WIDEST = 0.4  # [m]
TOPS = (0.12, 0.6)  # [m] above ground
MIN_RETURNS = 2  # of a simulated cone that counts
MIN_HEIGHT = 0.05  # [m], returns below do not count for it: base plates
MATCH_DISTANCE = 0.5  # [m]
MANY = 3  # [m], beyond the range of the truth clusters are not looked for
RESAMPLES = 1000


class Frame(NamedTuple):
    """A cloud, the same without the own car, and its cones."""

    points: np.ndarray
    without_car: np.ndarray
    truth: TrueCones


Method = Callable[[Frame], Cones]


def recorded_frames(folder: Path, car: tuple[float, float, float]) -> Iterator[Frame]:
    """Labelled frames of a scene; the car is ``car`` long ahead and behind, and wide to a side."""
    ahead, behind, beside = car
    for frame in read_frames(folder):
        if frame.labels is None:
            continue
        points = read_points(frame.points)[:, :3]
        x, y = points[:, 0], points[:, 1]
        on_car = (x < ahead) & (x > -behind) & (np.abs(y) < beside)
        yield Frame(points, points[~on_car], read_labels(frame.labels, points))


def simulated_frames(drives: int, seed: int) -> Iterator[Frame]:
    """Frames of random LiDARs in which the ground is found."""
    for index in range(drives):
        for frame in sample_drive(EVALUATION_SEED + seed + index, frames=2).frames:
            points = frame.cloud.points
            try:
                find_ground(points)
            except ValueError:
                continue
            yield Frame(points, points[~frame.cloud.on_car], simulated_truth(frame))


def simulated_truth(frame: CloudFrame) -> TrueCones:
    """Cones of a simulated frame; those with returns above their base are visible."""
    heights = frame.cloud.points @ frame.ground_normal + frame.sensor_height
    hit = frame.cloud.cones[(frame.cloud.cones >= 0) & (heights > MIN_HEIGHT)]
    returns = np.bincount(hit, minlength=len(frame.cone_positions))
    visible = torch.from_numpy(returns >= MIN_RETURNS)
    return TrueCones(
        torch.from_numpy(frame.cone_positions[:, :2]).float(),
        torch.from_numpy(frame.cone_classes).long(),
        torch.zeros_like(visible),
        visible,
    )


class OurMethod:
    """Reduction, scan network and fusion as the LiDAR node and the fusion node run them."""

    def __init__(self, weights: str, reduction: ReductionConfig) -> None:
        self._reduction = reduction
        self._segment = load_segmenter(SegmenterConfig(weights=weights))
        self._fuse = Fuser().eval()

    def __call__(self, frame: Frame) -> Cones:
        """Cones of a cloud with the own car in it."""
        reduced = reduce_cloud(torch.from_numpy(frame.points).float(), self._reduction)
        return select_cones(self._fuse(self._segment([reduced.scan])[0], None, None))


class Clustering:
    """DBSCAN and a size filter; ``far`` bounds the points [m]."""

    def __init__(self, far: float) -> None:
        self._far = far + MANY

    def __call__(self, frame: Frame) -> Cones:
        """Cones of a cloud without the own car."""
        points = frame.without_car.astype(np.float64)
        heights = find_ground(frame.points).heights(points)
        kept = (heights >= LOWEST) & (np.hypot(points[:, 0], points[:, 1]) < self._far)
        points, heights = points[kept], heights[kept]
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
        clusters = np.asarray(cloud.cluster_dbscan(REACH, MIN_POINTS))
        found = [
            points[own, :2].mean(axis=0)
            for own in (clusters == number for number in range(clusters.max(initial=-1) + 1))
            if np.ptp(points[own, :2], axis=0).max() < WIDEST
            and TOPS[0] <= heights[own].max() <= TOPS[1]
        ]
        return certain_cones(np.array(found).reshape(-1, 2))


def certain_cones(positions: np.ndarray) -> Cones:
    """Cones of unknown colour at ``(M, 2)`` positions [m]."""
    count = len(positions)
    colours = torch.zeros(count, 5)
    colours[:, 4] = 1.0
    return Cones(
        torch.from_numpy(positions).float(),
        0.01 * torch.eye(2).expand(count, 2, 2),
        colours,
        torch.full((count,), 5.0),
        torch.full((count,), LIDAR),
    )


def beyond(near: float, cones: Cones, truth: TrueCones) -> tuple[Cones, TrueCones]:
    """Without nearer truth, and without nearer cones that do not belong to what is left of it."""
    counted = truth.visible_lidar & (truth.positions.norm(dim=-1) >= near)
    distances = torch.cdist(cones.positions, truth.positions[counted])
    kept = cones.positions.norm(dim=-1) >= near
    kept |= (distances <= MATCH_DISTANCE).any(dim=1)
    unseen = torch.zeros_like(counted)
    of_lidar = truth._replace(visible_camera=unseen, visible_lidar=counted)
    return cones.rows(kept), of_lidar


def evaluated(frames: list[Frame], method: Method, near: float, far: float) -> Evaluator:
    """Match the cones of a method in all frames."""
    evaluator = Evaluator(EvaluationConfig(match_distance=MATCH_DISTANCE, max_range=far))
    evaluator.with_camera = False
    for frame in frames:
        evaluator.add(*beyond(near, method(frame), frame.truth))
    return evaluator


def counts_by_frame(evaluator: Evaluator) -> np.ndarray:
    """``(F, 2)`` right cones, and cones plus truth."""
    selected = [result.existence >= evaluator.config.min_existence for result in evaluator.frames]
    return np.array(
        [
            (
                (result.matches[chosen] >= 0).sum(),
                (chosen & ~result.ignored).sum() + result.counted.sum(),
            )
            for result, chosen in zip(evaluator.frames, selected, strict=True)
        ]
    )


def difference_interval(ours: Evaluator, other: Evaluator) -> tuple[float, float]:
    """Middle 95 % of the difference of F1, frames drawn together for both."""
    counts = np.stack([counts_by_frame(ours), counts_by_frame(other)])
    drawn = np.random.default_rng(0).integers(counts.shape[1], size=(RESAMPLES, counts.shape[1]))
    sums = counts[:, drawn].sum(axis=2)
    scores = 2 * sums[..., 0] / np.maximum(sums[..., 1], 1)
    low, high = np.percentile(scores[0] - scores[1], [2.5, 97.5])
    return float(low), float(high)


def row(scene: str, name: str, evaluator: Evaluator) -> dict[str, object]:
    """Figures of a method on a scene."""
    result = evaluator.result()
    counts = result.total.counts
    interval = (result.f1_interval.low, result.f1_interval.high)
    rates = {"f1": counts.f1, "precision": counts.precision, "recall": counts.recall}
    return {"scene": scene, "method": name, **rates, "interval": interval, "true": counts.true}


def joined(evaluators: list[Evaluator]) -> Evaluator:
    """All frames of some scenes."""
    result = Evaluator(evaluators[0].config)
    result.with_camera = False
    result.frames = [frame for evaluator in evaluators for frame in evaluator.frames]
    return result


def compare(scenes: dict[str, list[Frame]], options: argparse.Namespace) -> list[dict[str, object]]:
    """Both methods on all scenes, and on all together; prints each row."""
    reduction = ReductionConfig(**read_assignments(options.reduction, "--reduction"))
    methods: dict[str, Method] = {
        "ours": OurMethod(options.weights, reduction),
        "DBSCAN": Clustering(options.far),
    }
    found = {
        scene: {
            name: evaluated(frames, method, options.near, options.far)
            for name, method in methods.items()
        }
        for scene, frames in scenes.items()
    }
    if len(found) > 1:
        found["all"] = {name: joined([found[s][name] for s in scenes]) for name in methods}
    rows = []
    print("| scene | method | F1 | 95 % interval | precision | recall | cones | ours - DBSCAN |")
    print("|---|---|---|---|---|---|---|---|")
    for scene, by_method in found.items():
        low, high = difference_interval(by_method["ours"], by_method["DBSCAN"])
        for name, evaluator in by_method.items():
            values = row(scene, name, evaluator)
            if name == "ours":
                values["difference_interval"] = (low, high)
            rows.append(values)
            print(written(values))
    return rows


def written(values: dict[str, object]) -> str:
    """Row of the table."""
    interval = " to ".join(number(end) for end in values["interval"])
    rates = " | ".join(number(values[name]) for name in ("precision", "recall"))
    ends = [f"{end:+.3f}" for end in values.get("difference_interval", ())]
    cells = (values["scene"], values["method"], number(values["f1"]), interval, rates)
    return "| " + " | ".join([*map(str, cells), str(values["true"]), " to ".join(ends)]) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fskitti", type=Path, nargs="*", default=[], help="recorded scenes")
    parser.add_argument("--simulated", type=int, default=0, help="drives of 2 frames")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated drives")
    parser.add_argument("--near", type=float, default=2.5, help="of the truth that counts [m]")
    parser.add_argument("--far", type=float, default=12.0, help="of the truth that counts [m]")
    parser.add_argument(
        "--car", type=float, nargs=3, default=(2.4, 1.0, 0.9),
        help="what is cut for DBSCAN in recorded clouds: ahead, behind, beside the LiDAR [m]",
    )  # fmt: skip
    parser.add_argument("--weights", default="", help="another weights file of the scan network")
    parser.add_argument("--reduction", nargs="*", default=[], help="NAME=VALUE of the reduction")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    scenes = {folder.name: list(recorded_frames(folder, options.car)) for folder in options.fskitti}
    if options.simulated:
        scenes["simulated"] = list(simulated_frames(options.simulated, options.seed))
    with torch.inference_mode():
        rows = compare(scenes, options)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
