"""The commands ``conegrad monitor fit`` and ``conegrad monitor check``."""

import numpy as np

from conegrad_bringup.command_line import main
from conegrad_data.bags import messages
from conegrad_data.bags.writer import BagWriter

SCAN = "sensor_msgs/msg/LaserScan"
PLAIN = {
    "angle_min": -1.0, "angle_increment": 0.02, "range_min": 0.1, "range_max": 30.0,
    "scan_time": 0.05,
}  # fmt: skip


def record(path, seed, noise=0.02):
    rng = np.random.default_rng(seed)
    with BagWriter(path) as bag:
        for number in range(30):
            ranges = 5 + np.sin(np.arange(101) / 9) + rng.normal(0, noise, 101)
            stamp = 10**9 + number * 10**8
            bag.write("/scan", SCAN, stamp, messages.scan_msg(stamp, "lidar", ranges, **PLAIN))
    return str(path)


def test_a_drive_unlike_those_that_were_fitted_is_exit_code_1_and_named(tmp_path, capsys):
    drives = [record(tmp_path / f"drive{seed}", seed) for seed in range(3)]
    monitor = str(tmp_path / "monitor.safetensors")
    assert main(["monitor", "fit", *drives, "-o", monitor]) == 0
    assert "Scan: 90 frames of 3 drives" in capsys.readouterr().out
    assert main(["monitor", "check", drives[0], "--monitor", monitor]) == 0
    noisy = record(tmp_path / "noisy", 9, noise=0.2)
    assert main(["monitor", "check", noisy, "--monitor", monitor]) == 1
    assert (
        "of 30 frames are unlike those of the training, most of all in" in capsys.readouterr().out
    )


def test_a_bag_without_a_sensor_is_refused(tmp_path, capsys):
    with BagWriter(tmp_path / "empty"):
        pass
    output = str(tmp_path / "monitor.safetensors")
    assert main(["monitor", "fit", str(tmp_path / "empty"), "-o", output]) == 1
    assert "holds no image and no scan that can be used" in capsys.readouterr().err
