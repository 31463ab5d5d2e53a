import base64
import math

import cv2
import numpy as np
import pytest
from lidar_system import lidar_alone, recorded

from conegrad_training.tracking.flavour import ServedSystem, _image

RANGES = [4.0 if 60 <= beam < 64 else math.inf for beam in range(181)]
ROW = {"ranges": RANGES, "angle_min": -math.pi / 2, "angle_increment": math.pi / 180}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "system"
    return ServedSystem(recorded(folder, lidar_alone()))


def test_each_row_gives_its_cones(served):
    found, nothing = served.predict([ROW, {**ROW, "ranges": [math.inf] * 181}])
    assert nothing == []
    (cone,) = found
    assert math.hypot(cone["x"], cone["y"]) == pytest.approx(4.0, abs=0.1)
    assert cone["colour"] == "unknown"
    assert 0.5 < cone["existence"] < 1


def test_another_vehicle_replaces_the_calibration(served):
    assert len(served.predict([ROW], {"vehicle": "roboracer"})[0]) <= 1


def test_a_scan_without_angles_is_refused(served):
    with pytest.raises(ValueError, match=r"angle_increment' are -1.5.* and None, expected"):
        served.predict([{**ROW, "angle_increment": math.nan}])


def test_an_image_is_read_from_base64_as_rgb():
    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[..., 2] = 200  # red for OpenCV
    encoded = base64.b64encode(cv2.imencode(".png", picture)[1]).decode()
    image = _image({"image": encoded})
    assert image.shape == (4, 6, 3)
    assert image[0, 0].tolist() == [200, 0, 0]
    with pytest.raises(ValueError, match="not base64"):
        _image({"image": "no picture!"})
    with pytest.raises(ValueError, match="not a PNG or JPEG"):
        _image({"image": base64.b64encode(b"nothing").decode()})
