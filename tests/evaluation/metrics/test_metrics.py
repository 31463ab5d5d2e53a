"""Metrics of cones against truth, worked out by hand."""

import json
import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_evaluation.metrics.evaluator import Evaluator, evaluate
from conegrad_evaluation.metrics.matching import UNMATCHED, EvaluationConfig, match_frame
from conegrad_evaluation.report.plot_captions import colour_sentence

B, Y, U = ConeClass.BLUE, ConeClass.YELLOW, ConeClass.UNKNOWN


def cones(*rows, covariance=0.01, source=3):
    """Cones from rows (x, y, colour, existence)."""
    table = torch.tensor([row[:2] for row in rows], dtype=torch.float64).reshape(-1, 2)
    classes = torch.tensor([int(row[2]) for row in rows], dtype=torch.int64)
    existence = torch.tensor([row[3] for row in rows], dtype=torch.float64)
    return Cones(
        positions=table,
        covariances=covariance * torch.eye(2, dtype=torch.float64).expand(len(rows), 2, 2),
        colours=torch.nn.functional.one_hot(classes, 5).double(),
        existence_logits=existence.logit(),
        source=torch.full((len(rows),), source),
    )


def truth(*rows, camera=True, lidar=True):
    """Truth from rows (x, y, class)."""
    return TrueCones(
        positions=torch.tensor([row[:2] for row in rows], dtype=torch.float64).reshape(-1, 2),
        classes=torch.tensor([int(row[2]) for row in rows], dtype=torch.int64),
        visible_camera=torch.full((len(rows),), camera),
        visible_lidar=torch.full((len(rows),), lidar),
    )


def joined(*parts):
    return TrueCones(*(torch.cat(columns) for columns in zip(*(p[:4] for p in parts), strict=True)))


def evaluated(predicted, true, **settings_):
    evaluator = Evaluator(EvaluationConfig(bootstrap_samples=50, **settings_))
    evaluator.add(predicted, true)
    return evaluator.result()


def test_counts_hits_misses_wrong_colours_and_false_cones():
    result = evaluated(
        cones((3, 1, B, 0.9), (3, -1, B, 0.8), (8, 0, Y, 0.7)),
        truth((3, 1.1, B), (3, -1, Y), (6, 1, B)),
    )
    counts = result.total.counts
    assert (counts.predicted, counts.true, counts.matched, counts.right) == (3, 3, 2, 1)
    assert counts.precision == counts.recall == counts.f1 == pytest.approx(2 / 3)
    assert result.f1_colour == pytest.approx(1 / 3)
    assert result.label_values == 9
    assert result.confusion[Y] == (1, 0, 0, 0, 0)
    assert result.confusion[B] == (1, 0, 0, 0, 0)


def test_the_more_certain_cone_chooses_first():
    frame = match_frame(
        cones((3, 0.3, B, 0.6), (3, 0.1, B, 0.9)), truth((3, 0, B)), EvaluationConfig()
    )
    assert frame.matches.tolist() == [UNMATCHED, 0]


def test_a_cone_whose_nearest_truth_is_taken_takes_the_next():
    frame = match_frame(
        cones((3, 0, B, 0.9), (3, 0.1, B, 0.6)),
        truth((3, 0, B), (3, 0.5, B)),
        EvaluationConfig(),
    )
    assert frame.matches.tolist() == [0, 1]


@pytest.mark.parametrize(("offset", "matched"), [(0.5, 1), (0.51, 0)])
def test_the_match_distance_is_inclusive(offset, matched):
    result = evaluated(cones((4, offset, B, 0.9)), truth((4, 0, B)))
    assert result.total.counts.matched == matched


def test_an_unknown_colour_is_wrong_but_truth_without_colour_cannot_be_missed_in_colour():
    result = evaluated(cones((3, 1, U, 0.9), (3, -1, B, 0.9)), truth((3, 1, B), (3, -1, U)))
    assert result.total.counts.f1 == 1.0
    assert result.f1_colour == 0.5
    assert result.confusion == ((0, 0, 0, 0, 1), (0,) * 5, (0,) * 5, (0,) * 5)


def test_unknown_is_the_right_colour_of_a_cone_that_the_camera_could_not_see():
    predicted = cones((3, 1, U, 0.9), (3, -1, B, 0.9))
    result = evaluated(predicted, truth((3, 1, Y), (3, -1, Y), camera=False))
    assert result.f1_colour == 0.5
    assert result.failure_modes.false_cones["wrong_colour"] == 1


def test_the_matrix_of_colours_adds_up_to_the_cones_that_count_as_right():
    seen = truth((3, 1, Y), (3, -1, B))
    evaluator = Evaluator(EvaluationConfig())
    evaluator.add(cones((3, 1, Y, 0.9), (3, -1, U, 0.9)), seen)  # one without its colour
    evaluator.add(
        cones((3, 1, U, 0.9), (3, -1, U, 0.9)), truth((3, 1, Y), (3, -1, B), camera=False)
    )
    result = evaluator.result()
    assert result.confusion[Y] == (0, 1, 0, 0, 1)
    assert result.confusion[B] == (0, 0, 0, 0, 2)
    assert result.confusion_unseen == (1, 1, 0, 0)
    assert result.total.counts.right == 3
    sentence = colour_sentence(result)
    assert "1 on the diagonal, 2 without a colour that no camera could see" in sentence
    assert "3 of the 4 matched cones" in sentence


def test_a_group_chosen_by_its_cones_has_a_precision_but_no_f1():
    result = evaluated(cones((3, 1, B, 0.9), source=2), truth((3, 1, B)))
    lidar = result.by_source["lidar"].counts
    assert lidar.precision == 1.0
    assert math.isnan(lidar.f1)
    assert math.isnan(lidar.f1_colour)


def test_truth_that_no_sensor_could_see_is_neither_a_hit_nor_a_miss():
    hidden = truth((5, 0, B), camera=False, lidar=False)
    found = evaluated(cones((5, 0.1, B, 0.9)), hidden).total.counts
    assert (found.predicted, found.true) == (0, 0)
    assert math.isnan(found.f1)
    missed = evaluated(cones(), hidden).total.counts
    assert (missed.predicted, missed.true) == (0, 0)


def test_the_cone_of_hidden_truth_does_not_take_its_neighbour():
    true = joined(truth((5, 0, B), camera=False, lidar=False), truth((5, 0.3, B)))
    frame = match_frame(cones((5, 0, B, 0.9), (5, 0.3, B, 0.8)), true, EvaluationConfig())
    assert frame.matches.tolist() == [UNMATCHED, 1]
    assert frame.ignored.tolist() == [True, False]


def test_hidden_truth_does_not_excuse_a_cone_elsewhere():
    hidden = truth((5, 0, B), camera=False, lidar=False)
    assert evaluated(cones((5, 0.6, B, 0.9)), hidden).total.counts.precision == 0.0


@pytest.mark.parametrize(
    ("cone", "true", "expected"),
    [
        pytest.param((12.2, 0), (11.9, 0), (1, 1, 1), id="a cone beyond finds truth within"),
        pytest.param((11.9, 0), (12.2, 0), (0, 0, 0), id="a cone within finds truth beyond"),
        pytest.param((12.5, 3), (11.9, 0), (0, 1, 0), id="a false cone beyond is ignored"),
        pytest.param((11.5, 3), (12.2, 0), (1, 0, 0), id="a false cone within counts"),
    ],
)
def test_the_border_of_the_range_causes_no_errors(cone, true, expected):
    counts = evaluated(cones((*cone, B, 0.9)), truth((*true, B)), max_range=12.0).total.counts
    assert (counts.predicted, counts.true, counts.matched) == expected


def test_cones_below_the_threshold_count_for_the_curve_only():
    result = evaluated(
        cones((3, 1, B, 0.9), (3, -1, Y, 0.4), (9, 0, Y, 0.3)), truth((3, 1, B), (3, -1, Y))
    )
    assert (result.total.counts.predicted, result.total.counts.matched) == (1, 1)
    assert result.curve.thresholds == pytest.approx((0.9, 0.4, 0.3))
    assert result.curve.precision == pytest.approx((1, 1, 2 / 3))
    assert result.curve.recall == pytest.approx((0.5, 1, 1))
    assert result.curve.best_threshold == pytest.approx(0.4)
    assert result.curve.average_precision == pytest.approx(1.0)


def test_position_errors_are_split_along_and_across_the_ray():
    error = evaluated(cones((0.3, 4.1, B, 0.9)), truth((0, 4, B))).total.position
    assert error.rmse == pytest.approx(math.sqrt(0.1))
    assert (error.bias_x, error.bias_y) == pytest.approx((0.3, 0.1))
    assert error.bias_radial == pytest.approx(0.1)
    assert error.bias_tangential == pytest.approx(-0.3)  # counter-clockwise is towards -x here


def test_a_match_belongs_to_the_range_bin_of_its_truth():
    bins = evaluated(cones((5.1, 0, B, 0.9), (7, 3, B, 0.9)), truth((4.9, 0, B))).range_bins
    near, far = bins["0-5 m"].counts, bins["5-10 m"].counts
    assert (near.predicted, near.true, near.matched) == (1, 1, 1)
    assert (far.predicted, far.true, far.matched) == (1, 0, 0)


def test_recall_by_the_sensors_that_could_see_the_truth():
    true = joined(truth((3, 0, B), lidar=False), truth((6, 0, B), camera=False), truth((9, 0, B)))
    groups = evaluated(cones((3, 0, B, 0.9), (9, 0, Y, 0.9)), true).by_visibility
    assert [groups[name].counts.recall for name in ("camera", "lidar", "both")] == [1, 0, 1]
    assert groups["both"].counts.recall_colour == 0
    assert math.isnan(groups["both"].counts.precision)


def test_precision_by_source():
    predicted = cones((3, 0, B, 0.9), source=1), cones((9, 0, B, 0.9), source=2)
    both = Cones(*(torch.cat(columns) for columns in zip(*(p[:5] for p in predicted), strict=True)))
    groups = evaluated(both, truth((3, 0, B))).by_source
    assert (groups["camera"].counts.precision, groups["lidar"].counts.precision) == (1, 0)
    assert math.isnan(groups["camera"].counts.recall)


def test_nees_of_an_error_of_two_sigma_is_four():
    result = evaluated(cones((3, 0.2, B, 0.9), covariance=0.01), truth((3, 0, B)))
    assert result.consistency.mean == pytest.approx(4.0)
    assert result.consistency.inside_95 == 1.0


def test_covariance_that_is_not_positive_definite_is_counted_apart():
    result = evaluated(cones((3, 0.2, B, 0.9), covariance=0.0), truth((3, 0, B)))
    assert (result.consistency.count, result.consistency.invalid) == (0, 1)


def test_expected_calibration_error_weighs_the_gap_of_each_bin():
    result = evaluated(cones((3, 0, B, 0.95), (6, 0, B, 0.95), (9, 0, B, 0.25)), truth((3, 0, B)))
    # Bin 0.9-1: confidence 0.95, accuracy 0.5, two cones; bin 0.2-0.3: 0.25 against 0, one cone.
    assert result.reliability.ece == pytest.approx((2 * 0.45 + 0.25) / 3)
    assert result.reliability.counts[9] == 2


@pytest.mark.parametrize(
    ("predicted", "misses", "false_cones"),
    [
        pytest.param([], {"both": 1}, {}, id="nothing there"),
        pytest.param([(5, 0, Y, 0.9)], {"wrong_colour": 1}, {"wrong_colour": 1}, id="colour"),
        pytest.param([(5, 0, U, 0.9)], {"unknown_colour": 1}, {"wrong_colour": 1}, id="grey"),
        pytest.param([(5, 0, B, 0.2)], {"low_existence": 1}, {}, id="uncertain"),
        pytest.param([(5, 1, B, 0.9)], {"misplaced": 1}, {"misplaced": 1}, id="a metre off"),
        pytest.param([(9, 9, B, 0.9)], {"both": 1}, {"clutter": 1}, id="elsewhere"),
        pytest.param([(5, 0, B, 0.9), (5, 0.2, B, 0.8)], {}, {"duplicate": 1}, id="twice"),
    ],
)
def test_every_miss_and_false_cone_has_a_failure_mode(predicted, misses, false_cones):
    modes = evaluated(cones(*predicted), truth((5, 0, B))).failure_modes
    assert {k: n for k, n in modes.misses.items() if n} == misses
    assert {k: n for k, n in modes.false_cones.items() if n} == false_cones
    assert {k: n for k, n in modes.false_cones_by_source["both"].items() if n} == false_cones


def test_two_truths_with_one_cone_between_them_miss_one_as_merged():
    modes = evaluated(cones((5, 0.2, B, 0.9)), truth((5, 0, B), (5, 0.4, B))).failure_modes
    assert modes.misses["merged"] == 1


def test_failure_modes_add_up_to_the_counts():
    generator = torch.Generator().manual_seed(4)
    evaluator = Evaluator(EvaluationConfig(max_range=12.0, bootstrap_samples=10))
    for _ in range(30):
        evaluator.add(*random_frame(generator))
    result = evaluator.result()
    counts, modes = result.total.counts, result.failure_modes
    assert sum(modes.misses.values()) == counts.true - counts.right > 0
    assert sum(modes.false_cones.values()) == counts.predicted - counts.right > 0


def test_rates_without_truth_or_cones_are_null_in_json():
    plain = json.loads(json.dumps(evaluated(cones(), truth()).to_dict(), allow_nan=False))
    assert plain["f1_colour"] is None
    assert plain["total"]["counts"]["predicted"] == 0
    assert plain["range_bins"]["0-5 m"]["position"]["rmse"] is None
    # The names of version 0.1.
    assert plain["bands"] == plain["range_bins"]
    assert plain["reasons"] == plain["failure_modes"]
    assert plain["config"]["max_range"] is None


def test_no_frames_at_all_is_an_empty_evaluation():
    result = evaluate([])
    assert result.frames == 0
    assert math.isnan(result.f1_colour)


def test_misses_without_cones_are_zero_recall_and_no_precision():
    counts = evaluated(cones(), truth((3, 0, B))).total.counts
    assert counts.recall == counts.f1 == 0.0
    assert math.isnan(counts.precision)


def test_latency_percentiles():
    evaluator = Evaluator()
    for milliseconds in range(101):
        evaluator.add_latency(milliseconds / 1000)
    times = evaluator.result().latency
    assert (times.p50, times.p95, times.p99) == pytest.approx((0.050, 0.095, 0.099))


def test_the_interval_holds_the_headline_and_is_a_point_when_all_frames_agree():
    evaluator = Evaluator(EvaluationConfig(bootstrap_samples=200))
    for index in range(40):
        evaluator.add(cones((3, 0, B if index % 2 else Y, 0.9)), truth((3, 0, B)))
    result = evaluator.result()
    assert result.f1_colour_interval.low < result.f1_colour == 0.5 < result.f1_colour_interval.high
    same = evaluate([evaluator.frames[1]] * 9, evaluator.config).f1_colour_interval
    assert (same.low, same.high) == (1.0, 1.0)


def test_refuses_cones_that_are_not_numbers():
    with pytest.raises(ValueError, match=r"cones\.positions contains NaN"):
        match_frame(cones((math.nan, 0, B, 0.9)), truth(), EvaluationConfig())


def test_refuses_truth_of_the_wrong_shape():
    wrong = truth((3, 0, B))._replace(positions=torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"truth\.positions has shape \(1, 3\)"):
        match_frame(cones(), wrong, EvaluationConfig())


def random_frame(generator):
    predicted, true = 12, 8
    logits = torch.randn(predicted, generator=generator).double()
    frame = Cones(
        positions=torch.rand(predicted, 2, generator=generator).double() * 15,
        covariances=0.1 * torch.eye(2, dtype=torch.float64).expand(predicted, 2, 2),
        colours=torch.rand(predicted, 5, generator=generator).double(),
        existence_logits=logits,
        source=torch.randint(1, 4, (predicted,), generator=generator),
    )
    near = frame.positions[:true] + 0.4 * torch.randn(true, 2, generator=generator)
    return frame, TrueCones(
        positions=near,
        classes=torch.randint(0, 5, (true,), generator=generator),
        visible_camera=torch.rand(true, generator=generator) < 0.7,
        visible_lidar=torch.rand(true, generator=generator) < 0.7,
    )


def comparable(result):
    plain = result.to_dict()
    return json.loads(json.dumps(plain), parse_float=lambda text: round(float(text), 9))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    generator = torch.Generator().manual_seed(seed)
    frame, true = random_frame(generator)
    cone_order, truth_order = torch.randperm(12, generator=generator), torch.randperm(8)
    shuffled = frame.rows(cone_order)
    shuffled_truth = TrueCones(*(column[truth_order] for column in true[:4]))
    assert comparable(evaluated(frame, true)) == comparable(evaluated(shuffled, shuffled_truth))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_truth_itself_is_a_perfect_prediction(seed):
    _, true = random_frame(torch.Generator().manual_seed(seed))
    rows = [
        (*position, kind, 0.9)
        for position, kind in zip(true.positions.tolist(), true.classes.tolist(), strict=True)
    ]
    result = evaluated(cones(*rows), true)
    seen = int((true.visible_camera | true.visible_lidar).sum())
    assert result.total.counts.true == seen
    if seen:
        assert result.f1_colour == 1.0
        assert result.rmse == 0.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.floats(0.05, 0.95))
def test_the_curve_agrees_with_the_counts_at_any_threshold(seed, threshold):
    frame, true = random_frame(torch.Generator().manual_seed(seed))
    whole = evaluated(frame, true, min_existence=0.0)
    counts = evaluated(frame, true, min_existence=threshold).total.counts
    reached = [i for i, value in enumerate(whole.curve.thresholds) if value >= threshold]
    if reached and counts.true:
        assert counts.recall == pytest.approx(whole.curve.recall[reached[-1]])
        assert counts.precision == pytest.approx(whole.curve.precision[reached[-1]])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_counting_colour_never_helps(seed):
    counts = evaluated(*random_frame(torch.Generator().manual_seed(seed))).total.counts
    assert counts.right <= counts.matched <= min(counts.predicted, counts.true)


def test_a_thousand_frames_take_about_a_second():
    generator = torch.Generator().manual_seed(0)
    frames = [random_frame(generator) for _ in range(1000)]
    evaluator = Evaluator()
    start = time.perf_counter()
    for frame, true in frames:
        evaluator.add(frame, true)
    evaluator.result()
    assert time.perf_counter() - start < 6.0  # generous: other jobs may share the machine
