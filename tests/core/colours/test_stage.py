"""The colour classifier as a stage: its loss, and that it learns."""

import torch

from conegrad_core.camera.image import TrueBoxes
from conegrad_core.colours.stage import ColourStage, colour_losses
from conegrad_core.cones import ConeClass
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import windows_around
from conegrad_core.crops.network_stage import CropNetworkConfig

BOXES = torch.tensor([[100.0 * row, 50.0, 100.0 * row + 20, 90.0] for row in range(4)])
WINDOWS = windows_around(BOXES)


def test_the_loss_is_the_cross_entropy_of_the_true_colour():
    logits = torch.log(torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1]]))
    truth = TrueBoxes(BOXES[:2], torch.tensor([0, 2]))
    losses = colour_losses(logits, WINDOWS[:2], truth)
    torch.testing.assert_close(losses, -torch.log(torch.tensor([0.7, 0.2])))


def test_unknown_colours_and_crops_of_no_cone_do_not_count():
    truth = TrueBoxes(BOXES[:2], torch.tensor([ConeClass.UNKNOWN, ConeClass.BLUE]))
    assert len(colour_losses(torch.zeros(4, 4), WINDOWS, truth)) == 1


def test_without_a_cone_the_loss_is_zero():
    stage = ColourStage(CropNetworkConfig())
    none = TrueBoxes(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    samples = [
        Crops(torch.rand(2, 3, 40, 40), WINDOWS[:2]),
        Crops(torch.zeros(0, 3, 40, 40), WINDOWS[:0]),
    ]
    loss = stage.supervised_loss({"crops": samples}, {"cone_colours": [none, none]}, [])
    loss["cone_colours"].backward()
    assert loss["cone_colours"] == 0


def test_a_label_costs_one_value_per_cone_of_known_colour():
    truth = TrueBoxes(BOXES[:3], torch.tensor([0, ConeClass.UNKNOWN, 3]))
    assert ColourStage(CropNetworkConfig()).label_values({"cone_colours": truth}, {}) == 2


def test_learns_colours():
    torch.manual_seed(0)
    stage = ColourStage(CropNetworkConfig())
    hues = torch.tensor([[0.1, 0.2, 0.8], [0.9, 0.9, 0.1], [0.9, 0.4, 0.1], [0.9, 0.4, 0.1]])
    pictures = torch.full((4, 3, 40, 40), 0.4)
    for row, hue in enumerate(hues):
        pictures[row, :, 10:30, 12:28] = hue[:, None, None]
    pictures[3, :, 16:20, 12:28] = 1.0  # the stripe of a big cone
    inputs = {"crops": [Crops(pictures, WINDOWS)]}
    labels = {"cone_colours": [TrueBoxes(BOXES, torch.arange(4))]}
    optimizer = torch.optim.AdamW(stage.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        stage.supervised_loss(inputs, labels, [])["cone_colours"].backward()
        optimizer.step()
    (found,) = stage(inputs, [])["colours"]
    assert found.logits.argmax(dim=-1).tolist() == [0, 1, 2, 3]
