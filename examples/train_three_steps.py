"""Three training steps on a bag: the end loss of the cones updates all stages that learn.

    conegrad simulate -o drive --track random --seed 7 --seconds 5
    python examples/train_three_steps.py drive
    python examples/train_three_steps.py drive examples/own_pipeline/exposure_camera_lidar.yaml

`conegrad train` does the same with checkpoints, metrics, tracking and resuming.
"""

import sys
from pathlib import Path

from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.build import DEFAULT
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import load_system
from conegrad_training.systems.system_config import SystemConfig


def main(bag: Path, pipeline: str = DEFAULT, steps: int = 3, batch: int = 2) -> list[float]:
    """Train; returns the sum of the terms of each step."""
    system = load_system(SystemConfig(pipeline=pipeline))
    samples = BagReplay(bag)
    batches = [[samples[step * batch + i] for i in range(batch)] for step in range(steps)]
    reports = train(
        system,
        batches,
        make_pattern(PatternConfig(pattern="simultaneous"), system),
        EndLoss(),
        make_optimizer(system, OptimizerConfig()),
        cost=TrainingCost(),
    )
    totals = []
    for report in reports:
        totals.append(sum(report.losses.values()))
        terms = ", ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
        print(f"step {report.step}: {terms}")
    samples.close()
    return totals


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
