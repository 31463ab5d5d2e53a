import pytest

from conegrad_training.engine.training_cost import Budget
from conegrad_training.patterns.patterns import (
    END,
    NONE,
    OWN,
    PATTERNS,
    Alternating,
    PatternConfig,
    make_pattern,
)

NETWORKS = {"camera", "lidar"}


@pytest.mark.parametrize(
    ("name", "parts", "loss"),
    [
        ("individual", NETWORKS, OWN),
        ("partial_camera", {"camera", "fusion"}, END),
        ("partial_lidar", {"lidar", "fusion"}, END),
        ("simultaneous", NETWORKS | {"fusion"}, END),
        ("fusion_only", {"fusion"}, END),
        ("statistics_only", set(), NONE),
    ],
)
def test_constant_patterns_update_the_same_parts_in_every_step(name: str, parts: set, loss: str):
    pattern = make_pattern(PatternConfig(name))
    for step in (0, 1, 100):
        assert pattern.update(step).parts == parts
        assert pattern.update(step).loss == loss


@pytest.mark.parametrize("name", [name for name in PATTERNS if not name.endswith("fusion_only")])
def test_the_scalars_of_the_fusion_can_stay_frozen(name: str):
    pattern = make_pattern(PatternConfig(name, learn_fusion=False, first_steps=1))
    for step in (0, 1):
        assert "fusion" not in pattern.update(step).parts


def turns(pattern: Alternating, losses: list[dict[str, float]]) -> str:
    """First letters of the networks that learn in each step."""
    found = ""
    for step, terms in enumerate(losses):
        (network,) = pattern.update(step).parts & NETWORKS
        found += network[0]
        pattern.observe(step, terms)
    return found


def test_round_robin_takes_turns_by_step_or_by_block():
    assert turns(Alternating("round_robin", 1, frozenset()), [{}] * 6) == "clclcl"
    assert turns(Alternating("round_robin", 3, frozenset()), [{}] * 9) == "ccclllccc"


def test_the_worst_term_decides_who_is_next():
    colour = {"position": 0.1, "colour": 2.0, "existence": 0.5}
    position = {"position": 2.0, "colour": 0.1, "existence": 0.5}
    pattern = Alternating("worst_term", 1, frozenset())
    # The running mean of colour outlasts a single step: 0.8 * 2 + 0.2 * 0.1 = 1.62 > 0.48.
    assert turns(pattern, [colour, colour, position, position]) == "cccc"
    assert turns(Alternating("worst_term", 1, frozenset()), [position] * 3) == "cll"


def test_bad_existence_gives_both_networks_a_turn():
    existence = {"position": 0.1, "colour": 0.1, "existence": 0.5}
    assert turns(Alternating("worst_term", 1, frozenset()), [existence] * 4) == "clcl"


def test_an_alternating_pattern_goes_on_from_its_state():
    whole, first = (Alternating("worst_term", 2, frozenset()) for _ in range(2))
    losses = [{"position": p, "colour": 1.0, "existence": 0.2} for p in (0.1, 4, 4, 4, 0, 0, 0, 0)]
    expected = turns(whole, losses)
    for step in range(3):
        first.update(step)
        first.observe(step, losses[step])
    resumed = Alternating("worst_term", 2, frozenset())
    resumed.load_state_dict(first.state_dict())
    found = ""
    for step in range(3, 8):
        (network,) = resumed.update(step).parts & NETWORKS
        found += network[0]
        resumed.observe(step, losses[step])
    assert found == expected[3:]
    assert "l" in expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pattern": "all"}, "PatternConfig.pattern is 'all', expected one of"),
        ({"schedule": "random"}, "PatternConfig.schedule is 'random', expected one of"),
        ({"block": 0}, "PatternConfig.block is 0"),
    ],
)
def test_refuses_unknown_patterns(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        PatternConfig(**settings)


def test_labels_of_a_sample_are_paid_once():
    budget = Budget()
    budget.add_labels("a", 21)
    budget.add_labels("b", 9)
    budget.add_labels("a", 21)
    assert budget.label_values == 30


def test_passes_are_counted_by_part_and_survive_a_checkpoint():
    budget = Budget()
    budget.add_step(8, ("camera", "lidar", "fusion"), {"camera"}, 0.5)
    budget.add_step(8, ("camera", "lidar", "fusion"), {"lidar"}, 0.25)
    budget.add_labels("a", 3)
    restored = Budget()
    restored.load_state_dict(budget.state_dict())
    restored.add_labels("a", 3)
    assert restored.to_dict() == {
        "steps": 2,
        "forward": {"camera": 16, "lidar": 16, "fusion": 16},
        "backward": {"camera": 8, "lidar": 8},
        "seconds": 0.75,
        "label_values": 3,
    }


def test_a_sequence_splits_its_budget():
    pattern = make_pattern(PatternConfig("individual_then_simultaneous", first_steps=3))
    assert [pattern.update(step).loss for step in range(6)] == [OWN] * 3 + [END] * 3
    assert pattern.update(2).parts == NETWORKS
    assert pattern.update(3).parts == NETWORKS | {"fusion"}
