"""The camera alone: positions by keypoints against the monocular estimate, and colours.

``python benchmarks/camera_positions.py DRIVE...`` runs detector, keypoints and classifier once on
each image of the drives and compares, on the same boxes,

- cones of the camera alone: recall and precision, by today's selection;
- error of the range and NEES of the boxes that show a true cone (two of three of their window),
- colours of detector, classifier and of both joined.

Truth is what the camera could see. Intervals: bootstrap over frames. ``--weights FOLDER`` takes
weights of the networks from there. ``--fit`` learns the scalars of the solver, and the gain of the
classifier, on the drives instead, and prints them.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConePositions, Cones, TrueCones
from conegrad_core.crops.cutting import windows_around
from conegrad_core.crops.matching import match_crops
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.scalars import INITIAL_VALUES
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import project
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver import solve_positions
from conegrad_core.keypoints.solver_scalars import SolverScalars
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.graph import Pipeline
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import image_from_msg
from conegrad_data.recording.bag_index import read_messages
from conegrad_data.recording.paired_drive import read_paired_drive
from conegrad_data.recording.truth import truth_in_frame
from conegrad_evaluation.metrics.evaluator import Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig

WAYS = ("monocular", "keypoints", "fork")
MATCH_DISTANCES = (0.5, 1.0)  # [m]
SAMPLES = 1000  # of the bootstrap
MIN_EXISTENCE = 0.5
OUTLIER = 25.0  # squared error by covariance from which on a box counts as matched wrongly
FIT_STEPS, FIT_RATE = 60, 0.06

Numbers = np.ndarray  # of floats


class Frame(NamedTuple):
    """An image with what the networks made of it, and its truth.

    Attributes:
        image: itself.
        calibration: of the vehicle.
        detections: K boxes.
        keypoints: of them.
        colours: of them.
        truth: N cones.
        rows: ``(K,)`` true cone of each box, or -1.
    """

    image: RgbImage
    calibration: Calibration
    detections: Detections
    keypoints: Keypoints
    colours: ConeColours
    truth: TrueCones
    rows: Tensor


class Boxes(NamedTuple):
    """Boxes of one frame that show a true cone and exist.

    Attributes:
        truth: ``(P, 2)`` [m].
        classes: ``(P,)``.
        positions: ``(P, 2)`` by way.
        covariances: ``(P, 2, 2)`` by way.
        colours: ``(P, 4)`` probabilities by way: detector, classifier, both.
    """

    truth: Tensor
    classes: Tensor
    positions: dict[str, Tensor]
    covariances: dict[str, Tensor]
    colours: dict[str, Tensor]


def read_frames(paths: Sequence[Path], weights: Path | None) -> list[Frame]:
    """Frames of drives through the networks."""
    pipeline = load_pipeline("camera_fork", _settings(weights))
    frames = []
    for path in paths:
        drive = read_paired_drive(path)
        references = [pair.image for pair in drive.frames if pair.image.stamp_ns in drive.truth]
        with BagReader(path) as bag:
            images = map(bag.decode, read_messages(bag, references))
            recorded = [drive.truth[each.stamp_ns] for each in references]
            truths = map(bag.decode, read_messages(bag, recorded))
            for message, true in zip(images, truths, strict=True):
                truth = truth_in_frame(true, drive.frames[0].scan.frame, drive.static)
                frames.append(_frame(image_from_msg(message), truth, drive.calibration, pipeline))
    return frames


def _settings(weights: Path | None) -> dict[str, dict[str, str]]:
    if weights is None:
        return {}
    files = {"keypoints": "keypoint_cnn", "classifier": "colour_cnn", "detector": "yolov5n_cones"}
    paths = {stage: weights / f"{name}.safetensors" for stage, name in files.items()}
    return {stage: {"weights": str(path)} for stage, path in paths.items() if path.exists()}


def _frame(
    image: RgbImage, truth: TrueCones, calibration: Calibration, pipeline: Pipeline
) -> Frame:
    ports = ("detections", "keypoints", "colours")
    with torch.no_grad():
        found = pipeline({"image": [image]}, [FrameContext(calibration)], ports)
    detections, keypoints, colours = (found[port][0] for port in ports)
    seen = truth.visible_camera.nonzero()[:, 0]
    boxes = true_boxes(truth, calibration)[seen]
    rows = match_crops(windows_around(detections.boxes_xyxy, 1.3), boxes, 1.3)
    rows = torch.where(rows >= 0, seen[rows], rows) if len(seen) else rows
    return Frame(image, calibration, detections, keypoints, colours, truth, rows)


def true_boxes(truth: TrueCones, calibration: Calibration) -> Tensor:
    """Boxes ``(N, 4)`` [px] of true cones, by geometry; the car's tilt is not in them."""
    classes = truth.classes.clamp(max=3)
    widths, heights = (torch.tensor(table)[classes] for table in (CONE_WIDTHS, CONE_HEIGHTS))
    eye = rigid_inverse(calibration.camera_from_lidar)[:2, 3]
    sight = torch.nn.functional.normalize(truth.positions.float() - eye, dim=-1)
    side = torch.stack([-sight[:, 1], sight[:, 0]], dim=-1) * 0.5 * widths[:, None]
    feet = truth.positions.float() - sight * 0.5 * widths[:, None]
    corners = torch.stack([feet - side, feet + side, truth.positions.float()], dim=1)
    z = torch.stack([torch.zeros_like(heights), torch.zeros_like(heights), heights], dim=1)
    points = torch.cat([corners, calibration.ground_z + calibration.up * z[..., None]], dim=-1)
    pixels, _ = project(points.reshape(-1, 3), calibration.camera_from_lidar, calibration.camera)
    pixels = pixels.reshape(-1, 3, 2)
    return torch.cat([pixels.amin(1), pixels.amax(1)], dim=-1)


def cones_of(frame: Frame, fuser: Fuser, scalars: SolverScalars) -> dict[str, Cones]:
    """All candidates of a frame in each way."""
    detections, calibration = frame.detections, frame.calibration
    with torch.no_grad():
        positions = solve_positions(frame.keypoints, detections, calibration, scalars())
        return {
            "monocular": fuser(None, detections, calibration),
            "keypoints": fuser(None, detections, calibration, None, positions),
            "fork": fuser(None, detections, calibration, None, positions, frame.colours),
        }


def boxes_of(frame: Frame, cones: dict[str, Cones]) -> Boxes:
    """The boxes of a frame that show a true cone."""
    exists = cones["monocular"].existence_logits >= 0
    kept = (frame.rows >= 0) & exists
    rows = frame.rows[kept]
    return Boxes(
        frame.truth.positions[rows],
        frame.truth.classes[rows],
        {way: cones[way].positions[kept] for way in WAYS},
        {way: cones[way].covariances[kept] for way in WAYS},
        {
            "detector": cones["monocular"].colours[kept, :4],
            "classifier": frame.colours.logits[kept].softmax(-1),
            "both": cones["fork"].colours[kept, :4],
        },
    )


def within(boxes: Sequence[Boxes], low: float, high: float, value: Callable) -> list[Numbers]:
    """Values of the boxes between two ranges [m], frame by frame."""
    found = []
    for each in boxes:
        reach = each.truth.norm(dim=-1)
        found.append(value(each)[(reach >= low) & (reach < high)].double().numpy())
    return found


def range_errors(way: str) -> Callable[[Boxes], Tensor]:
    """Relative error of the range of each box."""
    return lambda boxes: boxes.positions[way].norm(dim=-1) / boxes.truth.norm(dim=-1) - 1


def nees(way: str) -> Callable[[Boxes], Tensor]:
    """Squared error of each box by its covariance: 2 on average where it is honest."""

    def of(boxes: Boxes) -> Tensor:
        error = (boxes.positions[way] - boxes.truth)[..., None].double()
        return (error.mT @ torch.linalg.solve(boxes.covariances[way].double(), error))[:, 0, 0]

    return of


def right_colours(way: str) -> Callable[[Boxes], Tensor]:
    """1 where the most probable colour is the true one."""
    return lambda boxes: (boxes.colours[way].argmax(-1) == boxes.classes).float()


def interval(statistic: Callable[..., float], *values: list[Numbers]) -> tuple[float, float, float]:
    """A statistic of joined values, with the middle 95 % of its bootstrap over frames."""
    generator = np.random.default_rng(0)
    count = len(values[0])

    def of(frames: Sequence[int]) -> float:
        return statistic(*(np.concatenate([each[i] for i in frames]) for each in values))

    drawn = [of(generator.integers(count, size=count)) for _ in range(SAMPLES)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return of(range(count)), float(low), float(high)


def cell(found: tuple[float, float, float], digits: int = 3) -> str:
    """A value with its interval."""
    return "{:.{d}f} ({:.{d}f} to {:.{d}f})".format(*found, d=digits)


def report(frames: Sequence[Frame]) -> None:
    """Print all tables."""
    fuser, scalars = Fuser().eval(), SolverScalars()
    cones = [cones_of(frame, fuser, scalars) for frame in frames]
    boxes = [boxes_of(*pair) for pair in zip(frames, cones, strict=True)]
    _print_cones(frames, cones)
    _print_positions(boxes)
    _print_colours(boxes)


def _print_cones(frames: Sequence[Frame], cones: Sequence[dict[str, Cones]]) -> None:
    print(f"{len(frames)} frames\n\n| way | range | match | recall | precision | f1 | f1_colour |")
    print("|---|---|---|---|---|---|---|")
    for reach in (12.0, 20.0):
        for distance in MATCH_DISTANCES:
            for way in WAYS:
                evaluator = Evaluator(EvaluationConfig(match_distance=distance, max_range=reach))
                for frame, found in zip(frames, cones, strict=True):
                    truth = frame.truth
                    blind = torch.zeros_like(truth.visible_lidar)
                    evaluator.add(
                        select_cones(found[way], MIN_EXISTENCE), truth._replace(visible_lidar=blind)
                    )
                result = evaluator.result()
                counts = result.total.counts
                print(
                    f"| {way} | {reach:.0f} m | {distance} m | {counts.recall:.3f} | "
                    f"{counts.precision:.3f} | {counts.f1:.3f} | {result.f1_colour:.3f} |"
                )


def _print_positions(boxes: Sequence[Boxes]) -> None:
    print("\n| way | range | boxes | median range error [%] | bias [%] | NEES | median |")
    print("|---|---|---|---|---|---|---|")
    for low, high in ((4.0, 12.0), (12.0, 20.0), (0.0, 12.0), (0.0, 20.0)):
        for way in WAYS[:2]:
            errors = within(boxes, low, high, range_errors(way))
            squares = within(boxes, low, high, nees(way))
            print(
                f"| {way} | {low:.0f} to {high:.0f} m | {sum(map(len, errors))} | "
                f"{cell(interval(lambda e: 100 * np.median(np.abs(e)), errors), 2)} | "
                f"{100 * np.median(np.concatenate(errors)):.2f} | "
                f"{cell(interval(np.mean, squares), 2)} | "
                f"{np.median(np.concatenate(squares)):.2f} |"
            )
    pair = [within(boxes, 4.0, 12.0, range_errors(way)) for way in WAYS[:2]]
    ratio = interval(lambda old, new: np.median(np.abs(new)) / np.median(np.abs(old)), *pair)
    print(f"\nmedian range error from 4 to 12 m, keypoints by monocular: {cell(ratio)}")


def _print_colours(boxes: Sequence[Boxes]) -> None:
    print("\n| range | boxes | detector | classifier | both | both - detector |")
    print("|---|---|---|---|---|---|")
    for low, high in ((0.0, 12.0), (12.0, 20.0)):
        ways = {w: within(boxes, low, high, right_colours(w)) for w in boxes[0].colours}
        gain = interval(lambda new, old: new.mean() - old.mean(), ways["both"], ways["detector"])
        cells = " | ".join(cell(interval(np.mean, values)) for values in ways.values())
        count = sum(map(len, ways["detector"]))
        print(f"| {low:.0f} to {high:.0f} m | {count} | {cells} | {cell(gain)} |")


def fit(frames: Sequence[Frame]) -> None:
    """Print scalars of the solver by likelihood, and the gain of the classifier."""
    scalars = SolverScalars()
    optimizer = torch.optim.Adam(scalars.parameters(), lr=FIT_RATE)
    usable = [frame for frame in frames if bool((frame.rows >= 0).any())]
    for step in range(FIT_STEPS):
        optimizer.zero_grad()
        loss = torch.stack([_surprise(frame, scalars) for frame in usable[step % 3 :: 3]]).mean()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = FIT_RATE * (1 - step / FIT_STEPS)
        optimizer.step()
        if step % 10 == 0:
            print(f"step {step}: {loss.item():.4f}", flush=True)
    print({name: float(f"{value:.3g}") for name, value in scalars.values().items()})
    print(f"classifier_gain {_fitted_gain(usable):.3g}")


def _surprise(frame: Frame, scalars: SolverScalars) -> Tensor:
    """Negative log likelihood of true positions; far outliers have a bounded pull."""
    found: ConePositions = solve_positions(
        frame.keypoints, frame.detections, frame.calibration, scalars()
    )
    kept = (frame.rows >= 0) & (frame.detections.logits.logsumexp(-1) > -1.5)
    error = (found.positions[kept] - frame.truth.positions[frame.rows[kept]].float())[..., None]
    covariances = found.covariances[kept]
    square = (error.mT @ torch.linalg.solve(covariances, error))[:, 0, 0]
    square = OUTLIER * torch.log1p(square / OUTLIER)
    return 0.5 * (square + torch.logdet(covariances)).sum() / max(1, int(kept.sum()))


def _fitted_gain(frames: Sequence[Frame]) -> float:
    """Gain of the classifier by the cross-entropy of the joined colours."""
    detector, classifier, classes = [], [], []
    for frame in frames:
        kept = (frame.rows >= 0) & (frame.detections.logits.logsumexp(-1) > -1.5)
        detector.append(frame.detections.logits[kept] / INITIAL_VALUES["colour_temperature"])
        classifier.append(frame.colours.logits[kept])
        classes.append(frame.truth.classes[frame.rows[kept]])
    known = torch.cat(classes) < 4
    first, second, true = (torch.cat(v)[known] for v in (detector, classifier, classes))

    def loss(gain: float) -> float:
        return float(torch.nn.functional.cross_entropy(first + gain * second, true))

    return float(minimize_scalar(loss, bounds=(0.01, 5.0), method="bounded").x)


def main() -> None:
    """Print the tables, or fitted scalars."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("drives", type=Path, nargs="+", help="bags with truth")
    parser.add_argument("--weights", type=Path, help="folder with weights of the networks")
    parser.add_argument("--fit", action="store_true", help="learn scalars instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    frames = read_frames(options.drives, options.weights)
    if options.fit:
        fit(frames)
    else:
        report(frames)


if __name__ == "__main__":
    main()
