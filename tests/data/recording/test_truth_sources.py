"""Targets of a map: whose marks count where the camera's pose is not known."""

import torch

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import mounted_calibration
from conegrad_core.vehicle import load_vehicle
from conegrad_data.recording.truth_sources import UnhiddenTruth

SCAN, IMAGE, UNKNOWN = 100, 90, 10


class Marks:
    """Two cones; the image sees the first one, the scan says that the camera saw the second."""

    def at(self, stamp_ns):
        if stamp_ns == UNKNOWN:
            return None
        camera = torch.tensor([stamp_ns == IMAGE, stamp_ns == SCAN])
        positions = torch.tensor([[5.0, 1.0], [6.0, -1.0]])
        return TrueCones(positions, torch.tensor([0, 1]), camera, torch.ones(2, dtype=torch.bool))


def truth_of_marks():
    vehicle = load_vehicle("formula_student")
    base_from_lidar = vehicle.lidar.mounting.base_from_sensor().float()
    calibration = mounted_calibration(
        vehicle.camera.model(), vehicle.camera_from_lidar(), base_from_lidar
    )
    return UnhiddenTruth(Marks(), calibration)


def test_the_image_says_what_the_camera_saw():
    assert truth_of_marks().at(SCAN, IMAGE).visible_camera.tolist() == [True, False]


def test_the_scan_says_it_where_the_pose_at_the_image_is_not_known():
    # Odometry may begin between an image and its scan; the frame has truth all the same.
    assert truth_of_marks().at(SCAN, UNKNOWN).visible_camera.tolist() == [False, True]
    assert truth_of_marks().at(UNKNOWN, IMAGE) is None
