"""A look at pictures: files, boxes, places on the ground, and the tilt that the boxes fit."""

import csv
import math

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.geometry.camera import project
from conegrad_evaluation.pictures.picture_files import PictureError, find_pictures, read_picture
from conegrad_evaluation.pictures.picture_report import PictureReport
from conegrad_evaluation.pictures.seen_picture import RoughMounting, look_at, tilt_of_boxes

WIDTH, HEIGHT = 640, 360
PLACES = torch.tensor([[5.0, 1.0], [8.0, -1.5], [6.0, 0.0]])


def write_picture(path, colour=(255, 0, 0)):
    image = np.full((12, 20, 3), colour, dtype=np.uint8)  # of OpenCV: blue first
    coded, data = cv2.imencode(path.suffix, image)
    assert coded
    path.write_bytes(data.tobytes())
    return path


def boxes_of(calibration):
    """Boxes of small cones at known places."""
    ground = torch.zeros(len(PLACES), 1)
    front = PLACES * (1 - 0.1 / PLACES.norm(dim=-1, keepdim=True))
    foot, _ = project(
        torch.cat([front, ground], -1), calibration.camera_from_lidar, calibration.camera
    )
    tip, _ = project(
        torch.cat([PLACES, ground + 0.325], -1), calibration.camera_from_lidar, calibration.camera
    )
    half = 0.35 * (foot[:, 1] - tip[:, 1])
    return torch.stack([foot[:, 0] - half, tip[:, 1], foot[:, 0] + half, foot[:, 1]], -1)


def detector_of(boxes):
    logits = torch.full((len(boxes), 4), -6.0)
    logits[:, 1] = torch.tensor([3.0, 1.0, -3.0])  # yellow; the last one below the usual score
    return lambda images: [Detections(boxes, logits)]


def test_folders_stand_for_their_pictures_and_each_counts_once(tmp_path):
    first, second = (write_picture(tmp_path / name) for name in ("a.png", "b.JPG"))
    (tmp_path / "notes.txt").write_text("no picture")
    assert find_pictures([tmp_path, first]) == [first, second]


def test_what_is_no_picture_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.png does not exist"):
        find_pictures([tmp_path / "gone.png"])
    with pytest.raises(PictureError, match="holds no pictures"):
        find_pictures([tmp_path])
    broken = tmp_path / "broken.png"
    for content in (b"", b"no picture"):
        broken.write_bytes(content)
        with pytest.raises(PictureError, match=r"broken\.png cannot be read as a picture"):
            read_picture(broken)


def test_pictures_are_rgb_also_at_a_path_with_other_letters(tmp_path):
    folder = tmp_path / "ä ö"
    folder.mkdir()
    image = read_picture(write_picture(folder / "ü.png"))
    assert image.shape == (12, 20, 3)
    assert image[0, 0].tolist() == [0, 0, 255]


def test_boxes_of_a_low_score_are_left_out_and_classes_counted():
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    boxes = torch.tensor([[10.0, 10, 20, 30], [40, 10, 60, 40], [80, 10, 90, 30]])
    seen = look_at(image, detector_of(boxes))
    assert seen.cones is None
    assert seen.counts() == {"blue": 0, "yellow": 2, "small_orange": 0, "big_orange": 0}


@pytest.mark.parametrize("tilt", [0.0, 12.0])
def test_a_rough_mounting_places_cones_and_the_boxes_tell_its_tilt(tilt):
    mounting = RoughMounting(height=1.1, tilt=tilt, fov=80.0)
    calibration = mounting.calibration(WIDTH, HEIGHT)
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    seen = look_at(image, detector_of(boxes_of(calibration)), calibration, 0.0)
    assert (seen.cones.positions - PLACES).norm(dim=-1).max() < 0.6
    found = math.degrees(float(tilt_of_boxes(seen, 1.1, calibration).median()))
    assert found == pytest.approx(tilt, abs=1.5)


def test_a_camera_that_sees_no_ground_is_refused():
    with pytest.raises(ValueError, match="tilt"):
        RoughMounting(height=1.0, tilt=-80.0, fov=40.0)


def test_the_report_holds_each_picture_the_table_and_the_page(tmp_path):
    mounting = RoughMounting(height=1.1, tilt=10.0, fov=80.0)
    calibration = mounting.calibration(WIDTH, HEIGHT)
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    report = PictureReport(tmp_path / "seen")
    seen = look_at(image, detector_of(boxes_of(calibration)), calibration)
    report.add(tmp_path / "one.png", image, seen, calibration)
    report.add(
        tmp_path / "two #1.png", image, look_at(image, detector_of(boxes_of(calibration))), None
    )
    page = report.finish().read_text()
    assert (tmp_path / "seen/0001_one.jpg").is_file()
    assert "0002_two%20%231.jpg" in page
    assert "2 yellow; nearest cone" in page
    with (tmp_path / "seen/cones.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert float(rows[0]["x"]) == pytest.approx(5.0, abs=0.6)
    assert rows[3]["x"] == ""
