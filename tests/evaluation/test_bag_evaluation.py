"""Bags in, metrics and report out."""

import json
import re

import pytest
from camera_alone import CAMERA_ALONE
from undrawn import leave_undrawn

from conegrad_data.bags.types import BagError
from conegrad_data.cone_map.cone_map_csv import save_cones
from conegrad_data.errors import AlignmentError
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_evaluation.metrics.table import summary_table

NO_SENSORS = {"images": False, "scans": False}


DRAWN = ("everything", "the_same_bag", "needs_no_other_file")  # in names of tests of the pictures


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Reports without rendered figures, in most tests."""
    if not any(word in request.node.name for word in DRAWN):
        leave_undrawn(monkeypatch)


def report(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def everything(make_drive, plan, tmp_path_factory):
    """A drive with everything, the folder of its report, and its evaluation."""
    bag, folder = make_drive(plan(frames=12)), tmp_path_factory.mktemp("report") / "out"
    return bag, folder, evaluate_bag(bag, folder)


def test_a_drive_with_everything_gives_metrics_report_and_pictures(everything):
    _, folder, evaluation = everything
    written = metrics(folder)
    assert 0.7 < evaluation.f1_colour < 1.0
    assert written["f1_colour"] == evaluation.f1_colour == evaluation.score
    assert written["headline"] == "f1_colour"
    assert written["bag"]["frames_with_truth"] == 12
    assert written["latency"]["p50"] == pytest.approx(0.04, abs=0.01)
    pictures = {path.name for path in (folder / "pictures").iterdir()}
    frames = ("best", "median", "worst")
    expected = {f"{view}_{name}_frame.png" for view in ("camera", "above") for name in frames}
    assert pictures == expected | {"map.png"}
    assert summary_table(evaluation).count("\n") > 5
    assert "<h2>Failure modes</h2>" in report(folder)


def test_the_report_needs_no_other_file_and_no_network(everything):
    page = report(everything[1])
    sources = re.findall(r'(?:src|href)="([^"]{1,40})', page)
    assert sources
    assert all(source.startswith(("data:image/", "#term-")) for source in sources)
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)


def test_the_same_bag_gives_the_same_report(everything, tmp_path):
    bag, folder, _ = everything
    evaluate_bag(bag, tmp_path / "again")
    assert report(tmp_path / "again") == report(folder)


def test_cones_that_are_the_truth_score_one(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=10, perfect=True, **NO_SENSORS))
    evaluation = evaluate_bag(bag, tmp_path / "out")
    assert evaluation.f1_colour == 1.0
    assert evaluation.rmse < 1e-5
    assert "No failures: every cone was found" in report(tmp_path / "out")


def test_without_a_camera_the_headline_is_f1(make_drive, plan, tmp_path):
    evaluation = evaluate_bag(make_drive(plan(frames=4, images=False)), tmp_path / "out")
    written = metrics(tmp_path / "out")
    assert evaluation.headline == written["headline"] == "f1"
    assert evaluation.score == written["f1"] == evaluation.total.counts.f1
    assert f"headline f1: {evaluation.score:.3f}; no camera" in summary_table(evaluation)
    page = report(tmp_path / "out")
    assert "no camera, so no colours" in page


def test_truth_between_stamps_is_carried_along_by_odometry(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=20, perfect=True, truth_every=4, **NO_SENSORS))
    evaluation = evaluate_bag(bag, tmp_path / "out")
    # The car moves 0.54 m per frame: without carrying, nothing would match that closely.
    assert evaluation.frames == 20
    assert evaluation.rmse < 1e-4


def test_truth_between_stamps_is_not_used_without_odometry(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=8, perfect=True, truth_every=4, odom=False, **NO_SENSORS))
    evaluation = evaluate_bag(bag, tmp_path / "out")
    assert evaluation.frames == 2
    assert "6 of 8 frames have no truth near their stamp" in report(tmp_path / "out")


def test_a_track_map_serves_as_truth(make_drive, plan, track, tmp_path):
    bag = make_drive(plan(frames=10, perfect=True, truth=False, **NO_SENSORS))
    save_cones(*track, tmp_path / "track.csv")
    evaluation = evaluate_bag(
        bag,
        tmp_path / "out",
        track=tmp_path / "track.csv",
        vehicle="formula_student",
        max_range=15.0,
    )
    assert evaluation.f1_colour > 0.99
    assert evaluation.rmse < 1e-3
    assert "track map track.csv" in report(tmp_path / "out")


def test_a_track_map_needs_no_odometry_of_the_base_itself(make_drive, plan, track, tmp_path):
    bag = make_drive(plan(frames=6, perfect=True, truth=False, body="lidar"))
    save_cones(*track, tmp_path / "track.csv")
    evaluation = evaluate_bag(bag, tmp_path / "out", track=tmp_path / "track.csv")
    assert evaluation.rmse < 1e-3
    assert "its poses are moved to base_link" in report(tmp_path / "out")


def test_a_track_map_is_refused_where_the_place_of_the_odometry_is_not_known(
    make_drive, plan, track, tmp_path
):
    bag = make_drive(plan(frames=3, body="zed_camera_link"))
    save_cones(*track, tmp_path / "track.csv")
    with pytest.raises(BagError, match=r"needs odometry, and that on /odom .*'zed_camera_link'"):
        evaluate_bag(bag, tmp_path / "out", track=tmp_path / "track.csv")
    evaluation = evaluate_bag(bag, tmp_path / "recorded")  # its own truth needs none
    assert evaluation.frames == 3
    assert "zed_camera_link" in report(tmp_path / "recorded")


def test_a_map_of_which_no_cone_comes_into_view_is_refused(make_drive, plan, track, tmp_path):
    bag = make_drive(plan(frames=3, truth=False))
    save_cones(track[0] + 500_000.0, track[1], tmp_path / "utm.csv")
    with pytest.raises(AlignmentError, match=r"utm\.csv does not fit .* 'conegrad align'"):
        evaluate_bag(bag, tmp_path / "out", track=tmp_path / "utm.csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("error:No artists with labels")
def test_a_map_that_hardly_any_cone_lies_on_is_doubted_aloud(
    make_drive, plan, track, tmp_path, caplog
):
    bag = make_drive(plan(frames=3, perfect=True, truth=False))
    save_cones(track[0] + 1.2, track[1], tmp_path / "shifted.csv")
    evaluation = evaluate_bag(bag, tmp_path / "out", track=tmp_path / "shifted.csv")
    assert evaluation.total.counts.matched == 0
    assert "shifted.csv (precision 0.00, recall 0.00)" in caplog.text
    assert "conegrad align" in report(tmp_path / "out")


def test_a_map_without_the_view_of_any_sensor_is_refused(make_drive, plan, track, tmp_path):
    save_cones(*track, tmp_path / "track.csv")
    bag = make_drive(plan(frames=2, truth=False, **NO_SENSORS))
    with pytest.raises(BagError, match="neither scans nor camera_info; give a vehicle"):
        evaluate_bag(bag, tmp_path / "out", track=tmp_path / "track.csv")


def test_the_vehicle_gives_the_bounds_of_the_evaluation(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=3, **NO_SENSORS))
    config = evaluate_bag(bag, tmp_path / "out", vehicle="roboracer").config
    assert (config.match_distance, config.max_range) == (0.2, 8.0)


def test_a_track_map_without_odometry_is_refused(make_drive, plan, tmp_path):
    (tmp_path / "track.csv").write_text("x,y,colour\n1,2,blue\n")
    bag = make_drive(plan(frames=2, odom=False, **NO_SENSORS))
    with pytest.raises(BagError, match="needs odometry"):
        evaluate_bag(bag, tmp_path / "out", track=tmp_path / "track.csv")


def test_a_bag_without_truth_gives_a_report_without_accuracy(make_drive, plan, tmp_path):
    evaluation = evaluate_bag(make_drive(plan(frames=4, truth=False)), tmp_path / "out")
    assert evaluation.frames == 0
    assert metrics(tmp_path / "out")["f1_colour"] is None
    page = report(tmp_path / "out")
    assert "No accuracy in this report" in page
    assert "By range" not in page
    assert (tmp_path / "out" / "pictures" / "camera_middle_frame.png").exists()


def test_a_bag_without_sensors_truth_odometry_and_latency_still_gives_a_report(
    make_drive, plan, tmp_path
):
    bag = make_drive(plan(frames=4, truth=False, odom=False, latency=False, **NO_SENSORS))
    evaluate_bag(bag, tmp_path / "out")
    assert "no images" in report(tmp_path / "out")


def test_latency_without_a_topic_is_the_delay_of_the_recording(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=10, latency=False, **NO_SENSORS))
    assert evaluate_bag(bag, tmp_path / "out").latency.p50 == pytest.approx(0.04, abs=0.01)


@pytest.mark.parametrize("inside", [".", "report"])
def test_a_report_is_not_written_into_a_bag(make_drive, plan, inside):
    bag = make_drive(plan(frames=2))
    files = sorted(bag.iterdir())
    with pytest.raises(ValueError, match="is a bag, expected another folder for the report"):
        evaluate_bag(bag, bag / inside)
    assert sorted(bag.iterdir()) == files


def test_a_bag_without_cones_is_refused_with_what_to_do(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=0))
    with pytest.raises(BagError, match=f"conegrad perceive {bag} -o {bag}_cones"):
        evaluate_bag(bag, tmp_path / "out")


def test_a_drive_without_cones_says_why_there_are_none(make_drive, plan, tmp_path):
    bag = make_drive(plan(frames=3, images=False, empty=True))
    evaluate_bag(bag, tmp_path / "out")
    page = report(tmp_path / "out")
    assert "None of the 3 messages on /cones holds a cone. The bag has no images." in page
    assert "true cones were in range and view, so the perception missed all of them" in page


def test_a_pipeline_is_measured_against_what_its_sensors_see(make_drive, plan, tmp_path):
    pipeline = tmp_path / "camera_alone.yaml"
    pipeline.write_text(CAMERA_ALONE)
    bag = make_drive(plan(frames=6, perfect=True, **NO_SENSORS))
    car = evaluate_bag(bag, tmp_path / "car")
    camera = evaluate_bag(bag, tmp_path / "camera", pipeline=pipeline)
    seen = sum(car.by_visibility[name].counts.true for name in ("camera", "both"))
    assert 0 < camera.total.counts.true == seen < car.total.counts.true


def test_two_systems_stand_side_by_side_with_a_paired_verdict(make_drive, plan, tmp_path):
    worse, better = make_drive(plan(frames=30)), make_drive(plan(frames=30, perfect=True))
    evaluation = evaluate_bag(better, tmp_path / "out", baseline=worse)
    beside = metrics(tmp_path / "out")["beside"]
    alone = evaluate_bag(worse, tmp_path / "alone")
    assert beside["frames"] == 30
    old, new, low, high = beside["figures"]["F1 with colour"]
    assert (old, new) == (pytest.approx(alone.f1_colour), pytest.approx(evaluation.f1_colour))
    assert low < new - old < high
    assert new > old
    # Three seconds are two independent blocks: no difference is sure.
    assert "not settled" in beside["verdict"]
    assert "<h2>Beside drive</h2>" in report(tmp_path / "out")


def test_two_drives_are_not_set_side_by_side(make_drive, plan, tmp_path):
    drive, without = make_drive(plan(frames=3)), make_drive(plan(frames=3, truth=False))
    with pytest.raises(BagError, match="share no stamp of cones with truth"):
        evaluate_bag(drive, tmp_path / "out", baseline=without)
