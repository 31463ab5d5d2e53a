"""From a pair to its cones: each in the frame of its scan, with the calibration of its frames."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cone_tracks import TrackConfig
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.odometry import Path2, Pose2
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.part import part_of
from conegrad_core.timing.pairing import Pair
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_nodes.pair_fusion import PairFusion, SensorResult
from conegrad_nodes.parameters.node_settings import ConeOutputConfig
from conegrad_nodes.pipeline_hosts import pipeline_hosts

FRAMES = """
frames:
  - {parent: base_link, child: front, translation: [1.0, 0, 0.15], quaternion: [0, 0, 0, 1]}
  - {parent: base_link, child: roof, translation: [0.5, 0, 0.25], quaternion: [0, 0, 0, 1]}
  - parent: base_link
    child: camera
    translation: [0.5, 0.0, 1.0]
    quaternion: [-0.5, 0.5, -0.5, 0.5]
camera: {width: 160, height: 96, intrinsics: [80, 80, 80, 48], distortion_model: none,
         distortion: []}
"""


@pytest.fixture
def fusion(tmp_path):
    path = tmp_path / "frames.yaml"
    path.write_text(FRAMES)

    def make(track_ids=False, **options):
        config = CalibrationConfig(intrinsics="file", extrinsics="file", file=str(path), **options)
        graph = build_pipeline(part_of(load_specification("camera_lidar"), ["fuser"]))
        graph.accelerate()
        calibration, output = CalibrationSource(config), ConeOutputConfig(track_ids=track_ids)
        return PairFusion(graph, pipeline_hosts(), calibration, output, TrackConfig())

    return make


def scan(frame, distance=4.0):
    """A cone of five beams straight ahead."""
    ranges = torch.full((181,), math.nan)
    ranges[88:93] = distance
    segmented = SegmentedScan(ranges, torch.linspace(-1.5, 1.5, 181), torch.full((181,), 6.0))
    return SensorResult(0, frame, {"segmentation": segmented})


def image(size=(160, 96)):
    """A blue cone 4.5 m before the camera."""
    bottom, top = 48 + 80 / 4.5, 48 + 80 * 0.675 / 4.5
    boxes = torch.tensor([[78.0, top, 82.0, bottom]])
    found = Detections(boxes, torch.tensor([[-6.0, 6, -6, -6]]))
    return SensorResult(0, "camera", {"detections": found}, size)


def pair(detections=None, segmentation=None):
    return Pair(0, detections, segmentation, None, 0.0, "")


def test_alarms_of_both_sides_are_reasons_of_the_cones(fusion):
    doubts = [Reason("image_unlike", "dark"), Reason("scan_unlike", "fog")]
    seen = image()._replace(alarms=(doubts[0],)), scan("front")._replace(alarms=(doubts[1],))
    fused = fusion().fuse(pair(*seen))
    assert fused.reasons == tuple(doubts)


def test_two_scanners_on_one_topic_each_give_cones_in_their_own_frame(fusion):
    fuse = fusion().fuse
    for frame, height in [("front", 0.15), ("roof", 0.25)] * 2:
        for images in (None, image()):
            fused = fuse(pair(images, scan(frame)))
            assert (fused.frame, fused.ground.z) == (frame, pytest.approx(-height))


def test_an_image_alone_gives_cones_in_the_frame_of_the_newest_scan(fusion):
    alone = fusion(default_lidar_frame="roof")
    assert alone.fuse(pair(image())).frame == "roof"
    alone.lidar_frame = "front"
    assert alone.fuse(pair(image())).frame == "front"


def test_before_any_scan_an_image_gives_cones_in_the_frame_of_the_base(fusion):
    assert fusion().fuse(pair(image())).frame == "base_link"


def test_a_scan_without_a_frame_is_refused(fusion):
    with pytest.raises(CalibrationError, match="the frame of the LiDAR is not known: its messages"):
        fusion().fuse(pair(image(), scan("")))


def test_the_frame_of_the_settings_replaces_that_of_the_messages(fusion):
    named = fusion(lidar_frame="roof")
    assert named.fuse(pair(image(), scan("a wrong name"))).frame == "roof"


def test_a_pair_whose_frame_is_not_known_is_refused_and_the_next_is_fused(fusion):
    fuse = fusion().fuse
    with pytest.raises(CalibrationError, match="from 'elsewhere' to 'base_link'"):
        fuse(pair(image(), scan("elsewhere")))
    assert fuse(pair(image(), scan("front"))).frame == "front"


def test_intrinsics_of_another_image_size_are_refused(fusion):
    with pytest.raises(CalibrationError, match="are 80x48 px, but the intrinsics are for 160x96"):
        fusion().fuse(pair(image((80, 48)), scan("front")))


def rolling_scan(path):
    """The cone ahead, in the middle of 0.1 s; the pair has the path of the car."""
    seen = scan("front")
    times = torch.linspace(0.0, 0.1, 181)
    values = {"segmentation": seen.values["segmentation"]._replace(times=times)}
    return pair(segmentation=seen._replace(values=values))._replace(path=path)


def test_a_cone_is_where_it_was_seen_from_a_car_that_drove_on(fusion):
    # 10 m/s: at 50 ms the car is 0.5 m further than at the stamp.
    path = Path2(np.array([0.0, 0.1]), np.array([[0.0, 0, 0], [1.0, 0, 0]]))
    fuse = fusion()
    (still,) = fuse.fuse(rolling_scan(None)).cones.positions
    (moved,) = fuse.fuse(rolling_scan(path)).cones.positions
    torch.testing.assert_close(moved - still, torch.tensor([0.5, 0.0]), atol=1e-4, rtol=0)


def test_motion_within_scans_that_is_not_compensated_is_told(fusion):
    path = Path2(np.array([0.0, 0.1]), np.array([[0.0, 0, 0], [1.0, 0, 0]]))
    fuse = fusion()
    for _ in range(2):
        fuse.fuse(rolling_scan(None))
    assert fuse.motion_warning() == ""  # odometry may begin a moment later
    fuse.fuse(rolling_scan(None))
    assert "scans take 0.100 s and no odometry covers them" in fuse.motion_warning()
    assert "up to 0.10 m off for each m/s" in fuse.motion_warning()
    fuse.fuse(rolling_scan(path))
    assert fuse.motion_warning() == ""
    for _ in range(5):
        fuse.fuse(pair(segmentation=scan("front")))  # all beams at the stamp
    assert fuse.motion_warning() == ""


def moving(x, segmentation, *, seconds=0.0, origin=0):
    """A scan of a car that stands at x [m]; without odometry where x is None."""
    pose = None if x is None else Pose2(x, 0.0, 0.0)
    alone = pair(None, segmentation)
    return alone._replace(stamp_ns=round(seconds * 1e9), pose=pose, origin=origin)


def test_a_cone_keeps_its_id_in_the_frames_of_two_scanners_while_the_car_moves(fusion):
    # At 5 m from the base; the scanner on the roof is 0.5 m behind the one in front.
    tracked = fusion(track_ids=True)
    first = tracked.fuse(moving(0.0, scan("front", 4.0))).cones
    other = tracked.fuse(moving(0.0, scan("roof", 4.5), seconds=0.05)).cones
    nearer = tracked.fuse(moving(1.0, scan("front", 3.0), seconds=0.1)).cones
    assert first.ids.tolist() == other.ids.tolist() == nearer.ids.tolist() == [1]
    next_to_it = tracked.fuse(moving(1.0, scan("front", 4.5), seconds=0.15)).cones
    assert next_to_it.ids.tolist() == [2]


def test_tracking_changes_nothing_but_the_ids(fusion):
    plain, tracked = fusion(), fusion(track_ids=True)
    for step in range(5):  # the car drives 0.3 m, the odometry says 0.2 m: filters would show
        moved = moving(0.2 * step, scan("front", 4.0 - 0.3 * step), seconds=0.1 * step)
        moved = moved._replace(detections=image())
        expected, found = plain.fuse(moved).cones, tracked.fuse(moved).cones
        assert expected.ids is None
        assert len(found.ids) == len(found.source) > 0
        for one, other in zip(found[:-1], expected[:-1], strict=True):
            assert one.numpy().tobytes() == other.numpy().tobytes()


def test_without_odometry_cones_have_no_id_and_the_reason_is_told(fusion):
    tracked = fusion(track_ids=True)
    for _ in range(3):
        assert tracked.identity_warning() == ""
        assert tracked.fuse(moving(None, scan("front"))).cones.ids.tolist() == [0]
    assert "no odometry covers their stamps" in tracked.identity_warning()
    assert tracked.fuse(moving(0.0, scan("front"))).cones.ids.tolist() == [1]
    assert tracked.identity_warning() == ""


def test_another_frame_of_the_odometry_gives_new_ids(fusion):
    tracked = fusion(track_ids=True)
    assert tracked.fuse(moving(0.0, scan("front"))).cones.ids.tolist() == [1]
    anew = moving(0.0, scan("front"), seconds=0.1, origin=1)
    assert tracked.fuse(anew).cones.ids.tolist() == [2]
