import pytest
import torch

from conegrad_core.losses import beam_loss
from conegrad_data.errors import ReplayError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.supervised.supervised_losses import (
    check_labels,
    label_values,
    supervised_losses,
)
from conegrad_training.systems.system import TrainableSystem

TERMS = ["box", "class", "distribution", "beams"]


def test_each_stage_gives_its_terms_and_no_other(system: TrainableSystem, labelled: list[Sample]):
    both = supervised_losses(system, labelled, {"detector", "segmenter"})
    assert list(both) == TERMS
    assert list(supervised_losses(system, labelled, {"segmenter"})) == ["beams"]
    assert list(supervised_losses(system, labelled, {"detector"})) == TERMS[:3]
    assert supervised_losses(system, labelled, ()) == {}


def test_the_loss_of_the_beams_is_the_mean_over_the_samples(
    system: TrainableSystem, labelled: list[Sample]
):
    found = supervised_losses(system, labelled, {"segmenter"})["beams"]
    scans = system.outputs(labelled, ["segmenter"])["segmentation"]
    expected = [
        beam_loss(scan.logits, sample.labels["beams"], scan.ranges)
        for scan, sample in zip(scans, labelled, strict=True)
        if sample.labels
    ]
    torch.testing.assert_close(found, torch.stack(expected).mean())


def test_a_loss_reaches_its_stage_alone(system: TrainableSystem, labelled: list[Sample]):
    system.train_only(["detector", "segmenter"])
    supervised_losses(system, labelled[:1], {"segmenter"})["beams"].backward()
    assert all(weight.grad is None for weight in system.stages["detector"].parameters())
    gradients = [weight.grad for weight in system.stages["segmenter"].parameters()]
    assert sum(float(g.abs().sum()) for g in gradients if g is not None) > 0


def test_labels_cost_five_values_per_box_and_one_per_beam_with_a_return(
    system: TrainableSystem, labelled: list[Sample]
):
    sample = labelled[0]
    assert sample.labels is not None
    boxes = len(sample.labels["boxes"].classes)
    assert boxes > 0
    assert label_values(system, "detector", sample) == 5 * boxes
    returns = int(sample.inputs["scan"].ranges.isfinite().sum())
    assert label_values(system, "segmenter", sample) == returns


def test_a_sample_without_labels_is_refused_by_name(system: TrainableSystem, replay: BagReplay):
    with pytest.raises(ReplayError, match=r"drive, frame 2 .*no labels boxes for the stage detec"):
        check_labels(system, replay[2], ("detector", "segmenter"))
    some = replay[2]._replace(labels={"boxes": None})
    with pytest.raises(ReplayError, match="has no labels beams for the stage segmenter"):
        check_labels(system, some, ("detector", "segmenter"))
