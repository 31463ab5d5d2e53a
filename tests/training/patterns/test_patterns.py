from collections.abc import Sequence

import pytest

from conegrad_training.patterns.patterns import (
    PATTERNS,
    Alternating,
    PatternConfig,
    make_pattern,
    networks_behind_terms,
)
from conegrad_training.patterns.update import END, NONE, SUPERVISED
from conegrad_training.systems.system import TrainableSystem

NETWORKS = {"detector", "segmenter"}
CAR = ("detector", "segmenter")
CAR_TERMS = {
    "colour": ("detector",), "existence": ("detector", "segmenter"), "position": ("segmenter",)
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stages", "loss"),
    [
        ("individual", NETWORKS, SUPERVISED),
        ("partial detector", {"detector", "fuser"}, END),
        ("partial segmenter", {"segmenter", "fuser"}, END),
        ("simultaneous", NETWORKS | {"fuser"}, END),
        ("fusion_only", {"fuser"}, END),
        ("statistics_only", set(), NONE),
    ],
)
def test_constant_patterns_update_the_same_stages_in_every_step(
    name: str, stages: set, loss: str, system: TrainableSystem
):
    pattern = make_pattern(config(name), system)
    for step in (0, 1, 100):
        assert pattern.update(step).stages == stages
        assert pattern.update(step).loss == loss


@pytest.mark.parametrize("name", [name for name in PATTERNS if not name.endswith("fusion_only")])
def test_the_scalars_of_the_fusion_can_stay_frozen(name: str, system: TrainableSystem):
    stages = ("detector",) if name == "partial" else ()
    settings = PatternConfig(name, stages, learn_fusion=False, first_steps=1)
    pattern = make_pattern(settings, system)
    for step in (0, 1):
        assert "fuser" not in pattern.update(step).stages


def config(words: str) -> PatternConfig:
    """Settings of a pattern with the stages behind its name."""
    name, *stages = words.split()
    return PatternConfig(name, tuple(stages))


def alternating(schedule: str, block: int, networks: Sequence[str] = CAR, **terms) -> Alternating:
    return Alternating(networks, terms or CAR_TERMS, schedule, block, frozenset())


def turns(pattern: Alternating, losses: list[dict[str, float]]) -> str:
    """First letters of the networks that learn in each step."""
    found = ""
    for step, terms in enumerate(losses):
        (network,) = pattern.update(step).stages
        found += network[0]
        pattern.observe(step, terms)
    return found


def test_round_robin_takes_turns_by_step_or_by_block():
    assert turns(alternating("round_robin", 1), [{}] * 6) == "dsdsds"
    assert turns(alternating("round_robin", 3), [{}] * 9) == "dddsssddd"


def test_the_worst_term_decides_who_is_next():
    colour = {"position": 0.1, "colour": 2.0, "existence": 0.5}
    position = {"position": 2.0, "colour": 0.1, "existence": 0.5}
    pattern = alternating("worst_term", 1)
    # The running mean of colour outlasts a single step: 0.8 * 2 + 0.2 * 0.1 = 1.62 > 0.48.
    assert turns(pattern, [colour, colour, position, position]) == "dddd"
    assert turns(alternating("worst_term", 1), [position] * 3) == "dss"


def test_bad_existence_gives_both_networks_a_turn():
    existence = {"position": 0.1, "colour": 0.1, "existence": 0.5}
    assert turns(alternating("worst_term", 1), [existence] * 4) == "dsds"


def test_an_alternating_pattern_goes_on_from_its_state():
    whole, first = (alternating("worst_term", 2) for _ in range(2))
    losses = [{"position": p, "colour": 1.0, "existence": 0.2} for p in (0.1, 4, 4, 4, 0, 0, 0, 0)]
    expected = turns(whole, losses)
    for step in range(3):
        first.update(step)
        first.observe(step, losses[step])
    resumed = alternating("worst_term", 2)
    resumed.load_state_dict(first.state_dict())
    found = ""
    for step in range(3, 8):
        (network,) = resumed.update(step).stages
        found += network[0]
        resumed.observe(step, losses[step])
    assert found == expected[3:]
    assert "s" in expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pattern": "all"}, "PatternConfig.pattern is 'all', expected one of"),
        ({"schedule": "random"}, "PatternConfig.schedule is 'random', expected one of"),
        ({"block": 0}, "PatternConfig.block is 0"),
        ({"pattern": "partial"}, "stages is none, expected one at least for partial"),
        ({"stages": ("detector",)}, "stages is detector, expected none for simultaneous"),
    ],
)
def test_refuses_unknown_patterns(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        PatternConfig(**settings)


def test_the_networks_behind_a_term_follow_from_the_stages(system: TrainableSystem):
    assert networks_behind_terms(system) == CAR_TERMS


def test_three_networks_take_turns():
    three = ("a", "b", "c")
    assert turns(alternating("round_robin", 1, three), [{}] * 7) == "abcabca"
    terms = {"position": ("b",), "existence": ("a", "c")}
    position, existence = {"position": 2.0, "existence": 1.0}, {"position": 0.0, "existence": 9.0}
    pattern = alternating("worst_term", 1, three, **terms)
    # Existence is shared by a and c: the next of them after the one that had its turn.
    assert turns(pattern, [position, position, existence, existence, existence]) == "abbca"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("partial fuser", "stages names the stage 'fuser', expected one of detector, segmenter"),
        ("partial camera", "stages names the stage 'camera', expected one of detector, segmenter"),
    ],
)
def test_refuses_stages_that_are_no_networks(words: str, message: str, system: TrainableSystem):
    with pytest.raises(ValueError, match=message):
        make_pattern(config(words), system)


def test_a_sequence_splits_its_steps(system: TrainableSystem):
    pattern = make_pattern(PatternConfig("individual_then_simultaneous", first_steps=3), system)
    assert [pattern.update(step).loss for step in range(6)] == [SUPERVISED] * 3 + [END] * 3
    assert pattern.update(2).stages == NETWORKS
    assert pattern.update(3).stages == NETWORKS | {"fuser"}
