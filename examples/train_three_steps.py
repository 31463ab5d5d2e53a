"""Three training steps on a bag: the end loss of the fused cones updates both networks.

    conegrad simulate -o drive --track random --seed 7 --seconds 5
    python examples/train_three_steps.py drive

`conegrad train` does the same with checkpoints, metrics, tracking and resuming.
"""

import sys
from pathlib import Path

from conegrad_core.losses import EndLoss
from conegrad_training.data.replay import BagReplay
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import load_system


def main(bag: Path, steps: int = 3, batch: int = 2) -> list[float]:
    """Train; returns the sum of the terms of each step."""
    system = load_system()
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
    main(Path(sys.argv[1]))
