"""A run of attacks on a bag: which attacks, shares that are left, doubts, files."""

import json

import pytest
from lidar_system import lidar_alone

from conegrad_evaluation.attack_report.attack_files import as_text, write_attack
from conegrad_evaluation.attack_report.attack_run import (
    AttackSettings,
    chosen_threats,
    measure_attacks,
)
from conegrad_evaluation.attack_report.attack_table import (
    Kept,
    ThreatRow,
    attack_table,
    doubts,
    is_larger,
)
from conegrad_evaluation.attacks.threat import read_threat
from conegrad_evaluation.metrics.bootstrap import Interval

CAR = ("Image", "Scan")
WORDS = ("scan_moved:0.2", "scan_removed:20")


@pytest.fixture(scope="module")
def run(make_drive, plan):
    settings = AttackSettings(attacks=WORDS, steps=1, tries=8, every=2)
    return measure_attacks(lidar_alone(), [make_drive(plan(frames=4))], settings)


def test_every_frame_is_attacked_by_every_threat_beside_its_baseline(run):
    assert run.drives == {"drive": 2}
    assert len(run.clean) == 2
    for name in WORDS:
        assert len(run.attacked[name]) == len(run.random[name]) == 2
        for row in run.losses[name]:
            assert row.attacked > row.clean
            assert len(row.curve) == 2
    gains = [row.attacked - row.clean for row in run.losses["scan_moved:0.2"]]
    assert run.examples["scan_moved:0.2"].gain == pytest.approx(max(gains))


def test_the_files_hold_the_shares_and_pictures_of_every_attack(run, tmp_path):
    table = attack_table(run)
    page = write_attack(table, run, tmp_path, "car/3").read_text()
    assert "Attacks on car/3" in page
    assert page.count('alt="from above"') == len(WORDS)
    saved = json.loads((tmp_path / "attack.json").read_text())
    assert [row["threat"] for row in saved["threats"]] == list(WORDS)
    moved = saved["threats"][0]
    assert moved["budgets"] == {"scan_moved": {"metres": 0.2}}
    share = moved["attacked"]["f1_colour"] / moved["clean"] if moved["clean"] else None
    assert moved["attacked"]["share"] == (None if share is None else pytest.approx(share))
    assert "scan_removed:20" in as_text(table)
    assert (tmp_path / "attack.png").stat().st_size > 1000


def test_all_attacks_are_those_that_the_sensors_of_a_pipeline_meet():
    alone = chosen_threats(("all",), "both", ["Scan"])
    assert {threat.kinds for threat in alone} == {frozenset({"Scan"})}
    assert chosen_threats(("all",), "camera", ["Scan"]) == []
    with pytest.raises(ValueError, match="image_pgd:2 acts on Image, and the pipeline takes Scan"):
        chosen_threats(("image_pgd:2",), "both", ["Scan"])


def test_all_attacks_on_the_car_include_both_sensors_at_once():
    kinds = [threat.kinds for threat in chosen_threats(("all",), "both", CAR)]
    assert frozenset({"Image", "Scan"}) in kinds
    of_camera = chosen_threats(("all",), "camera", CAR)
    assert {threat.kinds for threat in of_camera} == {frozenset({"Image"})}


def row(text, random_loss, attacked_loss):
    kept = Kept(0.5, 0.5, Interval(0.4, 0.6))
    return ThreatRow(
        read_threat(text), 1.0, kept, kept, 0.0, random_loss, attacked_loss, attacked_loss, 0.0
    )


def test_weak_attacks_are_doubted():
    rows = [row("image_pgd:2", 0.1, 1.0), row("image_pgd:4", 0.1, 2.0)]
    assert doubts(rows) == []
    (text,) = doubts([row("image_pgd:2", 0.1, 3.0), row("image_pgd:4", 0.1, 2.0)])
    assert text.startswith("image_pgd:4: the end loss is lower (2.00) than with the smaller budget")
    (text,) = doubts([row("scan_moved:0.1", 1.5, 1.0)])
    assert "a random change raises the end loss more (1.50)" in text


def test_only_budgets_of_one_attack_are_compared():
    assert is_larger(read_threat("scan_added:40"), read_threat("scan_added:10"))
    assert not is_larger(read_threat("scan_added:40"), read_threat("scan_removed:10"))
    assert not is_larger(
        read_threat("image_pgd:4+scan_added:40"), read_threat("image_pgd:2+scan_added:10")
    )
