import math

import pytest

from conegrad_training.comparison.confidence_interval import confidence_interval
from conegrad_training.comparison.plan import PlannedRun, planned_runs, split_runs
from conegrad_training.comparison.scenarios import SCENARIOS
from conegrad_training.comparison.settings import ComparisonConfig
from conegrad_training.patterns.forking import ForkConfig


def test_a_run_that_two_scenarios_need_is_made_once():
    shift = planned_runs(["domain_shift"], [], [1, 2], 300)
    both = planned_runs(["domain_shift", "shrinking_data"], [], [1, 2], 300)
    assert len(shift) == 18  # nine patterns, two seeds
    assert len(both) == 18 + 2 * 3 * 3  # three patterns at 30, 10 and 3 % of the frames
    assert [run.seed for run in both] == sorted(run.seed for run in both)
    assert {run.frames for run in both} == {300, 90, 30, 9}


def test_runs_in_several_processes_share_their_drives_where_they_can():
    runs = planned_runs(["domain_shift"], [], [1, 2], 300)
    two, four = split_runs(runs, 2), split_runs(runs, 4)
    assert [{run.seed for run in part} for part in two] == [{1}, {2}]
    assert [len(part) for part in four] == [4, 5, 4, 5]
    assert [run for part in four for run in part] == runs


def test_at_equal_cost_the_label_values_decide_the_frames():
    runs = planned_runs(["equal_cost"], [], [1], 300)
    assert runs == [
        PlannedRun("domain_shift", 1, "simultaneous", 300),
        PlannedRun("domain_shift", 1, "individual", 0, "map_values"),
        PlannedRun("domain_shift", 1, "individual", 0, "frame_values"),
    ]
    assert len({run.name for run in runs}) == 3


def test_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="scenario is 'snow', expected one of"):
        planned_runs(["snow"], [], [1], 300)
    with pytest.raises(ValueError, match="pattern is 'all', expected one of"):
        planned_runs(["domain_shift"], ["all"], [1], 300)


def test_the_interval_is_that_of_student():
    of_three = confidence_interval([1.0, 2.0, 3.0])
    assert of_three.mean == 2.0
    assert of_three.half_width == pytest.approx(4.3027 / math.sqrt(3), abs=1e-3)
    assert math.isnan(confidence_interval([1.0]).half_width)


def test_every_network_of_the_pipeline_is_trained_by_itself():
    runs = planned_runs(["domain_shift"], [], [1], 300, networks=("detector", "keypoints"))
    partial = [run.pattern for run in runs if run.pattern.startswith("partial")]
    assert partial == ["partial_detector", "partial_keypoints"]
    with pytest.raises(ValueError, match="pattern is 'partial_segmenter', expected one of"):
        planned_runs(["domain_shift"], ["partial_segmenter"], [1], 300, networks=("detector",))


def test_fork_strategies_are_runs_of_simultaneous_training():
    runs = planned_runs(
        ["fallen_cones"], ["simultaneous"], [1], 300, fork_strategies=("merged", "federated")
    )
    assert [run.pattern for run in runs] == ["simultaneous", "fork_merged", "fork_federated"]
    with pytest.raises(ValueError, match="fork strategy is 'all', expected one of"):
        planned_runs(["fallen_cones"], [], [1], 300, fork_strategies=("all",))


def test_a_run_of_a_fork_strategy_has_its_settings():
    config = ComparisonConfig(fork=ForkConfig(branches=("standing",), average_every=2))
    merged, alone = (
        config.training(PlannedRun("fallen_cones", 1, pattern, 300), config.system)
        for pattern in ("fork_merged", "simultaneous")
    )
    assert merged.pattern.pattern == alone.pattern.pattern == "simultaneous"
    assert merged.fork == ForkConfig("merged", branches=("standing",), average_every=2)
    assert alone.fork == ForkConfig()


def test_groups_of_fork_strategies_follow_simultaneous_training():
    scenario = SCENARIOS["domain_shift"]
    patterns = ["alternating", "partial_keypoints", "fork_merged", "simultaneous", "individual"]
    ranked = sorted(patterns, key=lambda pattern: scenario.rank(pattern) or ())
    assert ranked == [
        "simultaneous", "fork_merged", "individual", "partial_keypoints", "alternating"
    ]  # fmt: skip
    assert scenario.rank("statistics") is None
    assert SCENARIOS["silenced_lidar"].rank("partial_detector") is None
