"""The detector on unseen simulated frames of the level ``hard``, by what makes them hard.

``python benchmarks/camera_conditions.py --weights BEFORE AFTER`` renders frames of seeds that no
training uses and gives, for each condition and each weights file (``shipped``: those that ship),
AP50, recall and false detections of a frame. A frame counts under every condition that it has.
``--picture FILE`` draws the frames of which the first weights miss most, as seen by each of them:
true cones green, detections magenta.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.image import Detections, TrueBoxes
from conegrad_core.camera.pooling import box_iou
from conegrad_evaluation.metrics.boxes import average_precisions
from conegrad_simulation.scene.world import World
from conegrad_training.supervised.camera_crops import LabelledImage
from conegrad_training.supervised.camera_rendering import SimulatedView

FIRST_SEED = 910_000_000  # beyond those of any training and of its evaluation
WORLD_STREAM = 0x5A3F  # of the random draws whose first are the world of a frame
MIN_HEIGHT = 12.0  # [px], lower boxes do not count
MIN_SCORE = 0.3  # of detections that count in recall, false ones and pictures
PANEL = 340  # [px], width of a picture in the sheet
QUALITY = 70  # of the JPEG of the sheet
DARKEST = 60.0  # mean grey value of a frame in the sheet, its padding included

CONDITIONS: dict[str, Callable[[World], bool]] = {
    "all": lambda world: True,
    "dark": lambda world: world.exposure < 0.6,
    "haze": lambda world: world.fog > 0.2,
    "low sun": lambda world: world.sun_elevation < 0.3 and world.glare > 0.2,
    "shade": lambda world: world.shade > 0,
    "blurred": lambda world: world.blur > 1.2 or world.motion_blur > 3,
    "stored small": lambda world: min(world.resolution) < 0.6,
    "odd cones": lambda world: world.cone_variety > 0.6,
    "decoys": lambda world: world.decoys > 0.4,
}


@dataclass(frozen=True)
class Seen:
    """A frame, its true boxes and its world."""

    frame: LabelledImage
    truth: TrueBoxes
    world: World


def seen(seed: int) -> Seen:
    """The frame of a seed."""
    frame = SimulatedView("hard")(seed)
    boxes, classes = torch.from_numpy(frame.boxes_xyxy), torch.from_numpy(frame.classes)
    world = World.sample(np.random.default_rng((seed, WORLD_STREAM)), "hard")
    return Seen(frame, TrueBoxes(boxes, classes), world)


def outcome(truth: TrueBoxes, found: Detections) -> tuple[int, int, int]:
    """True cones of 12 px and more, how many of them are found, and false detections."""
    kept = found.logits.max(1).values.sigmoid() >= MIN_SCORE
    boxes, classes = found.boxes_xyxy[kept], found.logits[kept].argmax(1)
    tall = (truth.boxes_xyxy[:, 3] - truth.boxes_xyxy[:, 1]) >= MIN_HEIGHT
    overlaps = box_iou(truth.boxes_xyxy, boxes) >= 0.5
    hits = (overlaps & (truth.classes[:, None] == classes)).any(1)
    false = ~overlaps.any(0) & ((boxes[:, 3] - boxes[:, 1]) >= MIN_HEIGHT)
    return int(tall.sum()), int((hits & tall).sum()), int(false.sum())


def by_condition(frames: list[Seen], found: list[Detections]) -> dict[str, dict[str, float]]:
    """AP50, recall and false detections of a frame, for each condition."""
    report = {}
    for name, holds in CONDITIONS.items():
        rows = [row for row, frame in enumerate(frames) if holds(frame.world)]
        truths, detections = [frames[row].truth for row in rows], [found[row] for row in rows]
        counts = np.array([outcome(*pair) for pair in zip(truths, detections, strict=True)])
        cones, hits, false = counts.reshape(-1, 3).sum(axis=0)
        values = average_precisions(detections, truths, min_height=MIN_HEIGHT)
        report[name] = {
            "frames": len(rows),
            "cones": int(cones),
            "AP50": round(values["mean"], 3),
            "big orange": round(values.get("big_orange", float("nan")), 3),
            "recall": round(float(hits / max(cones, 1)), 3),
            "false a frame": round(float(false / max(len(rows), 1)), 3),
        }
    return report


def drawn(frame: Seen, found: Detections) -> Any:
    """The picture of a frame with true and found boxes, blue green red."""
    canvas = cv2.cvtColor(frame.frame.image, cv2.COLOR_RGB2BGR)
    for box in frame.truth.boxes_xyxy.round().int().tolist():
        cv2.rectangle(canvas, tuple(box[:2]), tuple(box[2:]), (60, 220, 60), 1)
    kept = found.logits.max(1).values.sigmoid() >= MIN_SCORE
    for box in found.boxes_xyxy[kept].round().int().tolist():
        cv2.rectangle(canvas, tuple(box[:2]), tuple(box[2:]), (255, 0, 255), 1)
    filled = np.flatnonzero((canvas != canvas[:1, :1]).any(axis=(1, 2)))
    canvas = canvas[filled[0] : filled[-1] + 1]  # without the grey above and below
    return cv2.resize(canvas, (PANEL, round(PANEL * len(canvas) / 640)), None, 0, 0, cv2.INTER_AREA)


def sheet(frames: list[Seen], results: list[list[Detections]], count: int) -> Any:
    """The frames of which the first weights miss most; a column for each weights file."""
    missed = []
    for frame, found in zip(frames, results[0], strict=True):
        cones, hits, _ = outcome(frame.truth, found)
        missed.append(cones - hits)
    # Frames so dark that nobody sees a cone show nothing.
    shown = [frame.frame.image.mean() > DARKEST for frame in frames]
    worst = sorted(np.argsort(-np.array(missed) * shown, kind="stable")[:count].tolist())
    rows = [np.hstack([drawn(frames[row], found[row]) for found in results]) for row in worst]
    return np.vstack(rows)


def load(name: str, threads: int) -> Detector:
    """Detector of a weights file."""
    config = DetectorConfig(weights="" if name == "shipped" else name, threads=threads)
    return load_detector(config).eval()


def main() -> None:
    """Evaluate every weights file on the same frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", nargs="+", default=["shipped"])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="sheet of the frames that are missed most")
    parser.add_argument("--pictures", type=int, default=6, help="frames in the sheet")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    frames = [seen(FIRST_SEED + index) for index in range(options.frames)]
    reports, results = {}, []
    for name in options.weights:
        detector = load(name, options.threads)
        with torch.inference_mode():
            results.append([detector([frame.frame.image])[0] for frame in frames])
        reports[name] = by_condition(frames, results[-1])
        print(name, json.dumps(reports[name], indent=1))
    if options.picture:
        coding = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        cv2.imwrite(str(options.picture), sheet(frames, results, options.pictures), coding)
    if options.json:
        options.json.write_text(json.dumps(reports, indent=2) + "\n")


if __name__ == "__main__":
    main()
