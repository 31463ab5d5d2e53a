"""True cones around the car: where they are, and who can see them."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import ConeClass
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.gazebo.camera_view import CameraView
from conegrad_simulation.gazebo.true_frames import TrueFrames
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive_render import MIN_BOX_HEIGHT, MIN_VISIBILITY
from conegrad_simulation.scene.scene import standard_scene
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

VEHICLE = load_vehicle("formula_student")  # LiDAR 1.6 m ahead of base_link, 0.15 m high
SECOND = 1_000_000_000


def scene_of(*places):
    return standard_scene(np.array(places, dtype=float), np.full(len(places), ConeClass.YELLOW))


def answer(frames, stamp_ns, pose, sensors=("camera", "lidar")):
    frames.add_pose(stamp_ns, pose)
    for sensor in sensors:
        frames.request(stamp_ns, sensor)
    return frames.take_ready()[-1][1]


def test_cones_are_in_the_frame_of_the_lidar():
    # The car looks along y from (10, 20): the LiDAR is at (10, 21.6).
    frames = TrueFrames(scene_of((8.0, 26.6)), VEHICLE)
    truth = answer(frames, SECOND, Pose2(10.0, 20.0, math.pi / 2))
    torch.testing.assert_close(truth.positions, torch.tensor([[5.0, 2.0]], dtype=torch.float64))
    assert truth.classes.tolist() == [ConeClass.YELLOW]
    assert truth.visible_camera.tolist() == [True]
    assert truth.visible_lidar.tolist() == [True]


def test_a_cone_behind_the_car_is_true_and_not_visible():
    truth = answer(TrueFrames(scene_of((-5.0, 0.0)), VEHICLE), SECOND, Pose2(0.0, 0.0, 0.0))
    assert truth.positions.shape == (1, 2)
    assert not truth.visible_camera.any()
    assert not truth.visible_lidar.any()


def test_a_cone_right_behind_another_is_hidden_from_the_plane_of_the_lidar():
    truth = answer(
        TrueFrames(scene_of((5.6, 0.0), (9.6, 0.0)), VEHICLE), SECOND, Pose2(0.0, 0.0, 0.0)
    )
    assert truth.visible_lidar.tolist() == [True, False]
    assert truth.visible_camera.tolist() == [True, True]  # from 1.1 m above, over the first


def test_the_rings_of_a_3d_lidar_look_over_a_small_cone_at_a_big_one():
    # 0.3 m high; the ring 0.0175 rad up passes 0.37 m over the first and 0.405 m at the second.
    classes = np.array([ConeClass.YELLOW, ConeClass.BIG_ORANGE])
    scene = standard_scene(np.array([[5.6, 0.0], [7.6, 0.0]]), classes)
    seen = {
        lidar: answer(TrueFrames(scene, VEHICLE, lidar), SECOND, Pose2(0.0, 0.0, 0.0))
        for lidar in ("planar", "cloud")
    }
    assert seen["planar"].visible_lidar.tolist() == [True, False]
    assert seen["cloud"].visible_lidar.tolist() == [True, True]


def test_the_pose_at_the_stamp_lies_between_its_neighbours():
    frames = TrueFrames(scene_of((11.6, 0.0)), VEHICLE)
    frames.request(3 * SECOND // 2, "camera")
    frames.request(3 * SECOND // 2, "lidar")
    frames.add_pose(SECOND, Pose2(0.0, 0.0, 0.0))
    assert frames.take_ready() == []  # the car may still turn before the stamp
    frames.add_pose(2 * SECOND, Pose2(2.0, 0.0, 0.0))
    stamp_ns, truth = frames.take_ready()[-1]
    assert stamp_ns == 3 * SECOND // 2
    torch.testing.assert_close(truth.positions, torch.tensor([[9.0, 0.0]], dtype=torch.float64))
    assert frames.take_ready() == []


def test_a_stamp_before_the_first_pose_has_no_answer():
    frames = TrueFrames(scene_of((5.0, 0.0)), VEHICLE)
    frames.request(1, "lidar")
    frames.add_pose(SECOND, Pose2(0.0, 0.0, 0.0))
    assert frames.take_ready() == []


def test_time_that_starts_again_starts_the_truth_again():
    frames = TrueFrames(scene_of((6.6, 0.0)), VEHICLE)
    answer(frames, 9 * SECOND, Pose2(3.0, 0.0, 0.0))
    truth = answer(frames, SECOND, Pose2(0.0, 0.0, 0.0))
    torch.testing.assert_close(truth.positions, torch.tensor([[5.0, 0.0]], dtype=torch.float64))


def test_a_cone_that_was_knocked_away_is_where_it_lies():
    frames = TrueFrames(scene_of((5.0, 0.0)), VEHICLE)
    # Fallen towards y: the axis of the cone points along y.
    fallen = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    frames.move_cone(0, (7.6, 1.0), fallen)
    truth = answer(frames, SECOND, Pose2(0.0, 0.0, 0.0))
    torch.testing.assert_close(truth.positions, torch.tensor([[6.0, 1.0]], dtype=torch.float64))
    np.testing.assert_allclose(frames.scene.cone_leans[0], [0.0, math.pi / 2], atol=1e-6)


def test_a_cone_that_stands_still_keeps_the_scene():
    frames = TrueFrames(scene_of((5.0, 0.0)), VEHICLE)
    before = frames.scene
    frames.move_cone(0, (5.001, 0.0), torch.eye(3))
    assert frames.scene is before


def test_refuses_a_sensor_that_is_not_there():
    with pytest.raises(ValueError, match="sensor is 'radar', expected one of camera, lidar"):
        TrueFrames(scene_of((5.0, 0.0)), VEHICLE).request(1, "radar")


def test_the_camera_view_and_the_renderer_agree_on_visible_cones():
    from conegrad_simulation.render.camera import CameraRenderer
    from conegrad_simulation.scene.world import World

    description = describe_scene(SceneSettings(seed=2))
    pose = description.track.start_pose()
    camera = description.vehicle.camera
    rendered = CameraRenderer(camera.model(), camera.mounting).render(
        description.scene, Pose(*pose), World(ego_vehicle="none"), 0
    )
    heights = rendered.boxes_xyxy[:, 3] - rendered.boxes_xyxy[:, 1]
    is_seen = (rendered.visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT)
    seen = CameraView(camera).visible_cones(description.scene, pose)
    assert sorted(seen) == sorted(rendered.cones[is_seen])
    assert len(seen) > 3
