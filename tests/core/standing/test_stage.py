"""The network of standing cones as a stage: its loss, and that it learns."""

import torch

from conegrad_core.camera.image import TrueStanding
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import windows_around
from conegrad_core.crops.network_stage import CropNetworkConfig
from conegrad_core.pipeline.ports import STANDING
from conegrad_core.standing.stage import StandingStage, standing_losses

BOXES = torch.tensor([[100.0 * row, 50.0, 100.0 * row + 20, 90.0] for row in range(4)])
WINDOWS = windows_around(BOXES)
STANDS = torch.tensor([True, False, True, False])


def test_the_loss_is_the_cross_entropy_of_the_attitude():
    logits = torch.logit(torch.tensor([0.7, 0.2]))
    losses = standing_losses(logits, WINDOWS[:2], TrueStanding(BOXES[:2], STANDS[:2]))
    torch.testing.assert_close(losses, -torch.log(torch.tensor([0.7, 0.8])))


def test_crops_of_no_cone_do_not_count():
    assert len(standing_losses(torch.zeros(4), WINDOWS, TrueStanding(BOXES[:1], STANDS[:1]))) == 1


def test_without_a_cone_the_loss_is_zero():
    stage = StandingStage(CropNetworkConfig())
    none = TrueStanding(torch.zeros(0, 4), torch.zeros(0, dtype=torch.bool))
    samples = [
        Crops(torch.rand(2, 3, 40, 40), WINDOWS[:2]),
        Crops(torch.zeros(0, 3, 40, 40), WINDOWS[:0]),
    ]
    loss = stage.supervised_loss({"crops": samples}, {"stands": [none, none]}, [])
    loss["stands"].backward()
    assert loss["stands"] == 0
    for value in stage({"crops": samples}, [])["standing"]:
        STANDING.check(value)


def test_a_label_costs_one_value_per_cone():
    truth = TrueStanding(BOXES, STANDS)
    assert StandingStage(CropNetworkConfig()).label_values({"stands": truth}, {}) == 4


def test_learns_from_upright_and_flat_pictures():
    torch.manual_seed(0)
    stage = StandingStage(CropNetworkConfig())
    pictures = torch.full((4, 3, 40, 40), 0.4)
    for row, stands in enumerate(STANDS):
        bar = torch.full((3, 30, 12), 0.9)
        if stands:
            pictures[row, :, 5:35, 14:26] = bar
        else:
            pictures[row, :, 14:26, 5:35] = bar.mT
    inputs = {"crops": [Crops(pictures.requires_grad_(), WINDOWS)]}
    labels = {"stands": [TrueStanding(BOXES, STANDS)]}
    optimizer = torch.optim.AdamW(stage.parameters(), lr=3e-3)
    for _ in range(80):
        optimizer.zero_grad()
        stage.supervised_loss(inputs, labels, [])["stands"].backward()
        optimizer.step()
    assert pictures.grad is not None
    assert pictures.grad.abs().sum() > 0
    (found,) = stage(inputs, [])["standing"]
    assert (found.logits > 0).tolist() == STANDS.tolist()
