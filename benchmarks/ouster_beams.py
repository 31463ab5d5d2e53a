"""Per-beam quality of the shipped scan network on recorded rings of a spinning LiDAR.

``python benchmarks/ouster_beams.py --data FOLDER_OR_NPZ`` reads the files that
``conegrad train-lidar --scans`` reads; docs/training.md describes them.
"""

import argparse
import json
import math
from pathlib import Path

import torch

from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter, SegmenterConfig, load_segmenter
from conegrad_evaluation.metrics.beams import count_beams
from conegrad_training.supervised.labelled_scans import read_scans

RANGE_BANDS = ((0, 5), (5, 10), (10, 15), (15, 1000))  # [m]


def judge_recording(path: Path, segmenter: ScanSegmenter, min_score: float) -> dict[str, object]:
    """Quality over all scans of a file: in all, per ring, per third of the time, per range."""
    ranges, labels, step, _ = read_scans(path, max_range=math.inf).scans
    ranges, labels = torch.from_numpy(ranges), torch.from_numpy(labels)
    angles = step * torch.arange(ranges.shape[-1])
    logits = torch.stack(
        [
            torch.stack([segmenter([Scan(ring, angles)])[0].logits for ring in rings])
            for rings in ranges
        ]
    )

    def quality(rows: object) -> dict[str, float]:
        return count_beams(logits[rows], labels[rows], ranges[rows], min_score=min_score).to_dict()

    thirds = torch.arange(len(ranges)).tensor_split(3)
    bands = {}
    for near, far in RANGE_BANDS:
        inside = ranges.where((ranges >= near) & (ranges < far), torch.nan)
        bands[f"{near}-{far} m"] = count_beams(logits, labels, inside, min_score=min_score)
    return {
        "all": quality(slice(None)),
        "ring": {k: quality((slice(None), k)) for k in range(ranges.shape[1])},
        "third": {k: quality(third) for k, third in enumerate(thirds)},
        "range": {name: counts.to_dict() for name, counts in bands.items()},
    }


def main() -> None:
    """Print the table, or say that there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="an .npz file, or their folder")
    parser.add_argument("--weights", default="", help="another weights file")
    parser.add_argument("--min-score", type=float, default=0.5, help="probability of a cone")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    files = sorted(options.data.glob("*.npz")) if options.data.is_dir() else [options.data]
    files = [file for file in files if file.exists()]
    if not files:
        print(f"skipped: {options.data} holds no .npz recording")
        return
    segmenter = load_segmenter(SegmenterConfig(weights=options.weights))
    results = {}
    for file in files:
        with torch.inference_mode():
            results[file.stem] = judge_recording(file, segmenter, options.min_score)
        print_table(file.stem, results[file.stem])
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def print_table(name: str, result: dict[str, object]) -> None:
    """One line per group of beams."""
    print(f"{name:24s}     F1  precision  recall")
    for group, rows in result.items():
        named = {"": rows} if group == "all" else rows
        for key, row in named.items():
            label = f"{group} {key}"
            print(f"{label:24s}  {row['f1']:.3f}      {row['precision']:.3f}   {row['recall']:.3f}")


if __name__ == "__main__":
    main()
