"""Recorded scans with labelled beams: reading, refusing, drawing, and learning from them."""

import json
import math

import numpy as np
import pytest

from conegrad_training.supervised.labelled_scans import LabelledScans, read_scans, read_split
from conegrad_training.supervised.lidar_training import LidarTrainingConfig, train_lidar

BEAMS = 180
ANGLES = np.linspace(-math.pi / 2, math.pi / 2, BEAMS)


def scene(count):
    """Scans of a wall at 8 m with one cone, 5 beams wide at 3 m, that moves from scan to scan."""
    ranges, labels = np.full((count, BEAMS), 8.0), np.zeros((count, BEAMS), dtype=int)
    for row in range(count):
        cone = slice(10 + 3 * row, 15 + 3 * row)
        ranges[row, cone], labels[row, cone] = 3.0, 1
    return {"ranges": ranges, "labels": labels, "angles": ANGLES}


def written(path, **changes):
    np.savez(path, **{**scene(9), **changes})
    return path


def test_reads_scans_of_several_rings_and_forgets_what_the_car_would_not_use(tmp_path):
    flat = scene(6)
    ranges = flat["ranges"].reshape(3, 2, BEAMS)
    ranges[0, 0, :3] = 0.0, 25.0, np.inf
    angles = np.stack([ANGLES, ANGLES + 0.3])
    labels = flat["labels"].reshape(3, 2, BEAMS)
    recording = read_scans(written(tmp_path / "a.npz", ranges=ranges, labels=labels, angles=angles))
    assert recording.scans.ranges.shape == (3, 2, BEAMS)
    assert np.isnan(recording.scans.ranges[0, 0, :3]).all()
    assert recording.label_values == 3 * 2 * BEAMS - 3
    assert recording.scans.step == pytest.approx(math.pi / (BEAMS - 1))


def test_angles_may_run_clockwise_and_across_pi(tmp_path):
    clockwise = (math.pi - 0.1 - np.arange(BEAMS) * 0.01 + math.pi) % (2 * math.pi) - math.pi
    assert read_scans(written(tmp_path / "a.npz", angles=clockwise)).scans.step == pytest.approx(
        0.01
    )


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        pytest.param("labels", (2, 7), 3, r"labels\[2, 7\] is 3, expected 0 \(no cone\)", id="id"),
        pytest.param("ranges", (1, 4), -1, r"ranges\[1, 4\] is -1\.0, expected metres", id="range"),
        pytest.param("angles", 5, 3.0, r"neighbouring angles are .* rad apart", id="uneven angles"),
    ],
)
def test_names_file_place_and_value_of_what_cannot_be(tmp_path, name, place, value, message):
    values = scene(9)[name].copy()
    values[place] = value
    with pytest.raises(ValueError, match=r"a\.npz: " + message):
        read_scans(written(tmp_path / "a.npz", **{name: values}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"angles": np.degrees(ANGLES)}, "expected at most a turn", id="degrees"),
        pytest.param({"labels": np.zeros((9, 3))}, r"labels \(9, 3\), expected", id="shape"),
        pytest.param({"angles": np.zeros(7)}, r"angles has shape \(7,\)", id="angles' shape"),
    ],
)
def test_refuses_arrays_that_do_not_fit(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_scans(written(tmp_path / "a.npz", **changes))


def test_names_the_arrays_that_are_missing(tmp_path):
    np.savez(tmp_path / "a.npz", range_xy=np.zeros((3, 9)))
    with pytest.raises(ValueError, match=r"holds range_xy, expected the arrays ranges, labels"):
        read_scans(tmp_path / "a.npz")


def test_reads_the_names_of_recordings_with_numbered_cones(tmp_path):
    flat = scene(6)
    numbers = flat["labels"] * np.arange(1, 7)[:, None]
    path = tmp_path / "a.npz"
    np.savez(path, range_xy=flat["ranges"], cone_id=numbers, azimuth=ANGLES, intensity=numbers)
    recording = read_scans(path)
    np.testing.assert_array_equal(recording.scans.labels[:, 0], flat["labels"] == 1)


def test_returns_beyond_the_range_of_the_car_are_kept_where_asked_for(tmp_path):
    ranges = scene(9)["ranges"]
    ranges[0, 0] = 25.0
    recording = read_scans(written(tmp_path / "a.npz", ranges=ranges), max_range=math.inf)
    assert recording.scans.ranges[0, 0, 0] == 25.0


def test_splits_a_folder_by_file_or_by_the_last_third(tmp_path):
    written(tmp_path / "a.npz")
    written(tmp_path / "b.npz")
    training, evaluated = read_split(tmp_path, "b")
    assert [(r.name, len(r.scans.ranges)) for r in training] == [("a", 9)]
    assert [(r.name, len(r.scans.ranges)) for r in evaluated] == [("b", 9)]
    training, evaluated = read_split(tmp_path / "a.npz", "")
    assert [len(r.scans.ranges) for r in (*training, *evaluated)] == [6, 3]


def test_labels_stay_with_their_returns_in_every_batch(tmp_path):
    recording = read_scans(written(tmp_path / "a.npz"))
    batches, again = (LabelledScans([recording], 5, 4, 8) for _ in range(2))
    for index in range(4):
        batch = batches[index]
        returned = np.isfinite(batch.ranges)
        assert np.array_equal((batch.ranges < 5)[returned], batch.labels[returned])
        assert np.array_equal(batch.ranges, again[index].ranges, equal_nan=True)
    assert not np.array_equal(batches[0].labels, batches[1].labels)


def test_training_on_recorded_scans_evaluates_those_kept_aside_before_and_after(tmp_path):
    config = LidarTrainingConfig(
        output=str(tmp_path / "run"),
        scans=str(written(tmp_path / "drive.npz")),
        weights="shipped",
        learning_rate=2e-3,
        steps=12,
        sensors=1,
        workers=0,
        mix=0.0,
        evaluation_batches=1,
    )
    card = train_lidar(config)
    before, after = (
        card["metrics"]["drive, kept aside, before"],
        card["metrics"]["drive, kept aside"],
    )
    assert before["true_positives"] + before["false_negatives"] == 3 * 5
    assert after["f1"] >= before["f1"]
    assert card["data"] == f"recorded scans: drive, {6 * BEAMS} labelled beams"
    assert f"Trained on {card['data']}." in (tmp_path / "run" / "scan_cnn.md").read_text()
    assert json.loads((tmp_path / "run" / "scan_cnn.json").read_text()) == card
