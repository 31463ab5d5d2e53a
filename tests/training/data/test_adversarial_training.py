"""Adversarial training: which samples are attacked, by what, and that every pattern learns."""

import numpy as np
import pytest
import torch

from conegrad_core.losses import EndLoss
from conegrad_core.settings import SettingError
from conegrad_evaluation.attacks.attacked import end_losses
from conegrad_training.data.adversarial_training import AdversarialConfig, AdversarialTraining
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern

CAR = ("Image", "Scan")
BOTH = ("image_pgd:8+scan_moved:0.1",)


def adversary(words=BOTH, share=1.0, kinds=CAR):
    config = AdversarialConfig(words, share, adversarial_steps=1, adversarial_tries=4)
    return AdversarialTraining(config, kinds, EndLoss(), seed=3)


def same(first, second):
    return np.array_equal(first.inputs["image"], second.inputs["image"])


def test_attacked_samples_have_a_larger_end_loss_and_stay_within_the_budgets(system, labelled):
    found = adversary().attacked(system, labelled, step=0)
    before, after = (end_losses(system, samples, EndLoss()) for samples in (labelled, found))
    assert float(after.sum()) > float(before.sum())
    for intact, changed in zip(labelled, found, strict=True):
        levels = changed.inputs["image"].astype(int) - intact.inputs["image"]
        assert 1 <= np.abs(levels).max() <= 8
        ranges = (changed.inputs["scan"].ranges - intact.inputs["scan"].ranges).abs()
        assert float(ranges.nan_to_num().max()) <= 0.1 + 1e-5


def test_a_share_of_the_samples_is_attacked_the_same_in_a_run_that_is_resumed(system, labelled):
    half = adversary(("image_pgd:8",), share=0.5)
    attacked = []
    for step in range(6):
        found = half.attacked(system, labelled[:1] * 4, step)
        attacked.append([not same(sample, labelled[0]) for sample in found])
    assert 6 <= np.sum(attacked) <= 18  # of 24
    again = adversary(("image_pgd:8",), share=0.5).attacked(system, labelled[:1] * 4, 2)
    assert [not same(sample, labelled[0]) for sample in again] == attacked[2]


def test_a_sample_without_the_value_that_is_attacked_stays(system, labelled):
    blind = labelled[0]._replace(inputs={**labelled[0].inputs, "image": None})
    (found,) = adversary().attacked(system, [blind], step=0)
    assert found is blind


@pytest.mark.parametrize(
    ("pattern", "stages"),
    [("individual", ()), ("partial", ("segmenter",)), ("simultaneous", ()), ("alternating", ())],
)
def test_every_pattern_learns_from_attacked_samples(system, labelled, pattern, stages):
    plain = PatternConfig(pattern, stages)
    losses = {}
    for name, attacks in (("intact", None), ("attacked", adversary(("scan_moved:0.3",)))):
        before = {key: value.clone() for key, value in system.state_dict().items()}
        optimizer = make_optimizer(system, OptimizerConfig())
        (report,) = train(
            system,
            [labelled[:1]],
            make_pattern(plain, system),
            EndLoss(),
            optimizer,
            cost=TrainingCost(),
            adversary=attacks,
        )
        losses[name] = report.losses
        after = system.state_dict()
        assert any(not torch.equal(value, after[key]) for key, value in before.items())
        system.load_state_dict(before)
    assert losses["attacked"] != losses["intact"]


def test_attacks_that_cannot_be_are_refused_by_name():
    with pytest.raises(SettingError, match="adversarial has 'scan_moved:x': attack is"):
        AdversarialConfig(("scan_moved:x",))
    with pytest.raises(SettingError, match="acts on Image; the pipeline has the inputs Scan"):
        adversary(("image_pgd:2",), kinds=("Scan",))
