"""The end loss: values by hand, what is ignored, and that silence does not pay."""

import math

import pytest
import torch

from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.losses import EndLoss, EndLossConfig, beam_loss, match_cones

CAMERA, LIDAR, BOTH = 1, 2, 3


def cones(positions, logits=2.0, colour=ConeClass.BLUE, sigma=0.1, source=BOTH):
    positions = torch.as_tensor(positions).reshape(-1, 2).float()
    count = len(positions)
    colours = torch.full((count, 5), 0.05)
    colours[:, colour] = 0.8
    return Cones(
        positions,
        (sigma**2 * torch.eye(2)).repeat(count, 1, 1),
        colours,
        torch.as_tensor(logits).float().expand(count).clone(),
        torch.as_tensor(source).expand(count).clone(),
    )


def truth(positions, classes=ConeClass.BLUE, camera=True, lidar=True):
    positions = torch.as_tensor(positions).reshape(-1, 2).float()
    count = len(positions)
    return TrueCones(
        positions,
        torch.as_tensor(classes).expand(count),
        torch.as_tensor(camera).expand(count),
        torch.as_tensor(lidar).expand(count),
    )


def losses(found, true, **settings):
    return {name: float(v) for name, v in EndLoss(EndLossConfig(**settings))(found, true).items()}


def test_the_terms_of_one_cone_are_those_worked_out_by_hand():
    terms = losses(cones([[5.0, 0.1]]), truth([[5.0, 0.0]]))
    assert terms["position"] == pytest.approx(0.5 * 0.1**2 / 0.3, rel=1e-3)
    # 0.8 for blue and a quarter of the 0.05 unknown.
    assert terms["colour"] == pytest.approx(-0.5 * math.log(0.8125), rel=1e-5)
    assert terms["existence"] == pytest.approx(2.0 * math.log(1 + math.exp(-2.0)), rel=1e-5)
    # One standard deviation off: 1/2 (1 + log det) + log 2 pi; 1 % outliers anywhere in the gate.
    expected = 0.5 * (1 + math.log(0.01**2)) + math.log(2 * math.pi)
    mixed = -math.log(0.99 * math.exp(-expected) + 0.01 / (math.pi * 2.0**2))
    assert terms["covariance"] == pytest.approx(0.02 * mixed, rel=1e-4)
    alone = losses(cones([[5.0, 0.1]]), truth([[5.0, 0.0]]), outlier_share=0.0)
    assert alone["covariance"] == pytest.approx(0.02 * expected, rel=1e-4)


def test_far_errors_count_linearly():
    near, far = (losses(cones([[5.0, d]]), truth([[5.0, 0.0]]))["position"] for d in (0.6, 1.6))
    assert far - near == pytest.approx(1.0, rel=1e-5)


def test_terms_are_per_true_cone():
    one = losses(cones([[5.0, 0.1]]), truth([[5.0, 0.0]]))
    two = losses(cones([[5.0, 0.1], [9.0, 0.1]]), truth([[5.0, 0.0], [9.0, 0.0]]))
    assert two == pytest.approx(one, rel=1e-4)


def test_each_true_cone_is_matched_once_to_the_nearest():
    found = cones([[5.0, 0.5], [5.0, 0.1], [9.0, 0.0]])
    matching = match_cones(found, truth([[5.0, 0.0], [9.0, 0.0]]), EndLossConfig())
    assert dict(zip(matching.rows.tolist(), matching.truths.tolist(), strict=True)) == {1: 0, 2: 1}
    assert matching.evaluated.tolist() == [True, True, True]


def test_beyond_the_gate_nothing_matches():
    matching = match_cones(cones([[5.0, 2.1]]), truth([[5.0, 0.0]]), EndLossConfig(gate=2.0))
    assert len(matching.rows) == 0


def test_of_a_segment_and_its_box_the_segment_is_matched_though_it_is_doubted():
    found = cones([[5.0, 0.1], [5.0, 0.0]], logits=[-15.0, 3.0], source=[BOTH, CAMERA])
    matching = match_cones(found, truth([[5.0, 0.0]]), EndLossConfig())
    assert matching.rows.tolist() == [0]
    assert matching.evaluated.tolist() == [True, False]


def test_a_box_of_its_own_is_matched_rather_than_a_segment_far_off():
    found = cones([[5.0, 0.6], [5.0, 0.1]], logits=[-2.0, 3.0], source=[LIDAR, CAMERA])
    matching = match_cones(found, truth([[5.0, 0.0]]), EndLossConfig())
    assert matching.rows.tolist() == [1]
    assert matching.evaluated.tolist() == [True, True]


def test_silence_does_not_lower_the_loss():
    true = truth([[5.0, 1.0], [8.0, -1.0], [4.0, -1.0]])
    positions = [[5.0, 1.0], [8.0, -1.0], [4.0, -1.0], [6.0, 3.0]]
    honest = cones(positions, logits=[2.0, 1.0, 0.0, -1.0])
    total = sum(losses(honest, true).values())
    for silence in (-5.0, -10.0, -30.0):
        assert sum(losses(cones(positions, logits=silence), true).values()) > total + 5


def test_fleeing_beyond_the_gate_does_not_lower_the_loss():
    true = truth([[5.0, 0.0]])
    bad = losses(cones([[5.0, 1.9]], logits=-4.0), true)
    fled = losses(cones([[5.0, 3.0]], logits=-30.0), true)
    assert fled["position"] + fled["existence"] > bad["position"] + bad["existence"]


def test_false_cones_cost_existence():
    true = truth([[5.0, 0.0]])
    alone = losses(cones([[5.0, 0.0]]), true)["existence"]
    with_false = losses(cones([[5.0, 0.0], [8.0, 2.0]], logits=[2.0, 3.0]), true)["existence"]
    assert with_false - alone == pytest.approx(math.log(1 + math.exp(3.0)), rel=1e-4)


@pytest.mark.parametrize(
    "ignored",
    [
        pytest.param(truth([[8.0, 0.0]], camera=False, lidar=False), id="no sensor could see it"),
        pytest.param(truth([[30.0, 0.0]]), id="out of range"),
        pytest.param(truth([[-5.0, 0.5]]), id="out of view"),
    ],
)
def test_ignored_truth_costs_nothing_found_or_not(ignored):
    position = ignored.positions.clone()
    for found in (cones(position, logits=3.0), cones(position, logits=-3.0), cones([])):
        assert sum(losses(found, ignored).values()) == 0


def test_cones_at_the_border_of_the_region_are_not_judged():
    found = cones([[14.8, 0.0], [14.0, 0.0], [1.7, 0.0]])
    matching = match_cones(found, truth([[6.0, 0.0]]), EndLossConfig(max_range=15.0))
    assert matching.evaluated.tolist() == [False, True, False]


def test_an_unknown_true_colour_gives_no_colour_loss():
    found = cones([[5.0, 0.0]], colour=ConeClass.YELLOW)
    assert losses(found, truth([[5.0, 0.0]], ConeClass.UNKNOWN))["colour"] == 0
    assert losses(found, truth([[5.0, 0.0]], camera=False))["colour"] == 0
    assert losses(found, truth([[5.0, 0.0]]))["colour"] > 1


def test_unknown_colour_counts_as_any_colour():
    found = cones([[5.0, 0.0]])
    found = found._replace(colours=torch.tensor([[0.0, 0, 0, 0, 1]]))
    assert losses(found, truth([[5.0, 0.0]]))["colour"] == pytest.approx(0.5 * math.log(4))


def test_the_variance_of_the_truth_adds_to_that_of_the_cone():
    true = truth([[5.0, 0.0]])
    exact = losses(cones([[5.1, 0.0]], sigma=0.5), true)["covariance"]
    stated = true._replace(deviations=torch.tensor([0.3]))
    for found in (
        losses(cones([[5.1, 0.0]], sigma=0.4), stated),
        losses(cones([[5.1, 0.0]], sigma=0.4), true, truth_deviation=0.3),
    ):
        torch.testing.assert_close(found["covariance"], exact)


def test_covariances_are_trained_and_positions_not_by_their_term():
    found = cones([[5.0, 0.1]])
    positions = found.positions.clone().requires_grad_()
    covariances = found.covariances.clone().requires_grad_()
    found = found._replace(positions=positions, covariances=covariances)
    EndLoss()(found, truth([[5.0, 0.0]]))["covariance"].backward()
    assert positions.grad is None or not positions.grad.any()
    assert covariances.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("found", "true"),
    [
        pytest.param(cones([]), truth([]), id="nothing at all"),
        pytest.param(cones([]), truth([[5.0, 0.0]]), id="nothing found"),
        pytest.param(cones([[5.0, 0.0]]), truth([]), id="nothing true"),
    ],
)
def test_empty_frames_give_finite_losses(found, true):
    terms = losses(found, true)
    assert all(math.isfinite(value) for value in terms.values())
    assert (terms["position"] > 0) == (len(true.positions) > 0)


def test_passes_gradients():
    true = truth([[5.0, 0.0], [8.0, 1.0]], torch.tensor([0, 1]))
    found = cones([[5.1, 0.1], [8.0, 1.3], [6.0, -2.0]], logits=[1.0, -1.0, 0.5])

    def terms(positions, covariances, colours, existence):
        filled = Cones(positions, covariances, colours, existence, found.source)
        return tuple(EndLoss()(filled, true).values())[:3]

    inputs = [tensor.double().requires_grad_() for tensor in found[:4]]
    true = true._replace(positions=true.positions.double())
    assert torch.autograd.gradcheck(terms, inputs)


def test_beams_without_a_return_are_masked():
    logits = torch.tensor([[0.0, 5.0, -5.0]], requires_grad=True)
    ranges = torch.tensor([[3.0, torch.nan, torch.inf]])
    loss = beam_loss(logits, torch.tensor([[True, False, True]]), ranges, cone_weight=2.0)
    loss.backward()
    assert loss.item() == pytest.approx(2 * math.log(2))
    assert logits.grad.tolist() == [[-1.0, 0.0, 0.0]]


def test_a_scan_without_returns_has_no_beam_loss():
    empty = torch.full((4,), torch.nan)
    assert beam_loss(torch.zeros(4), torch.zeros(4), empty).item() == 0


def test_refuses_truth_of_another_shape():
    with pytest.raises(ValueError, match=r"truth.positions has shape \(2, 3\)"):
        EndLoss()(cones([]), truth([])._replace(positions=torch.zeros(2, 3)))
    with pytest.raises(ValueError, match=r"labels has shape \(3,\)"):
        beam_loss(torch.zeros(4), torch.zeros(3), torch.zeros(4))
