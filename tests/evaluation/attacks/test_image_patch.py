"""A printed picture in the image: where the camera sees it, and the gradient into it."""

import numpy as np
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import pinhole_camera, project
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.attacks.attacked import randomly_changed
from conegrad_evaluation.attacks.image_patch import beside_cone, on_cone
from conegrad_evaluation.attacks.printed_patch import PatchPlace, with_patch
from conegrad_evaluation.attacks.threat import read_threat
from conegrad_evaluation.samples.sample import Sample, SampleKey

LIDAR_HEIGHT = 0.2
CAMERA = pinhole_camera(160, 96, 1.2)


def calibration():
    """A camera 0.8 m above the LiDAR that looks down a little."""
    lidar_from_camera = mounting_matrix(torch.tensor([0.0, 0.0, 0.8]), 0.0, 0.15, 0.0)
    return Calibration(CAMERA, optical_from_body() @ rigid_inverse(lidar_from_camera), LIDAR_HEIGHT)


def sample(*positions):
    count = len(positions)
    seen = torch.ones(count, dtype=torch.bool)
    truth = TrueCones(
        torch.tensor(positions).view(-1, 2), torch.zeros(count, dtype=torch.int64), seen, seen
    )
    image = np.full((96, 160, 3), 90, dtype=np.uint8)
    return Sample({"image": image}, FrameContext(calibration()), truth, SampleKey("lap", 0, 0))


def pixel_of(point):
    place = torch.tensor([point], dtype=torch.float32)
    pixels, visible = project(place, calibration().camera_from_lidar, CAMERA)
    assert visible.all()
    column, row = pixels[0].round().long().tolist()
    return row, column


def test_a_square_on_the_ground_is_seen_where_it_lies_and_its_top_is_the_far_side():
    texture = torch.zeros(3, 2, 2)
    texture[0, 0], texture[2, 1] = 200.0, 150.0  # red far row, blue near row
    place = PatchPlace(
        torch.tensor([4.0, 0.5, -LIDAR_HEIGHT]),
        torch.tensor([0.0, -0.5, 0.0]),
        torch.tensor([0.8, 0.0, 0.0]),
    )
    levels = torch.full((96, 160, 3), 90.0)
    shown = with_patch(levels, texture, place, CAMERA, calibration().camera_from_lidar)
    assert shown[pixel_of([4.7, 0.5, -LIDAR_HEIGHT])].tolist() == [200.0, 0.0, 0.0]
    assert shown[pixel_of([3.3, 0.5, -LIDAR_HEIGHT])].tolist() == [0.0, 0.0, 150.0]
    assert shown[pixel_of([4.0, -0.6, -LIDAR_HEIGHT])].tolist() == [90.0, 90.0, 90.0]
    assert (levels == 90.0).all()


def test_the_gradient_of_the_image_reaches_the_texture():
    texture = torch.full((3, 4, 4), 50.0, requires_grad=True)
    place = beside_cone(sample([4.0, 1.0]), calibration(), 0.6)
    levels = torch.full((96, 160, 3), 90.0)
    with_patch(levels, texture, place, CAMERA, calibration().camera_from_lidar).sum().backward()
    assert (texture.grad > 0).all()


def test_a_picture_behind_the_camera_changes_nothing():
    place = beside_cone(sample([4.0, 1.0]), calibration(), 0.6)
    behind = place._replace(centre=torch.tensor([-4.0, 0.0, -LIDAR_HEIGHT]))
    levels = torch.full((96, 160, 3), 90.0)
    shown = with_patch(
        levels, torch.zeros(3, 2, 2), behind, CAMERA, calibration().camera_from_lidar
    )
    assert torch.equal(shown, levels)


def test_a_patch_lies_beside_the_nearest_cone_away_from_the_path():
    place = beside_cone(sample([6.0, 1.0], [4.0, -1.5]), calibration(), 0.6)
    # 0.2 m from the axis to the edge, half of 0.6 m to the centre.
    torch.testing.assert_close(
        place.centre, torch.tensor([4.0, -2.0, -LIDAR_HEIGHT], dtype=torch.float64)
    )
    assert beside_cone(sample([30.0, 0.0]), calibration(), 0.6) is None


def test_a_sticker_stands_upright_before_its_cone_and_faces_the_car():
    place = on_cone(sample([4.0, 0.0]), calibration(), 0.1)
    expected = torch.tensor([3.9, 0.0, 0.14 - LIDAR_HEIGHT], dtype=torch.float64)
    torch.testing.assert_close(place.centre, expected)
    assert place.right.tolist() == [0.0, -0.05, 0.0]
    assert place.top.tolist() == [0.0, 0.0, 0.05]


def test_a_frame_without_a_cone_in_reach_stays_as_it_is():
    (changed,) = randomly_changed([sample([30.0, 0.0])], read_threat("image_patch:0.6"))
    assert (changed.inputs["image"] == 90).all()
    (changed,) = randomly_changed([sample([4.0, 1.0])], read_threat("image_patch:0.6"))
    assert (changed.inputs["image"] != 90).any()
