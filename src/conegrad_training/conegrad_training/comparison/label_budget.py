"""Label values of samples, and the samples that a label budget pays for.

The label budget of a run is a number of label values: the numbers that people write down to
label data (3 per cone, 5 per box, 1 per beam).
"""

from collections.abc import Sequence

from conegrad_core.cones import LABEL_VALUES_PER_CONE, TrueCones
from conegrad_core.losses import EndLossConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.loop import counted_truth
from conegrad_training.supervised.supervised_losses import label_values
from conegrad_training.systems.system import TrainableSystem


def end_label_values(truth: TrueCones, config: EndLossConfig) -> int:
    """Label values of a sample for the end loss; cones labelled in other samples count again."""
    return LABEL_VALUES_PER_CONE * int(counted_truth(truth, config).sum())


def supervised_label_values(sample: Sample, system: TrainableSystem) -> int:
    """Label values of a sample for the supervised losses of all stages."""
    return sum(label_values(system, stage, sample) for stage in system.supervised_stages)


def evenly_spaced(count: int, total: int) -> list[int]:
    """Positions of ``count`` out of ``total`` samples at even spacing."""
    return [place * total // count for place in range(count)]


def samples_within_budget(budget: int, label_values: Sequence[int]) -> list[int]:
    """The largest evenly spaced set of samples whose label values stay within a budget.

    Args:
        budget: label values that may be spent.
        label_values: of each sample.

    Returns:
        Positions of the samples; at least one, so that a run has data to train on.
    """
    total = len(label_values)
    selected = [0]
    for count in range(1, total + 1):
        positions = evenly_spaced(count, total)
        if sum(label_values[position] for position in positions) <= budget:
            selected = positions
    return selected
