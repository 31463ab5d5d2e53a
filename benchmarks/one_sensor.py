"""Cones of one sensor alone and of both, of simulated drives: precision, recall and F1 by range.

``python benchmarks/one_sensor.py DRIVE...`` runs the drives without ROS, each once with both
sensors and once with each of them left out, and prints the figures of all drives together. Truth
is what the sensors that take part could see.

With ``--fit`` it calibrates ``camera_only_bias`` instead: the bias for which the existence of the
camera's cones is right on average (logistic regression with all other scalars fixed), by the boxes
within ``--fit-range``. A box counts as a cone where one that the image shows stands within 0.5 m
of it.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import brentq

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.scalars import INITIAL_VALUES
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import truth_from_msg
from conegrad_evaluation.metrics.evaluator import Evaluator
from conegrad_evaluation.metrics.matching import UNMATCHED, EvaluationConfig, match_frame
from conegrad_evaluation.metrics.table import number
from conegrad_nodes.playback.direct import DirectFrame, DirectPerception
from conegrad_nodes.playback.perceive import PerceiveOptions, graph_parameters, input_roles

SENSORS = {"camera": ("image",), "LiDAR": ("scan",), "both": ("image", "scan")}
RANGES = ((0.0, 10.0), (10.0, 20.0))
MATCH_DISTANCE = 0.5  # [m]
BIAS = "camera_only_bias"


def frames_of(path: Path, sensors: tuple[str, ...], existence: float) -> Iterator[DirectFrame]:
    """Cones of a drive of which some sensors took part, in the frame of the LiDAR."""
    with BagReader(path) as bag, tempfile.TemporaryDirectory() as folder:
        roles = input_roles(bag, {})
        options = PerceiveOptions(parameters={"min_existence": existence})
        parameters = graph_parameters(bag, roles, options, Path(folder))
        perception = DirectPerception(parameters)
        used = {roles[role]: role for role in (*sensors, "camera_info", "odom")}
        for raw in bag.raw_messages(list(used)):
            yield from perception.take(used[raw.topic], bag.decode(raw), raw.receive_ns)
        yield from perception.flush(raw.receive_ns)


def with_truth(
    path: Path, sensors: tuple[str, ...], existence: float = 0.5
) -> Iterator[tuple[Cones, TrueCones]]:
    """The frames of a drive with the truth that the sensors could see."""
    with BagReader(path) as bag:
        truths = {
            msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec: truth_from_msg(msg)
            for _, _, msg in bag.messages(["/truth"])
        }
    for frame in frames_of(path, sensors, existence):
        truth = truths.get(frame.pair.stamp_ns)
        if truth is not None:
            unseen = torch.zeros_like(truth.visible_camera)
            yield (
                frame.cones,
                truth._replace(
                    visible_camera=truth.visible_camera if "image" in sensors else unseen,
                    visible_lidar=truth.visible_lidar if "scan" in sensors else unseen,
                ),
            )


def figures(drives: list[Path]) -> Iterator[str]:
    """Rows of the table."""
    yield "| sensors | range | precision | recall | F1 | frames |"
    yield "|---|---|---|---|---|---|"
    for name, sensors in SENSORS.items():
        pairs = [pair for drive in drives for pair in with_truth(drive, sensors)]
        for low, high in RANGES:
            evaluator = Evaluator(EvaluationConfig(match_distance=MATCH_DISTANCE, max_range=high))
            for cones, truth in pairs:
                evaluator.add(*beyond(low, cones, truth))
            counts = evaluator.result().total.counts
            rates = (counts.precision, counts.recall, counts.f1)
            cells = " | ".join(number(rate) for rate in rates)
            yield f"| {name} | {low:.0f} to {high:.0f} m | {cells} | {len(pairs)} |"


def beyond(low: float, cones: Cones, truth: TrueCones) -> tuple[Cones, TrueCones]:
    """Cones and truth at least so far away [m]; nearer truth is ignored, not lost."""
    far = truth.positions.norm(dim=-1) >= low
    kept = cones.positions.norm(dim=-1) >= low
    return cones.rows(kept), truth._replace(
        visible_camera=truth.visible_camera & far, visible_lidar=truth.visible_lidar & far
    )


def fitted_bias(drives: list[Path], reach: float) -> tuple[float, int, float]:
    """The calibrated bias, the number of boxes that it rests on, and their share of cones."""
    config = EvaluationConfig(match_distance=MATCH_DISTANCE, max_range=reach, min_existence=0.001)
    logits, labels = [], []
    for drive in drives:
        for cones, truth in with_truth(drive, SENSORS["camera"], existence=0.001):
            result = match_frame(cones, truth, config)
            inside = np.hypot(*result.positions.T) <= reach
            counted = inside & ~result.ignored
            logits.append(cones.existence_logits.numpy()[counted])
            labels.append(result.matches[counted] != UNMATCHED)
    evidence = np.concatenate(logits) - INITIAL_VALUES[BIAS]
    right = np.concatenate(labels)

    def excess(bias: float) -> float:
        return float((1 / (1 + np.exp(-evidence - bias))).mean() - right.mean())

    return brentq(excess, -10, 10), len(right), float(right.mean())


def main() -> None:
    """Print the table, or the bias."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("drives", type=Path, nargs="+", help="bags with truth")
    parser.add_argument("--fit", action="store_true", help="calibrate camera_only_bias")
    parser.add_argument("--fit-range", type=float, default=10.0, help="of the boxes [m]")
    options = parser.parse_args()
    if options.fit:
        bias, boxes, share = fitted_bias(options.drives, options.fit_range)
        print(f"{BIAS} {bias:.2f} by {boxes} boxes, {share:.1%} of them cones")
    else:
        print("\n".join(figures(options.drives)))


if __name__ == "__main__":
    main()
