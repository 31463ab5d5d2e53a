"""Scans and clouds to planar scans with the times of their beams."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_data.recording.scan_reading import ScanReader

STAMP = 1_700_000_000_000_000_000
DATATYPES = {"f4": 7, "f8": 8, "u4": 6}
BEAMS = 360
REDUCTION = ReductionConfig(sensor_height=0.3, beams=BEAMS, turns=1)


def cloud(times, name="t", kind="u4", **changes):
    """A wall all round at 5 m and a nearer point at beam 0, later than the wall behind it."""
    angles = 2 * np.pi * np.arange(BEAMS) / BEAMS - np.pi
    layout = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), (name, f"<{kind}")])
    points = np.zeros(BEAMS, dtype=layout)
    points["x"], points["y"], points["z"] = 5 * np.cos(angles), 5 * np.sin(angles), -0.15
    points[name] = times
    points = np.append(points, points[:1])
    points["x"][-1], points[name][-1] = -4.0, times[-1]
    fields = [
        SimpleNamespace(
            name=n, offset=layout.fields[n][1], count=1, datatype=DATATYPES[layout[n].str[1:]]
        )
        for n in layout.names
    ]
    values = {
        "header": SimpleNamespace(stamp=SimpleNamespace(sec=STAMP // 10**9, nanosec=0)),
        "height": 1, "width": len(points), "point_step": layout.itemsize,
        "row_step": len(points) * layout.itemsize, "is_bigendian": False, "fields": fields,
        "data": points.tobytes(),
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


SWEEP = np.linspace(0, 0.1, BEAMS)  # [s]


def test_each_beam_has_the_time_of_its_nearest_point():
    read = ScanReader(REDUCTION).read(cloud(SWEEP * 1e9))
    assert read.warnings == []
    assert read.scan.ranges[0] == pytest.approx(4.0)
    assert read.scan.times[0] == pytest.approx(0.1)  # of the nearer point
    torch.testing.assert_close(read.scan.times[1:], torch.from_numpy(SWEEP[1:]).float())


def test_a_cloud_without_times_has_none_and_no_doubts():
    read = ScanReader(REDUCTION).read(cloud(SWEEP, name="intensity", kind="f4"))
    assert read.scan.times is None
    assert read.warnings == []


def test_times_of_another_clock_are_told_and_used_once_their_stamp_is_named():
    msg = cloud(STAMP / 1e9 + 37 + SWEEP, name="timestamp", kind="f8")
    read = ScanReader(REDUCTION).read(msg)
    assert read.scan.times is None
    assert "lie 37.000 s from the stamp" in read.warnings[0]
    read = ScanReader(REDUCTION, SweepConfig(stamp="last")).read(msg)
    assert read.warnings == []
    assert read.scan.times[1].item() == pytest.approx(SWEEP[1] - 0.1, abs=1e-6)


def test_a_cloud_whose_times_cannot_be_read_is_used_and_told():
    msg = cloud(SWEEP * 1e9)
    msg.fields[3].count = 2
    read = ScanReader(REDUCTION).read(msg)
    assert read.scan.times is None
    assert read.scan.ranges.isfinite().all()
    assert "the field t cannot be read" in read.warnings[0]


def test_the_order_of_an_rplidar_is_set_right():
    msg = SimpleNamespace(
        angle_min=0.0, angle_max=6.2, angle_increment=0.1, range_min=0.1, range_max=12.0,
        time_increment=0.001, scan_time=0.1, ranges=np.ones(63),
    )  # fmt: skip
    times = ScanReader(sweep=SweepConfig(stamp="last", is_reversed=True)).read(msg).scan.times
    assert (times[0], times[-1]) == (0.0, pytest.approx(-0.062))
