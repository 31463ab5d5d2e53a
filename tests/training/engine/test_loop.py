import copy
from collections.abc import Callable, Sequence

import pytest
import torch
from car_stages import STAGES

from conegrad_core.losses import EndLoss
from conegrad_data.errors import ReplayError, TrainingError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.loop import StepReport, counted_cones, train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem

NetworkState = dict[str, torch.Tensor]


def run(
    system: TrainableSystem,
    batches: Sequence[Sequence[Sample]],
    pattern: str = "simultaneous",
    cost: TrainingCost | None = None,
    *,
    adapt_statistics: bool = False,
    stages: tuple[str, ...] = (),
    **settings: tuple[str, ...],
) -> list[StepReport]:
    """Train on each batch once."""
    return list(
        train(
            system,
            batches,
            make_pattern(PatternConfig(pattern, stages), system),
            EndLoss(),
            make_optimizer(system, OptimizerConfig(**settings)),
            cost=cost or TrainingCost(),
            adapt_statistics=adapt_statistics,
        )
    )


def states(system: TrainableSystem) -> dict[str, NetworkState]:
    return {part: copy.deepcopy(module.state_dict()) for part, module in system.stages.items()}


def changed(before: dict[str, NetworkState], after: dict[str, NetworkState]) -> set[str]:
    """Stages of which any bit is another one."""
    return {
        part
        for part in STAGES
        if any(not torch.equal(before[part][name], after[part][name]) for name in before[part])
    }


@pytest.mark.parametrize(
    ("pattern", "learned"),
    [
        ("partial detector", {"detector", "fuser"}),
        ("partial segmenter", {"segmenter", "fuser"}),
        ("simultaneous", {"detector", "segmenter", "fuser"}),
        ("fusion_only", {"fuser"}),
        ("statistics_only", {"detector", "segmenter"}),
    ],
)
@pytest.mark.parametrize("adapt_statistics", [False, True])
def test_frozen_parts_stay_bit_identical(
    system: TrainableSystem,
    replay: BagReplay,
    pattern: str,
    learned: set[str],
    adapt_statistics: bool,
):
    before = states(system)
    batches = [[replay[0], replay[1]], [replay[2], replay[3]]]
    name, *stages = pattern.split()
    run(system, batches, name, stages=tuple(stages), adapt_statistics=adapt_statistics)
    assert changed(before, states(system)) == learned


def test_statistics_stay_when_they_must_not_adapt(system: TrainableSystem, replay: BagReplay):
    before = [buffer.clone() for buffer in system.buffers()]
    run(system, [[replay[0], replay[1]]])
    assert all(torch.equal(a, b) for a, b in zip(before, system.buffers(), strict=True))


def test_only_statistics_change_without_labels(system: TrainableSystem, replay: BagReplay):
    before, cost = [weight.clone() for weight in system.parameters()], TrainingCost()
    run(system, [[replay[0], replay[1]]], "statistics_only", cost)
    assert all(torch.equal(a, b) for a, b in zip(before, system.parameters(), strict=True))
    assert cost.label_values == 0
    assert cost.backward == {}


def test_training_lowers_the_end_loss(system: TrainableSystem, replay: BagReplay):
    batch = [replay[0], replay[4]]
    reports = run(system, [batch] * 12, rates=("detector=1e-3", "segmenter=3e-3"))
    losses = [sum(report.losses.values()) for report in reports]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


@pytest.mark.parametrize("adapt_statistics", [False, True])
def test_alternating_moves_one_network_at_a_time(
    system: TrainableSystem, replay: BagReplay, adapt_statistics: bool
):
    pattern = make_pattern(PatternConfig("alternating", learn_fusion=False), system)
    steps = train(
        system,
        [[replay[0], replay[1]]] * 3,
        pattern,
        EndLoss(),
        make_optimizer(system, OptimizerConfig()),
        cost=TrainingCost(),
        adapt_statistics=adapt_statistics,
    )
    for expected in ({"detector"}, {"segmenter"}, {"detector"}):
        before = states(system)
        next(steps)
        assert changed(before, states(system)) == expected


def test_individual_training_lowers_the_supervised_loss_of_each_stage(
    system: TrainableSystem, labelled: list[Sample]
):
    before, cost = states(system), TrainingCost()
    reports = run(
        system,
        [labelled] * 30,
        "individual",
        cost,
        rates=("detector=2e-3", "segmenter=3e-3"),
        adapt_statistics=True,
    )
    assert changed(before, states(system)) == {"detector", "segmenter"}
    # At first no box fits any cone, so the detector's loss is low until some do.
    detector = [r.losses["box"] + r.losses["class"] + r.losses["distribution"] for r in reports]
    assert detector[-1] < 0.7 * max(detector)
    assert reports[-1].losses["beams"] < 0.2 * reports[0].losses["beams"]
    boxes = sum(len(sample.labels["boxes"].classes) for sample in labelled if sample.labels)
    returns = sum(int(sample.inputs["scan"].ranges.isfinite().sum()) for sample in labelled)
    assert cost.label_values == 5 * boxes + returns
    assert cost.forward == {"detector": 90, "segmenter": 90}


def test_individual_training_needs_labels(system: TrainableSystem, replay: BagReplay):
    with pytest.raises(ReplayError, match="has no labels boxes for the stage detector"):
        run(system, [[replay[0]]], "individual")


def test_the_budget_counts_three_values_per_cone_that_the_loss_sees(
    system: TrainableSystem, replay: BagReplay
):
    cost = TrainingCost()
    run(system, [[replay[0], replay[1]], [replay[1], replay[0]]], cost=cost)
    truths = [replay[place].truth for place in (0, 1)]
    # Seen by some sensor, 1.5 to 15 m away, within 2.36 rad of the x axis.
    cones = 0
    for truth in truths:
        distance = truth.positions.norm(dim=-1)
        angle = torch.atan2(truth.positions[:, 1], truth.positions[:, 0]).abs()
        seen = truth.visible_camera | truth.visible_lidar
        cones += int((seen & (distance >= 1.5) & (distance <= 15) & (angle <= 2.36)).sum())
    assert cones > 4
    assert cost.label_values == 3 * cones
    assert sum(counted_cones(replay[place].truth, EndLoss()) for place in (0, 1)) == cones
    assert cost.steps == 2
    assert cost.backward == {"detector": 4, "segmenter": 4, "fuser": 4}
    assert cost.seconds > 0


def spoilt(sample: Sample, field: str) -> Sample:
    """The sample with a value that is not a number."""
    if field == "truth":
        truth = sample.truth
        return sample._replace(truth=truth._replace(positions=truth.positions * torch.nan))
    if field == "motion":
        motion = torch.full((4, 4), torch.nan)
        return sample._replace(context=sample.context._replace(motion=motion))
    camera = sample.context.calibration.camera
    calibration = sample.context.calibration._replace(
        camera=camera._replace(intrinsics=camera.intrinsics * torch.nan)
    )
    return sample._replace(context=sample.context._replace(calibration=calibration))


@pytest.mark.parametrize("adapt_statistics", [False, True])
@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("truth", "drive, frame 3 .*an input of the term position is not finite"),
        ("motion", "drive, frame 3 .*camera is nan m above the ground"),
        ("calibration", r"drive, frame 3 .*intrinsics are \[\[nan"),
    ],
)
def test_a_sample_that_is_not_finite_is_refused_by_name(
    system: TrainableSystem, replay: BagReplay, adapt_statistics: bool, field: str, message: str
):
    before = states(system)
    bad = spoilt(replay[3], field)
    with pytest.raises(TrainingError, match=message):
        run(system, [[replay[0], bad]], adapt_statistics=adapt_statistics)
    assert changed(before, states(system)) == set()


def test_a_weight_that_is_not_finite_is_refused(system: TrainableSystem, replay: BagReplay):
    with torch.no_grad():
        next(system.stages["segmenter"].module.parameters())[0] = torch.nan
    with pytest.raises(TrainingError, match=r"drive, frame 1 .*not finite"):
        run(system, [[replay[1]]])


def test_a_gradient_that_is_not_finite_is_refused_by_name(
    system: TrainableSystem, replay: BagReplay, monkeypatch: pytest.MonkeyPatch
):
    class Spoilt(EndLoss):
        """A loss with a finite value whose gradient in the frame at hand is infinite."""

        def forward(self, cones, truth):
            terms = super().forward(cones, truth)
            if truth.positions is bad.truth.positions:
                zero = (terms["colour"] - terms["colour"].detach()).abs()
                terms["colour"] = terms["colour"].detach() + zero.sqrt()
            return terms

    bad = replay[2]
    before = states(system)
    steps = train(
        system,
        [[replay[0], bad]],
        make_pattern(PatternConfig(), system),
        Spoilt(),
        make_optimizer(system, OptimizerConfig()),
        cost=TrainingCost(),
        adapt_statistics=True,
    )
    with pytest.raises(TrainingError, match=r"drive, frame 2 .*term colour.*not finite"):
        next(steps)
    assert changed(before, states(system)) == set()


def test_the_same_seed_gives_the_same_weights(
    new_system: Callable[[], TrainableSystem], replay: BagReplay
):
    first, second = new_system(), new_system()
    for one in (first, second):
        run(one, [[replay[0], replay[1]], [replay[2], replay[3]]], adapt_statistics=True)
    assert changed(states(first), states(second)) == set()
