"""False beams and recall of scan networks in cluttered simulated garages.

``python benchmarks/garage_clutter.py [WEIGHTS...]`` runs the weights that ship, or those that are
given, on the same scans. The garages come from seeds that no training uses; each is seen by every
sensor from four places. A false beam is one that is classified as cone and hit none; intervals are
95 % bootstrap intervals over the garages.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter, SegmenterConfig, load_segmenter
from conegrad_evaluation.metrics.beams import BeamCounts, count_beams
from conegrad_simulation.lidar.ray_casting import Fan
from conegrad_simulation.lidar.scan_sampler import SCANS_PER_PLACE, ScanBatch, sample_batch
from conegrad_simulation.lidar.scan_surroundings import GARAGE

FIRST_SEED = 970_000_000  # not trained on: seeds of trainings stay below 900,000,000
SENSORS = {
    "360 deg, 720 beams": Fan(-math.pi, math.radians(0.5), 720),
    "360 deg, 1600 beams": Fan(-math.pi, math.radians(0.225), 1600),
    "270 deg, 1081 beams": Fan(-math.radians(135), math.radians(0.25), 1081),
}
RESAMPLES = 1000
Row = tuple[int, int, int]  # true, false and missed beams of one garage


def main() -> None:
    """Print one table per weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="*", default=[""], help=".safetensors; none: shipped")
    parser.add_argument("--garages", type=int, default=100)
    parser.add_argument("--max-range", type=float, default=12.0, help="beams up to here count [m]")
    parser.add_argument("--min-score", type=float, default=0.5, help="probability of a cone")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    results = {}
    for weights in options.weights:
        name = weights or "shipped"
        segmenter = load_segmenter(SegmenterConfig(weights=weights))
        results[name] = judge(segmenter, options.garages, options.max_range, options.min_score)
        print_table(name, results[name])
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def judge(
    segmenter: ScanSegmenter, garages: int, max_range: float, min_score: float
) -> dict[str, dict[str, list[float]]]:
    """Value, lower and upper end of the interval of each figure, by sensor."""
    found, everything = {}, []
    for name, fan in SENSORS.items():
        rows = []
        for garage in range(garages):
            batch = sample_batch(FIRST_SEED + garage, SCANS_PER_PLACE, fan, GARAGE)
            counts = counted(segmenter, batch, max_range, min_score)
            rows.append((counts.true_positives, counts.false_positives, counts.false_negatives))
        found[name] = figures(rows, SCANS_PER_PLACE)
        everything.append(rows)
    in_all = np.sum(everything, axis=0)
    return found | {"all": figures(in_all.tolist(), SCANS_PER_PLACE * len(SENSORS))}


@torch.inference_mode()
def counted(
    segmenter: ScanSegmenter, batch: ScanBatch, max_range: float, min_score: float
) -> BeamCounts:
    """Beams of the scans of one sensor in one garage."""
    ranges, labels = torch.from_numpy(batch.ranges), torch.from_numpy(batch.labels)
    angles = batch.step * torch.arange(ranges.shape[1])
    logits = torch.stack([scan.logits for scan in segmenter([Scan(row, angles) for row in ranges])])
    near = ranges.where(ranges <= max_range, torch.nan)
    return count_beams(logits, labels, near, min_score=min_score)


def figures(rows: list[Row], scans: int) -> dict[str, list[float]]:
    """False beams per scan and recall with their intervals."""
    table = np.array(rows, dtype=float)
    rng = np.random.default_rng(0)
    draws = [table, *(table[rng.integers(len(table), size=len(table))] for _ in range(RESAMPLES))]
    falses = [draw[:, 1].mean() / scans for draw in draws]
    recalls = [draw[:, 0].sum() / max(draw[:, 0].sum() + draw[:, 2].sum(), 1) for draw in draws]
    return {
        "false beams per scan": [falses[0], *np.percentile(falses[1:], (2.5, 97.5)).tolist()],
        "recall": [recalls[0], *np.percentile(recalls[1:], (2.5, 97.5)).tolist()],
    }


def print_table(name: str, result: dict[str, dict[str, list[float]]]) -> None:
    """One line per sensor."""
    print(f"{name:24s}  false beams per scan     recall")
    for sensor, row in result.items():
        falses, recall = row["false beams per scan"], row["recall"]
        print(
            f"{sensor:24s}  {falses[0]:5.2f} [{falses[1]:5.2f}, {falses[2]:5.2f}]   "
            f"{recall[0]:.3f} [{recall[1]:.3f}, {recall[2]:.3f}]"
        )


if __name__ == "__main__":
    main()
