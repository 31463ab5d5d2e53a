"""Per-beam quality of the shipped scan network on recorded rings of a spinning LiDAR.

``python benchmarks/ouster_beams.py --data FOLDER_OR_NPZ`` reads arrays ``range_xy``
(frame, ring, beam) [m], ``azimuth`` (ring, beam) [rad] and ``cone_id`` (0: no cone).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from conegrad_core.evaluation.beams import count_beams
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter, SegmenterConfig, load_segmenter

RANGE_BANDS = ((0, 5), (5, 10), (10, 15), (15, 1000))  # [m]


def judge_recording(path: Path, segmenter: ScanSegmenter, min_score: float) -> dict[str, object]:
    """Quality over all scans of a file: in all, per ring, per third of the time, per range."""
    data = np.load(path)
    ranges = torch.from_numpy(data["range_xy"]).float()
    labels = torch.from_numpy(data["cone_id"] > 0)
    logits = torch.stack(
        [
            torch.stack(
                [segmenter.segment(scan).logits for scan in scans_of(rings, data["azimuth"])]
            )
            for rings in ranges
        ]
    )
    seen = ranges.masked_fill(ranges <= 0, torch.nan)

    def quality(rows: object) -> dict[str, float]:
        return count_beams(logits[rows], labels[rows], seen[rows], min_score=min_score).to_dict()

    thirds = torch.arange(len(ranges)).tensor_split(3)
    bands = {}
    for near, far in RANGE_BANDS:
        inside = seen.where((seen >= near) & (seen < far), torch.nan)
        bands[f"{near}-{far} m"] = count_beams(logits, labels, inside, min_score=min_score)
    return {
        "all": quality(slice(None)),
        "ring": {k: quality((slice(None), k)) for k in range(ranges.shape[1])},
        "third": {k: quality(third) for k, third in enumerate(thirds)},
        "range": {name: counts.to_dict() for name, counts in bands.items()},
    }


def scans_of(rings: torch.Tensor, azimuth: np.ndarray) -> list[Scan]:
    """One scan per ring; azimuths are unwrapped, so that they are evenly spaced."""
    angles = torch.from_numpy(np.unwrap(azimuth, axis=-1)).float()
    return [Scan(ring, angle) for ring, angle in zip(rings, angles, strict=True)]


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
