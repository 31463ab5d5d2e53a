"""Times of beams and points, as drivers write them."""

from types import SimpleNamespace

import numpy as np
import pytest

from conegrad_data.decode.beam_times import point_times, scan_times

STAMP = 1_700_000_000_250_000_000
SWEEP = np.linspace(0.0, 0.1, 5)  # [s]


def absolute(scale, kind):
    """Times of a sweep that begins at the stamp, in units of ``scale`` per second."""
    return (STAMP * scale / 1e9 + SWEEP * scale).astype(kind)


@pytest.mark.parametrize(
    ("name", "values", "first"),
    [
        pytest.param("t", (SWEEP * 1e9).astype("u4"), 0.0, id="Ouster: ns, relative"),
        pytest.param("time", SWEEP.astype("f4"), 0.0, id="Velodyne: s, from the first point"),
        pytest.param("time", (SWEEP - 0.1).astype("f4"), -0.1, id="Velodyne: s, to the last point"),
        pytest.param("timestamp", absolute(1.0, "f8"), 0.0, id="Hesai: s, absolute"),
        pytest.param("timestamp", absolute(1.0, "f8") - 0.1, -0.1, id="RoboSense: to the last"),
        pytest.param("timestamp", absolute(1e9, "f8"), 0.0, id="Livox: ns, absolute"),
        pytest.param("time_stamp", absolute(1e6, "u8"), 0.0, id="us, absolute"),
        pytest.param("offset_time", (SWEEP * 1e9).astype("u4"), 0.0, id="Livox: ns, relative"),
        pytest.param("time_offset_ns", (SWEEP * 1e9).astype("i4"), 0.0, id="ns, signed"),
        pytest.param("time", (SWEEP * 1e6).astype("f4"), 0.0, id="us, relative"),
        pytest.param("t", (SWEEP * 1e3).astype("f4"), 0.0, id="ms, relative"),
    ],
)
def test_times_of_points_are_read_in_the_unit_of_their_driver(name, values, first):
    found = point_times(name, values, STAMP)
    assert (found.warning, found.is_anchored) == ("", True)
    np.testing.assert_allclose(found.times, SWEEP + first, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        pytest.param(np.zeros(5), "the field t is 0.0 for all points", id="not filled"),
        pytest.param(np.array([0, np.nan]), "not finite for all points", id="NaN"),
        pytest.param(SWEEP * 1e4, "spans 1000, which is a scan in no unit", id="a second"),
        pytest.param(absolute(1.0, "f4"), "for all points", id="too coarse for single precision"),
    ],
)
def test_times_that_cannot_be_true_are_not_used_and_told(values, warning):
    found = point_times("t", values, STAMP)
    assert found.times is None
    assert warning in found.warning
    assert "motion within the scan is not compensated" in found.warning


def test_times_of_another_clock_hold_among_each_other_only():
    found = point_times("timestamp", absolute(1.0, "f8") + 37.0, STAMP)
    assert not found.is_anchored
    assert "lie 37.000 s from the stamp" in found.warning
    np.testing.assert_allclose(found.times, SWEEP, atol=1e-6)


def test_absolute_times_are_known_near_the_start_of_a_simulation():
    found = point_times("timestamp", 0.75 + SWEEP, 750_000_000)
    np.testing.assert_allclose(found.times, SWEEP, atol=1e-6)


@pytest.mark.parametrize(
    ("increment", "scan_time", "warning"),
    [
        (1e-4, 0.1, ""),
        (1e-4, 0.0, ""),
        (-1e-4, 0.1, ""),
        (0.0, 0.1, ""),
        (0.1, 100.0, "100 s for 1001 beams, expected at most 0.5 s: is the unit the second?"),
        (1e-4, 0.025, "0.1 s for 1001 beams, but scan_time is 0.025 s"),
        (np.nan, 0.1, "time_increment is nan s"),
    ],
)
def test_times_of_beams_must_fit_a_scan(increment, scan_time, warning):
    msg = SimpleNamespace(time_increment=increment, scan_time=scan_time)
    found = scan_times(msg, 1001)
    assert warning in found.warning
    assert bool(found.warning) == bool(warning)
    if warning or increment == 0.0:
        assert found.times is None
    else:
        assert (found.times[0], found.times[-1]) == (0.0, pytest.approx(1000 * increment))
