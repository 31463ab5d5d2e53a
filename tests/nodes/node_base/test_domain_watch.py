"""What a sensor node says of frames that are unlike those of the training."""

import numpy as np
import pytest
import torch

pytest.importorskip("rclpy")

from conegrad_core.domain_monitor.domain_model import WINDOW, fit_domain, save_domain
from conegrad_core.domain_monitor.scan_statistics import SCAN_STATISTICS, scan_statistics
from conegrad_core.lidar.scan import Scan
from conegrad_data.status.part_status import Level
from conegrad_nodes.node_base.domain_watch import PERIOD_NS, DomainWatch


def scan(seed, noise):
    ranges = 5.0 + np.random.default_rng(seed).normal(0, noise, 200)
    return Scan(torch.from_numpy(ranges).float(), torch.linspace(-2, 2, 200))


@pytest.fixture
def path(tmp_path):
    rows = np.stack([scan_statistics(scan(seed, 0.01)) for seed in range(60)])
    path = tmp_path / "monitor.safetensors"
    save_domain({"Scan": fit_domain([rows], SCAN_STATISTICS)}, path)
    return path


def test_frames_that_are_unlike_are_a_warning_and_an_alarm_with_the_cause(path):
    watch = DomainWatch(str(path), "Scan")
    (status,) = watch.status()
    assert status.level == Level.OK
    assert watch.alarms() == ()
    for seed in range(WINDOW):
        watch.observe(scan(100 + seed, 0.4), (seed + 1) * PERIOD_NS)
    (status,) = watch.status()
    assert status.level == Level.WARN
    assert "unlike those of the training: distance" in status.text
    assert float(status.values["distance"]) > float(status.values["threshold"])
    (alarm,) = watch.alarms()
    assert alarm == ("scan_unlike", status.text)


def test_frames_in_quick_succession_are_passed_over(path):
    watch = DomainWatch(str(path), "Scan")
    for seed in range(3 * WINDOW):
        watch.observe(scan(seed, 0.4), 10**18 + seed * PERIOD_NS // 4)
    assert watch.status()[0].level == Level.OK


def test_without_a_file_nothing_is_said_and_without_a_model_of_the_sensor_that(path):
    assert DomainWatch("", "Scan").status() == []
    watch = DomainWatch(str(path), "Image")
    watch.observe(None, 0)
    assert "was fitted without Image frames" in watch.status()[0].text


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        DomainWatch(str(tmp_path / "gone"), "Scan")
