"""Train the network that tells standing from fallen cones, from simulated drives.

    scripts/run.sh python scripts/train_standing.py -o FOLDER

Crops are those of the true boxes, moved and scaled a little as a detector's are. Every drive has a
track and a weather of its own, and many of its cones have fallen over. Writes
``standing_cnn.safetensors`` and prints accuracy and AUROC on drives that were not learned from.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from conegrad_core.crops.cutting import cut_crops
from conegrad_core.crops.network_stage import CropNetworkConfig
from conegrad_core.standing.stage import StandingStage
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.standing_metric import auroc
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import Domain
from conegrad_simulation.scene.world import PRESETS

FALLEN = 0.4  # share of the cones that have fallen over
FIRST_SEED, UNSEEN_SEED = 5_000_000, 5_500_000  # of tracks; those of comparisons differ
JITTER = 0.08  # of edges of boxes, as a share of their sizes


def crops_of(first_seed: int, drives: int, frames: int, rng: torch.Generator) -> tuple[Tensor, ...]:
    """Pictures ``(N, 3, S, S)`` and ``(N,)`` whether each cone stands, of all weathers."""
    pictures, stands = [], []
    vehicle, weathers = load_vehicle("formula_student"), list(PRESETS.values())
    for drive in range(drives):
        world = dataclasses.replace(weathers[drive % len(weathers)], fallen=FALLEN)
        made = DriveFrames(vehicle, Domain(world), first_seed + drive, frames, (640, 360))
        for index in range(frames):
            sample = made.frame(index).sample
            boxes = torch.from_numpy(sample.boxes_xyxy)
            sizes = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
            moved = boxes + JITTER * sizes * torch.randn(boxes.shape, generator=rng)
            pictures.append(cut_crops(sample.image, moved).pictures)
            stands.append(torch.from_numpy(sample.stands))
    return torch.cat(pictures), torch.cat(stands)


def train(stage: StandingStage, data: Iterable[Tensor], steps: int, rng: torch.Generator) -> None:
    """Learn from random batches of as many fallen as standing cones, half of them mirrored."""
    pictures, stands = data
    optimizer = torch.optim.AdamW(stage.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    kinds = [stands.nonzero()[:, 0], (~stands).nonzero()[:, 0]]
    for _ in range(steps):
        rows = torch.cat([k[torch.randint(len(k), (32,), generator=rng)] for k in kinds])
        batch = pictures[rows] * (0.7 + 0.6 * torch.rand(64, 1, 1, 1, generator=rng))
        batch[::2] = batch[::2].flip(-1)
        (logits,) = stage.module(batch.clamp(0, 1))
        loss = binary_cross_entropy_with_logits(logits, stands[rows].float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def main() -> None:
    """Render, learn, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--drives", type=int, default=16)
    parser.add_argument("--frames", type=int, default=15, help="of each drive")
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = torch.Generator().manual_seed(1)
    stage = StandingStage(CropNetworkConfig())
    data = crops_of(FIRST_SEED, options.drives, options.frames, rng)
    train(stage, data, options.steps, rng)
    pictures, stands = crops_of(UNSEEN_SEED, options.drives // 2, options.frames, rng)
    with torch.no_grad():
        (logits,) = stage.module(pictures)
    right = (logits > 0) == stands
    card = {
        "crops": len(data[1]),
        "fallen": int((~data[1]).sum()),
        "unseen_crops": len(stands),
        "unseen_fallen": int((~stands).sum()),
        "accuracy_standing": round(float(right[stands].float().mean()), 4),
        "accuracy_fallen": round(float(right[~stands].float().mean()), 4),
        "auroc": round(auroc(logits.numpy(), stands.numpy()), 4),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    stage.save(options.output / StandingStage.weights_file)
    print(json.dumps(card))


if __name__ == "__main__":
    main()
