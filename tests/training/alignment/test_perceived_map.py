import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.alignment.alignment_picture import draw_alignment
from conegrad_training.alignment.map_alignment import Alignment, ConeMap, SeenCones
from conegrad_training.alignment.perceived_map import (
    SeenConesConfig,
    Sighting,
    put_together,
    seen_cones,
)
from conegrad_training.systems.system_config import SystemConfig

BLUE, UNKNOWN = np.eye(5)[ConeClass.BLUE], np.eye(5)[ConeClass.UNKNOWN]


def sighting(*cones: tuple[float, float, np.ndarray]) -> Sighting:
    positions = np.array([cone[:2] for cone in cones]).reshape(-1, 2)
    return Sighting(np.zeros(3), positions, np.array([c[2] for c in cones]).reshape(-1, 5))


def test_sightings_of_one_cone_become_one_cone_in_their_middle():
    frames = [sighting((4.0, 1.0, BLUE)), sighting((4.3, 1.0, UNKNOWN)), sighting((4.1, 1.3, BLUE))]
    seen = put_together(frames, SeenConesConfig())
    np.testing.assert_allclose(seen.positions, [[(4.0 + 4.3 + 4.1) / 3, 1.1]])
    assert seen.classes.tolist() == [ConeClass.BLUE]
    assert seen.poses.shape == (3, 3)


def test_a_cone_of_two_frames_is_not_sure():
    frames = [sighting((4.0, 1.0, BLUE)), sighting(), sighting((4.0, 1.0, BLUE))]
    assert len(put_together(frames, SeenConesConfig()).positions) == 0


def test_cones_that_a_frame_tells_apart_stay_apart():
    frames = [sighting((4.0, 1.0, BLUE), (5.0, 1.0, BLUE))] * 3
    assert put_together(frames, SeenConesConfig()).positions.tolist() == [[4.0, 1.0], [5.0, 1.0]]


def test_a_colour_nobody_saw_is_unknown():
    seen = put_together([sighting((4.0, 1.0, UNKNOWN))] * 3, SeenConesConfig())
    assert seen.classes.tolist() == [ConeClass.UNKNOWN]


def test_poses_of_a_drive_are_those_of_its_odometry(
    small_bag: SimulatedBag, replay: BagReplay, system_config: SystemConfig
):
    config = SeenConesConfig(frames=3, sightings=1, sure_existence=0.01)
    seen = seen_cones(small_bag.path, config, system=system_config)
    stamps = [replay.drive.frames[place].scan.stamp_ns for place in (0, 3, 6)]
    np.testing.assert_allclose(seen.poses, [replay.drive.odometry.at(stamp) for stamp in stamps])
    # Nothing is farther away than the range that counts, plus the mounting of the LiDAR.
    distances = np.linalg.norm(seen.positions[:, None] - seen.poses[None, :, :2], axis=-1)
    assert len(seen.positions) > 0
    assert distances.min(axis=1).max() < 10.0 + 2.5


def test_no_sightings_are_refused():
    with pytest.raises(ValueError, match="no sightings"):
        put_together([], SeenConesConfig())


def test_the_picture_is_drawn(tmp_path):
    survey = ConeMap(np.array([[0.0, 0.0], [3.0, 1.0]]), np.array([0, 1]))
    seen = SeenCones(survey.positions + 1, np.array([0, 4]), np.zeros((2, 3)))
    fit = Alignment(np.array([1.0, 1.0, 0.0]), np.array([0, -1]), 0.0, 0.5, 1.0)
    draw_alignment(survey, seen, fit, tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
