"""What the trainings would cost that a forecast replaces."""

from collections.abc import Collection, Mapping

from conegrad_training.engine.training_run import RunConfig


def training_seconds(
    learning: Collection[str],
    run: RunConfig,
    step_seconds: float,
    stage_seconds: Mapping[str, float],
) -> float:
    """Time of the steps of a training in which some stages learn; without its evaluations.

    Forward every stage runs. Backward, a stage that learns takes the more the longer its forward
    is; what all of them take together is known from steps in which all learn.

    Args:
        learning: stages that learn.
        run: steps and batch.
        step_seconds: of a step in which all learn [s].
        stage_seconds: forward time of each stage for a sample [s].
    """
    forward = sum(stage_seconds.values())
    backward = max(step_seconds / run.batch - forward, 0.0)
    share = sum(stage_seconds.get(name, 0.0) for name in learning) / max(forward, 1e-12)
    return run.steps * run.batch * (forward + share * backward)
