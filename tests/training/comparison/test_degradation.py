from collections.abc import Callable

import pytest
import torch

from conegrad_core.camera.head import raw_detections
from conegrad_training.comparison.degradation import disturb, silence, weaken
from conegrad_training.systems.system import TrainableSystem

NewSystem = Callable[[], TrainableSystem]


@torch.no_grad()
def spoken(system: TrainableSystem) -> dict[str, torch.Tensor]:
    """Everything the networks say about one input."""
    generator = torch.Generator().manual_seed(3)
    raw = raw_detections(system.network.eval(), torch.rand(1, 3, 64, 96, generator=generator))
    ranges = 1 + 10 * torch.rand(1, 40, generator=generator)
    beams = system.perception.segmenter.network.eval()(ranges, torch.tensor(0.01))
    return {"boxes": raw.boxes_xyxy, "camera": raw.logits, "lidar": beams}


@pytest.mark.parametrize(("part", "by"), [("camera", 6.0), ("lidar", 10.0)])
def test_a_silenced_network_lowers_every_logit_and_nothing_else(
    new_system: NewSystem, part: str, by: float
):
    before, after = new_system(), new_system()
    silence(after, part, by)
    was, now = spoken(before), spoken(after)
    torch.testing.assert_close(now.pop(part), was.pop(part) - by)
    for name, values in now.items():
        assert torch.equal(values, was[name])


def test_a_disturbance_is_that_of_its_seed_and_strength(new_system: NewSystem):
    start, one, same, other = (new_system() for _ in range(4))
    for system, seed in ((one, 1), (same, 1), (other, 2)):
        disturb(system, "camera", 0.2, seed)
    changes = []
    for a, b, c, d in zip(
        *(system.parts["camera"].parameters() for system in (start, one, same, other)), strict=True
    ):
        assert torch.equal(b, c)
        if a.dim() > 1:
            assert not torch.equal(b, d)
            changes.append(float((b - a).std() / a.std()))
        else:
            assert torch.equal(a, b)
    assert sum(changes) / len(changes) == pytest.approx(0.2, rel=0.05)
    for a, b in zip(
        start.parts["lidar"].parameters(), one.parts["lidar"].parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_names_what_cannot_be_weakened(system: TrainableSystem):
    with pytest.raises(ValueError, match="how is 'forget', expected one of"):
        weaken(system, {"how": "forget"})
    with pytest.raises(ValueError, match="part is 'fusion', expected 'camera' or 'lidar'"):
        weaken(system, {"how": "silence", "part": "fusion", "by": 1.0})
