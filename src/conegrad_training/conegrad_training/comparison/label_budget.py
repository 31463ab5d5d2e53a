"""What labels cost, and what a number of label values buys."""

from collections.abc import Sequence

from conegrad_core.cones import LABEL_VALUES_PER_CONE
from conegrad_core.losses import EndLossConfig
from conegrad_training.data.sample import Sample
from conegrad_training.engine.loop import counted_truth
from conegrad_training.supervised.supervised_losses import own_label_values, own_labels


def end_cost(sample: Sample, config: EndLossConfig) -> int:
    """Label values of a sample for the end loss, if nothing is known from another one."""
    return LABEL_VALUES_PER_CONE * int(counted_truth(sample.truth, config).sum())


def own_cost(sample: Sample) -> int:
    """Label values of a sample for the models' own losses."""
    return own_label_values(own_labels(sample), sample.scan.ranges)


def spread_evenly(count: int, total: int) -> list[int]:
    """Positions of ``count`` out of ``total`` samples, evenly spread."""
    return [place * total // count for place in range(count)]


def affordable(values: int, costs: Sequence[int]) -> list[int]:
    """The most samples, evenly spread, whose labels cost at most a number of values.

    Args:
        values: that may be spent.
        costs: label values of each sample.

    Returns:
        Positions of the samples; at least one, so that there is something to learn from.
    """
    total = len(costs)
    chosen = [0]
    for count in range(1, total + 1):
        positions = spread_evenly(count, total)
        if sum(costs[position] for position in positions) <= values:
            chosen = positions
    return chosen
