import pytest
import torch

from conegrad_core.losses import EndLoss
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.patterns.attributed_turns import AttributedTurns, network_costs
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.patterns.update import END
from conegrad_training.systems.system import TrainableSystem


def turns(pattern: AttributedTurns, steps: int) -> list[str]:
    names = []
    for step in range(steps):
        update = pattern.update(step)
        assert update.loss == END
        names += sorted(update.stages)
        pattern.observe(step, {})
    return names


def test_networks_take_turns_until_something_is_known():
    pattern = AttributedTurns(("a", "b"), block=1, every=10, along=frozenset())
    assert turns(pattern, 4) == ["a", "b", "a", "b"]


def test_a_network_has_as_many_turns_as_its_share_of_the_cost():
    pattern = AttributedTurns(("a", "b"), block=1, every=10, along=frozenset())
    pattern.take({"a": 0.1, "b": 0.7})
    names = turns(pattern, 101)[1:]  # the first one was chosen before
    assert names.count("b") == pytest.approx(80, abs=1)  # 0.1 + 0.8 * 7 / 8


def test_a_network_that_costs_nothing_keeps_every_tenth_turn():
    pattern = AttributedTurns(("a", "b"), block=1, every=10, along=frozenset())
    pattern.take({"a": -0.2, "b": 0.7})
    assert turns(pattern, 101)[1:].count("a") == pytest.approx(10, abs=1)


def test_goes_on_from_a_checkpoint_as_without_one():
    whole, first = (AttributedTurns(("a", "b", "c"), 2, 10, frozenset()) for _ in range(2))
    for pattern in (whole, first):
        pattern.take({"a": 0.5, "b": 0.1, "c": 0.3})
        turns(pattern, 7)
    resumed = AttributedTurns(("a", "b", "c"), 2, 10, frozenset())
    resumed.load_state_dict(first.state_dict())
    assert [resumed.update(0).stages] == [whole.update(0).stages]
    assert turns(resumed, 9) == turns(whole, 9)


def test_costs_are_measured_on_a_batch_and_leave_the_system_as_it_is(
    system: TrainableSystem, labelled: list[Sample]
):
    pattern = make_pattern(PatternConfig("alternating", schedule="attribution"), system)
    system.train_only({"detector"}, adapt_statistics=True, waits={"segmenter"})
    before = {name: value.clone() for name, value in system.state_dict().items()}
    costs = network_costs(system, labelled, EndLoss())
    assert costs.keys() == {"detector", "segmenter"}
    assert sum(costs.values()) > 0
    assert all(torch.equal(before[name], value) for name, value in system.state_dict().items())
    pattern.observe_samples(0, system, labelled, EndLoss())
    assert sum(pattern.shares().values()) == pytest.approx(1.0)
