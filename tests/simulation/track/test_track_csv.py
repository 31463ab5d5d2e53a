"""Cone maps as CSV: round trip, foreign files, refusals."""

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_data.cone_map.cone_map_csv import read_cones
from conegrad_simulation.track.track_csv import save_csv, track_from_csv
from conegrad_simulation.track.track_events import acceleration
from conegrad_simulation.track.track_random import random_track


def test_track_comes_back_to_the_millimetre(tmp_path):
    track = random_track(2)
    save_csv(track, tmp_path / "track.csv")
    positions, classes = read_cones(tmp_path / "track.csv")
    np.testing.assert_allclose(positions, track.positions, atol=0.0005)
    np.testing.assert_array_equal(classes, track.classes)


def test_file_starts_with_its_columns_and_names_colours(tmp_path):
    save_csv(acceleration(), tmp_path / "track.csv")
    lines = (tmp_path / "track.csv").read_text().splitlines()
    assert lines[:2] == ["x,y,colour", "5.000,1.750,blue"]


def test_reads_columns_of_the_track_database_by_colour_name(tmp_path):
    path = tmp_path / "foreign.csv"
    path.write_text("cone_type,X,Y,Z,right\nbig_orange,1,2,0,1\nyellow,3.5,-4,0,0\n")
    positions, classes = read_cones(path)
    np.testing.assert_array_equal(positions, [[1.0, 2.0], [3.5, -4.0]])
    assert classes.tolist() == [ConeClass.BIG_ORANGE, ConeClass.YELLOW]


def test_centre_line_of_a_saved_track_is_its_own_again(tmp_path):
    track = random_track(4)
    save_csv(track, tmp_path / "track.csv")
    found = track_from_csv(tmp_path / "track.csv")
    assert found.is_closed
    gaps = np.linalg.norm(found.centre_line[:, None] - track.centre_line, axis=2)
    assert gaps.min(axis=1).max() < 1.0  # nowhere off the lane
    assert gaps.min(axis=0).max() < 2.0  # all the way around


def test_centre_line_of_a_straight_track_goes_between_the_colours(tmp_path):
    save_csv(acceleration(), tmp_path / "track.csv")
    line = track_from_csv(tmp_path / "track.csv").centre_line
    assert np.abs(line[:, 1]).max() < 0.01
    assert line[-1, 0] > line[0, 0] + 60.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"columns are \['a', 'b'\], expected x,y,colour"),
        ("x,y,colour\n1,2,green\n", r"line 2: colour is 'green', expected one of blue"),
        ("x,y,colour\n1,nan,blue\n", r"line 2: coordinate is 'nan', expected metres"),
        ("x,y,colour\n1,2,blue\nfar,2,blue\n", r"line 3: coordinate is 'far'"),
        ("x,y,colour\n", r"no cone in it"),
        ("x;y;colour\n1,5;2;blue\n", r"line 1: 'x;y;colour' has semicolons, expected commas"),
        ("", r"columns are \[\]"),
    ],
)
def test_wrong_file_is_refused_by_line_and_value(tmp_path, text, message):
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_cones(tmp_path / "wrong.csv")


def test_a_missing_map_is_named_with_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.csv: no such file, expected a map of the"):
        read_cones(tmp_path / "gone.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_map_from_a_spreadsheet_is_read_or_refused_by_name(tmp_path, encoding):
    (tmp_path / "sheet.csv").write_text("x, y, colour\n1, 2, blue\n", encoding=encoding)
    if encoding == "utf-8-sig":
        positions, _ = read_cones(tmp_path / "sheet.csv")
        np.testing.assert_array_equal(positions, [[1.0, 2.0]])
    else:
        with pytest.raises(ValueError, match=r"sheet\.csv is not text in UTF-8"):
            read_cones(tmp_path / "sheet.csv")


def test_map_without_yellow_cones_has_no_centre_line(tmp_path):
    (tmp_path / "blue.csv").write_text("x,y,colour\n1,2,blue\n3,4,blue\n")
    with pytest.raises(ValueError, match=r"2 blue and 0 yellow cones, expected at least 2"):
        track_from_csv(tmp_path / "blue.csv")
