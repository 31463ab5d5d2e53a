from collections.abc import Callable

import pytest
import torch

from conegrad_core.camera.head import raw_detections
from conegrad_training.comparison.degradation import add_weight_noise, degrade, lower_logits
from conegrad_training.systems.system import TrainableSystem

NewSystem = Callable[[], TrainableSystem]


@torch.no_grad()
def outputs_of(system: TrainableSystem) -> dict[str, torch.Tensor]:
    """All network outputs for one input."""
    generator = torch.Generator().manual_seed(3)
    raw = raw_detections(
        system.stages["detector"].module.engine.network.eval(),
        torch.rand(1, 3, 64, 96, generator=generator),
    )
    ranges = 1 + 10 * torch.rand(1, 40, generator=generator)
    beams = system.stages["segmenter"].module.network.eval()(ranges, torch.tensor(0.01))
    return {"boxes": raw.boxes_xyxy, "detector": raw.logits, "segmenter": beams}


@pytest.mark.parametrize(("stage", "amount"), [("detector", 6.0), ("segmenter", 10.0)])
def test_lowers_every_logit_of_one_network_and_nothing_else(
    new_system: NewSystem, stage: str, amount: float
):
    before, after = new_system(), new_system()
    lower_logits(after, stage, amount)
    was, now = outputs_of(before), outputs_of(after)
    torch.testing.assert_close(now.pop(stage), was.pop(stage) - amount)
    for name, values in now.items():
        assert torch.equal(values, was[name])


def test_weight_noise_depends_on_seed_and_strength(new_system: NewSystem):
    start, one, same, other = (new_system() for _ in range(4))
    for system, seed in ((one, 1), (same, 1), (other, 2)):
        add_weight_noise(system, "detector", 0.2, seed)
    changes = []
    for a, b, c, d in zip(
        *(system.stages["detector"].parameters() for system in (start, one, same, other)),
        strict=True,
    ):
        assert torch.equal(b, c)
        if a.dim() > 1:
            assert not torch.equal(b, d)
            changes.append(float((b - a).std() / a.std()))
        else:
            assert torch.equal(a, b)
    assert sum(changes) / len(changes) == pytest.approx(0.2, rel=0.05)
    for a, b in zip(
        start.stages["segmenter"].parameters(), one.stages["segmenter"].parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_an_unknown_degradation_or_stage_is_named(system: TrainableSystem):
    with pytest.raises(ValueError, match="kind is 'forget', expected one of"):
        degrade(system, {"kind": "forget"})
    with pytest.raises(ValueError, match="stage is 'fuser', expected a detector or a segmenter"):
        degrade(system, {"kind": "lower_logits", "stage": "fuser", "amount": 1.0})
