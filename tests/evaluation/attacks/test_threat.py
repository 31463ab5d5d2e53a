"""Threats of words: attacks, budgets, and what is refused."""

import pytest

from conegrad_evaluation.attacks.registry import attacks
from conegrad_evaluation.attacks.threat import read_threat


def test_a_size_or_parameters_give_the_budget():
    threat = read_threat("image_pgd:eps=4+scan_moved:0.1")
    assert [chosen.budget for chosen in threat.attacks] == [{"eps": 4.0}, {"metres": 0.1}]
    assert threat.kinds == {"Image", "Scan"}
    assert str(threat) == "image_pgd:4+scan_moved:0.1"
    assert str(read_threat(str(threat))) == str(threat)


def test_without_a_size_the_usual_budget_is_taken():
    (chosen,) = read_threat("scan_added").attacks
    assert chosen.budget == {"beams": 20.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_pgd:beams=3", "no parameter 'beams', expected one of eps"),
        ("image_pgd:0", "eps of image_pgd is 0, expected 1 to 255"),
        ("scan_removed:2.5", "beams of scan_removed is 2.5, expected a whole number"),
        ("image_pgd:much", "attack is 'image_pgd:much', expected NAME, NAME:SIZE"),
        ("scan_moved+scan_added", "expected each attack on another kind of port"),
        ("image_fog:1", "no entry of conegrad.attacks 'image_fog' is registered"),
    ],
)
def test_what_is_no_threat_is_refused_by_name(text, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.").replace("+", r"\+")):
        read_threat(text)


def test_every_attack_has_budgets_that_grow():
    for found in attacks().values():
        sizes = [found.budget(budget)[found.size] for budget in found.budgets]
        assert sizes == sorted(set(sizes))
