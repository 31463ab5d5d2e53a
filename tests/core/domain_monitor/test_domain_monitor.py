"""Frames that are unlike those of a training: statistics, threshold, file, latest frames."""

import math

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.domain_monitor.domain_model import (
    WINDOW,
    fit_domain,
    load_domain,
    save_domain,
    smoothed,
)
from conegrad_core.domain_monitor.domain_monitor import (
    STATISTICS,
    DomainMonitor,
    load_monitor,
    monitor_file,
)
from conegrad_core.domain_monitor.image_statistics import IMAGE_STATISTICS, image_statistics
from conegrad_core.domain_monitor.scan_statistics import SCAN_STATISTICS, scan_statistics
from conegrad_core.lidar.scan import Scan

NAMES = ("a", "b", "c")


def picture(seed=0, light=1.0):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 220, (12, 20, 3)).astype(np.float32)
    image = cv2.resize(coarse, (160, 96), interpolation=cv2.INTER_CUBIC)
    return np.clip(light * image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def scan(seed=0, noise=0.01, share=0.8):
    rng = np.random.default_rng(seed)
    angles = np.linspace(-2, 2, 400)
    ranges = 6 + 2 * np.sin(3 * angles + rng.uniform(0, 6)) + rng.normal(0, noise, 400)
    ranges[rng.random(400) > share] = math.nan
    return Scan(torch.from_numpy(ranges).float(), torch.from_numpy(angles).float())


def gaussian_drives(count, frames=30, seed=0):
    """Drives that differ from each other as much as their frames do."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 1, 3) + rng.normal(0, 1, (frames, 3)) for _ in range(count)]


def test_statistics_are_finite_and_as_many_as_their_names_also_of_odd_frames():
    odd_images = [np.zeros((8, 10, 3), np.uint8), np.full((700, 300, 3), 255, np.uint8)]
    for image in (picture(), *odd_images):
        found = image_statistics(image)
        assert found.shape == (len(IMAGE_STATISTICS),)
        assert np.isfinite(found).all()
    nothing = Scan(torch.full((50,), math.nan), torch.linspace(-1, 1, 50))
    for each in (scan(), nothing, Scan(torch.tensor([2.0, math.inf]), torch.tensor([0.0, 0.1]))):
        found = scan_statistics(each)
        assert found.shape == (len(SCAN_STATISTICS),)
        assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("kind", "usual", "other", "cause"),
    [
        ("Image", picture, lambda seed: picture(seed, light=0.2), "light_lower"),
        ("Scan", scan, lambda seed: scan(seed, noise=0.2), "roughness"),
        ("Scan", scan, lambda seed: scan(seed, share=0.3), "returns"),
    ],
    ids=["dark", "noisy", "dropped"],
)
def test_other_frames_raise_an_alarm_that_names_what_is_unusual(kind, usual, other, cause):
    names, statistics = STATISTICS[kind]
    drives = [
        np.stack([statistics(usual(100 * drive + frame)) for frame in range(12)])
        for drive in range(4)
    ]
    monitor = DomainMonitor(kind, fit_domain(drives, names))
    for seed in range(WINDOW):
        assert not monitor.observe(usual(5000 + seed)).is_unlike
    for seed in range(WINDOW):
        state = monitor.observe(other(6000 + seed))
    assert state.is_unlike
    assert cause in state.unusual or cause in _farthest(monitor, 6)


def _farthest(monitor, count):
    return monitor._model.unusual(monitor._latest, count)


def test_an_alarm_waits_for_a_full_window_and_one_odd_frame_is_none():
    size = len(SCAN_STATISTICS)
    model = fit_domain(gaussian_drives(12), NAMES)._replace(
        names=SCAN_STATISTICS, centre=np.zeros(size), spread=np.ones(size), precision=np.eye(size)
    )
    monitor = DomainMonitor("Scan", model)
    states = [monitor.observe(scan(seed)) for seed in range(WINDOW)]
    assert [state.is_full for state in states] == [False] * (WINDOW - 1) + [True]
    assert states[-1].distance == pytest.approx(np.median([s.distance for s in states]), rel=0.3)


def test_the_threshold_holds_for_drives_that_the_model_has_not_seen():
    model = fit_domain(gaussian_drives(30), NAMES, false_alarms=0.05)
    unseen = [smoothed(model.distances(drive)) for drive in gaussian_drives(200, seed=1)]
    assert (np.concatenate(unseen) > model.threshold).mean() <= 0.05
    assert model.false_alarms <= 0.05


def test_a_file_gives_the_same_distances(tmp_path):
    path = tmp_path / "monitor.safetensors"
    drives = [np.stack([scan_statistics(scan(d * 50 + k)) for k in range(20)]) for d in range(3)]
    model = fit_domain(drives, SCAN_STATISTICS)
    save_domain({"Scan": model}, path)
    found = load_domain(path)["Scan"]
    assert np.array_equal(found.distances(drives[0]), model.distances(drives[0]))
    assert found.threshold == model.threshold
    assert load_monitor(path, "Image") is None
    assert load_monitor(path, "Scan") is not None


def test_what_is_no_monitor_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a file of conegrad monitor fit"):
        load_domain(tmp_path / "gone.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no")
    with pytest.raises(ValueError, match=r"broken\.safetensors is not a safetensors file"):
        load_domain(broken)
    other = fit_domain(gaussian_drives(3), NAMES)
    with pytest.raises(ValueError, match="fit it again"):
        DomainMonitor("Scan", other)


@pytest.mark.parametrize(
    ("drives", "text"),
    [
        ([np.zeros((3, 3))], "drives have 3 frames together, expected 40 or more"),
        ([np.full((60, 3), np.nan)], "statistics are not finite"),
    ],
)
def test_too_few_or_odd_frames_are_refused(drives, text):
    with pytest.raises(ValueError, match=text):
        fit_domain(drives, NAMES)


def test_a_monitor_that_ships_has_a_name_and_any_other_a_path(tmp_path):
    models = load_domain(monitor_file("clear"))
    assert set(models) == {"Image", "Scan"}
    assert all(model.drives == 24 for model in models.values())
    assert all(model.false_alarms <= 0.01 for model in models.values())
    own = tmp_path / "own.safetensors"
    assert monitor_file(str(own)) == own
