"""Tables of a comparison."""

from conegrad_training.comparison.groups import groups_of
from conegrad_training.comparison.results import RunResult
from conegrad_training.comparison.tables import OF_SYSTEM, score_header, score_rows

BASELINE = {"f1_colour": 0.6, **dict.fromkeys((*OF_SYSTEM, "mAP50", "error_px"), 0.5)}


def result(pattern: str, seed: int, f1_colour: float, frames: int = 300) -> RunResult:
    return RunResult(
        condition="domain_shift",
        pattern=pattern,
        seed=seed,
        frames=frames,
        label_budget="",
        baseline=BASELINE,
        after={**BASELINE, "f1_colour": f1_colour},
        before_degradation=BASELINE,
        steps=1,
        seconds=1.0,
        forward={},
        backward={},
        frame_values=0,
        map_values=0,
    )


def differences(scenario: str, results: list[RunResult]) -> dict[str, str]:
    groups = groups_of(scenario, results, 300)
    header, rows = score_header(groups), score_rows(groups)
    assert all(len(row) == len(header) for row in rows)
    assert header[-2:] == ["mAP50", "error px"]
    return {row[0]: row[header.index("difference to simultaneous")] for row in rows}


def test_differences_are_those_of_runs_with_the_same_seed():
    # The seeds differ by more than the patterns do, and one seed has no partner.
    found = differences(
        "domain_shift",
        [
            *(result("simultaneous", seed, score) for seed, score in ((1, 0.7), (2, 0.8))),
            *(result("individual", seed, score) for seed, score in ((1, 0.69), (2, 0.79))),
            result("individual", 3, 0.2),
            result("fusion_only", 2, 0.75),
        ],
    )
    assert found == {
        "baseline": "",
        "simultaneous": "",
        "individual": "-0.010 ± 0.000",
        "fusion only": "-0.050",
    }


def test_runs_are_compared_with_those_of_as_many_frames():
    found = differences(
        "shrinking_data",
        [
            result("simultaneous", 1, 0.8),
            result("simultaneous", 1, 0.7, frames=30),
            result("individual", 1, 0.75, frames=30),
            result("individual", 1, 0.74, frames=9),
        ],
    )
    assert found["individual, 30 frames"] == "+0.050"
    assert found["individual, 9 frames"] == "-0.060"  # no simultaneous run has as few: all frames


def test_without_a_simultaneous_run_there_is_no_difference():
    assert differences("domain_shift", [result("individual", 1, 0.7)])["individual"] == ""
