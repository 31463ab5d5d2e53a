"""How well the domain monitor tells other conditions from those of the training.

``python benchmarks/domain_monitor.py FOLDER`` renders drives of one world, fits the monitor to some
of them, and compares the distances of held-out drives with those of the same drives at night, in
fog, with a dirty lens, and of another camera and LiDAR: the area under the ROC curve, and the share
of frames above the threshold. Statistics are kept in FOLDER, so that a run that was broken off
goes on.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from conegrad_core.domain_monitor.domain_model import DomainModel, fit_domain, smoothed
from conegrad_core.domain_monitor.domain_monitor import STATISTICS
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import Domain
from conegrad_simulation.scene.world import PRESETS
from conegrad_training.data.simulated_samples import sample_of_frame

Floats = npt.NDArray[np.float64]

FRAMES = 24  # of a drive
FITTED, HELD_OUT = range(7_000_001, 7_000_031), range(7_100_001, 7_100_013)  # seeds of drives
SIZE = (640, 360)  # [px]
FAULTS = {  # condition: disturbance, and the sensor that it changes
    "night": ("image_darkness:3", "Image"),
    "fog, camera": ("image_fog:2", "Image"),
    "fog, LiDAR": ("scan_fog:2", "Scan"),
    "rain, camera": ("image_rain:2", "Image"),
    "rain, LiDAR": ("scan_rain:2", "Scan"),
    "mud on the lens": ("image_mud:2", "Image"),
    "drops on the lens": ("image_drops:2", "Image"),
    "out of focus": ("image_defocus:2", "Image"),
    "crosstalk": ("scan_crosstalk:2", "Scan"),
    "noisy ranges": ("scan_range_noise:2", "Scan"),
}
WORLD, CAR = "clear", "formula_student"
PORTS = {"Image": "image", "Scan": "scan"}
OTHERS = range(7_200_001, 7_200_004)
PLACES = {
    "another car": (WORLD, "roboracer"),
    "dusk and rain": ("dusk_rain", CAR),
    "an indoor hall": ("indoor", CAR),
}


def rendered(seed: int, world: str, vehicle: str) -> Iterator[Sample]:
    """Frames of one drive in their order."""
    frames = DriveFrames(load_vehicle(vehicle), Domain(PRESETS[world]), seed, FRAMES, SIZE)
    for place in range(FRAMES):
        yield sample_of_frame(frames.frame(place), SampleKey(f"{seed}", place, place))


def statistics(folder: Path, seed: int, world: str, vehicle: str) -> dict[str, Floats]:
    """Statistics of a drive by kind, and of a held-out one under each fault by its name.

    They are read from the folder where they were computed before.
    """
    path = folder / f"{world}_{vehicle}_{seed}.npz"
    if not path.exists():
        faults = FAULTS if seed in HELD_OUT and (world, vehicle) == (WORLD, CAR) else {}
        found: dict[str, list[Floats]] = {name: [] for name in (*STATISTICS, *faults)}
        for sample in rendered(seed, world, vehicle):
            for kind, port in PORTS.items():
                found[kind].append(STATISTICS[kind][1](sample.inputs[port]))
            for name, (text, kind) in faults.items():
                changed = disturbed(sample, read_fault(text))
                found[name].append(STATISTICS[kind][1](changed.inputs[PORTS[kind]]))
        stacked: dict[str, Any] = {name: np.stack(rows) for name, rows in found.items()}
        np.savez(path, **stacked)
    with np.load(path) as stored:
        return dict(stored)


def scores(model: DomainModel, drives: Sequence[Floats]) -> Floats:
    """Smoothed distances of the frames of drives, each on its own."""
    return np.concatenate([smoothed(model.distances(drive)) for drive in drives])


def main() -> None:
    """Render, fit, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="keeps the statistics of drives")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    fitted = [statistics(folder, seed, WORLD, CAR) for seed in FITTED]
    held_out = [statistics(folder, seed, WORLD, CAR) for seed in HELD_OUT]
    models = {
        kind: fit_domain([drive[kind] for drive in fitted], names)
        for kind, (names, _) in STATISTICS.items()
    }
    inside = {
        kind: scores(model, [drive[kind] for drive in held_out]) for kind, model in models.items()
    }
    others = {
        f"{what} of {place}": (kind, [statistics(folder, seed, *place_of)[kind] for seed in OTHERS])
        for place, place_of in PLACES.items()
        for kind, what in (("Image", "camera"), ("Scan", "LiDAR"))
    }
    faults = {name: (kind, [d[name] for d in held_out]) for name, (_, kind) in FAULTS.items()}
    print("| condition | AUROC | share above the threshold |\n|---|---|---|")
    for kind, values in inside.items():
        above = (values > models[kind].threshold).mean()
        print(f"| held-out drives, {kind} | | {above:.3f} |")
    for name, (kind, drives) in {**faults, **others}.items():
        outside = scores(models[kind], drives)
        truth = np.repeat([0, 1], [len(inside[kind]), len(outside)])
        area = roc_auc_score(truth, np.concatenate([inside[kind], outside]))
        print(f"| {name} | {area:.3f} | {(outside > models[kind].threshold).mean():.3f} |")


if __name__ == "__main__":
    main()
