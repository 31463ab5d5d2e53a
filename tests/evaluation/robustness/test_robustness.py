"""What is left of a system under faults: which stages run again, shares, intervals, files."""

import json
import math

import numpy as np
import pytest
import torch
from lidar_system import lidar_alone

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.settings import SettingError
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.metrics.matching import EvaluationConfig, match_frame
from conegrad_evaluation.metrics.records import collect
from conegrad_evaluation.robustness import frame_sums
from conegrad_evaluation.robustness.partial_rerun import PartialRerun
from conegrad_evaluation.robustness.retention import retention
from conegrad_evaluation.robustness.robustness import (
    Robustness,
    RobustnessSettings,
    chosen_faults,
)
from conegrad_evaluation.robustness.robustness_report import as_text, write_robustness
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import System

CONFIG = EvaluationConfig(match_distance=0.5, max_range=20.0)
SEEN = torch.ones(4, dtype=torch.bool)
TRUTH = TrueCones(
    torch.tensor([[3.0, 1.0], [5.0, -1.0], [7.0, 1.0], [9.0, -1.0]]),
    torch.arange(4) % 2,
    SEEN,
    SEEN,
)


def sample():
    ranges = torch.full((181,), math.nan)
    ranges[60:64], ranges[120:123] = 4.0, 7.0
    scan = Scan(ranges, torch.linspace(-math.pi / 2, math.pi / 2, 181))
    return Sample({"scan": scan}, FrameContext(), TRUTH, SampleKey("lap", 0, 0))


def test_only_stages_that_see_a_difference_run_again():
    system = System(lidar_alone()).eval()
    calls = []
    for name in ("segmenter", "fuser"):
        stage = system.pipeline.stage(name)
        stage.register_forward_hook(lambda *_, name=name: calls.append(name))
    intact = sample()
    with torch.no_grad():
        rerun = PartialRerun(system, intact)
        first = list(calls)
        assert rerun.cones_of(intact) is rerun.cones
        assert calls == first
        noisy = disturbed(intact, read_fault("scan_range_noise:3"))
        found = rerun.cones_of(noisy)
        (whole,) = system([noisy])
        moved = intact._replace(context=FrameContext(motion=torch.zeros(3)))
        calls.clear()
        rerun.cones_of(moved)
    assert "segmenter" not in calls
    assert all(a is b or torch.equal(a, b) for a, b in zip(found, whole, strict=True))
    assert not torch.equal(found.positions, rerun.cones.positions)


def test_a_system_without_a_camera_meets_faults_of_scans_alone():
    names = {fault.name for fault in chosen_faults(("all",), lidar_alone())}
    assert "scan_fog" in names
    assert all(name.startswith("scan_") for name in names)
    (chosen,) = chosen_faults(("scan_fog:1",), lidar_alone(), seed=3)
    assert (chosen.name, chosen.severity, chosen.seed) == ("scan_fog", 1, 3)


def frame(found):
    """A frame in which the first cones are found."""
    rows = torch.arange(found)
    cones = Cones(
        TRUTH.positions[rows],
        torch.eye(2).expand(found, 2, 2),
        torch.nn.functional.one_hot(TRUTH.classes[rows], 5).float(),
        torch.full((found,), 3.0),
        torch.full((found,), 3),
    )
    return match_frame(cones, TRUTH, CONFIG)


def result():
    """Twenty frames of two drives: all found when clean, and 2 or 4 of 4 under each fault."""
    faults = [read_fault(text) for text in ("scan_fog:1", "scan_fog:2", "no_image")]
    clean = {str(fault): [frame(4)] * 20 for fault in faults}
    counts = {"scan_fog:1": 4, "scan_fog:2": 2, "no_image:1": 3}
    found = {str(fault): [frame(counts[str(fault)])] * 20 for fault in faults}
    return Robustness(CONFIG, faults, clean, found, {"a": 12, "b": 8}, {"a": 0.1, "b": math.nan})


def test_shares_are_those_of_f1_and_a_lost_sensor_counts_by_recall_apart_from_the_mean():
    table = retention(result())
    fog, thick, lost = table.rows
    assert fog.share == 1.0
    assert thick.disturbed == pytest.approx(2 * 2 / (2 + 4))
    assert thick.share == pytest.approx(2 / 3)
    assert (lost.clean, lost.disturbed) == (1.0, 0.75)
    assert table.mean == pytest.approx((1 + 2 / 3) / 2)
    assert table.interval.low == pytest.approx(table.mean)  # all frames are alike


def test_disturbances_that_the_system_was_not_trained_on_have_a_mean_of_their_own(tmp_path):
    both = result()
    both.faults.append(read_fault("scan_rain:1"))
    both.clean["scan_rain:1"], both.disturbed["scan_rain:1"] = [frame(4)] * 20, [frame(1)] * 20
    table = retention(both, trained=["scan_fog"])
    assert table.untrained.faults == 1
    assert table.untrained.mean == table.rows[3].share == pytest.approx(2 / (1 + 4))
    assert table.mean == pytest.approx((1 + 2 / 3 + 2 / 5) / 3)
    words = (
        "0.400 (0.400 to 0.400) over the 1 faults of disturbances that the system was not trained"
    )
    assert words in as_text(table)
    assert words in write_robustness(table, tmp_path, "car", {"a": 20}).read_text()
    saved = json.loads((tmp_path / "robustness.json").read_text())
    assert saved["untrained"]["mean"] == pytest.approx(0.4)
    assert retention(both).untrained is None


def test_a_disturbance_that_there_is_not_cannot_have_been_trained_on():
    with pytest.raises(SettingError, match="trained has 'scan_fig', expected some of"):
        RobustnessSettings(trained=("scan_fig",))


def test_intact_frames_are_collected_once_for_all_faults(monkeypatch):
    calls = []

    def counting(frames, config):
        calls.append(len(frames))
        return collect(frames, config)

    monkeypatch.setattr(frame_sums, "collect", counting)
    measured = result()
    shared = [frame(4)] * 20
    measured.clean.update({"scan_fog:1": shared, "scan_fog:2": list(shared)})
    table = retention(measured)
    assert table.rows[1].share == pytest.approx(2 / 3)
    assert len(calls) == 3 + 2  # under each fault; intact for F1 with colour, and for recall


def test_intervals_grow_with_the_spread_between_frames():
    spread = result()
    frames = [frame(4 if number % 2 else 0) for number in range(20)]
    spread.disturbed["scan_fog:2"] = frames
    row = retention(spread).rows[1]
    assert row.interval.low < row.share < row.interval.high
    assert np.isclose(row.share, 2 * 40 / (40 + 80))


def test_the_files_name_every_fault_and_the_mean(tmp_path):
    table = retention(result())
    report = write_robustness(table, tmp_path, "car/3", {"a": 12, "b": 8})
    text = report.read_text()
    assert "Robustness of car/3" in text
    assert "scan_fog:2" in text
    saved = json.loads((tmp_path / "robustness.json").read_text())
    assert [fault["fault"] for fault in saved["faults"]] == [
        "scan_fog:1",
        "scan_fog:2",
        "no_image:1",
    ]
    assert saved["mean"] == pytest.approx(table.mean)
    assert (tmp_path / "robustness.png").stat().st_size > 1000
    assert "0.833 of F1 with colour is left on average" in as_text(table)


def test_without_frames_there_is_no_share():
    empty = Robustness(CONFIG, [read_fault("scan_fog")], {"scan_fog:2": []}, {"scan_fog:2": []})
    with pytest.raises(ValueError, match="bags hold no frames"):
        retention(empty)
