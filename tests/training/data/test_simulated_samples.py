"""Samples of the simulator: the labels of every loss."""

import numpy as np
import torch

from conegrad_core.camera.image import TrueBoxes
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.samples.sample import SampleKey
from conegrad_simulation.samples.frame_sampler import sample_frame
from conegrad_training.data.augmentation import mirrored
from conegrad_training.data.simulated_samples import image_labels, sample_of_frame

FRAME = sample_frame(3, load_vehicle("formula_student"), "varied")
SAMPLE = sample_of_frame(FRAME, SampleKey("simulation", 3, 0))


def test_sample_has_the_labels_of_the_frame():
    labels = SAMPLE.labels
    assert set(labels) == {"boxes", "cone_colours", "keypoints", "stands", "beams"}
    assert isinstance(labels["cone_colours"], TrueBoxes)
    np.testing.assert_array_equal(labels["stands"].stands, FRAME.sample.stands)
    np.testing.assert_array_equal(labels["keypoints"].positions, FRAME.sample.keypoints)
    assert labels["keypoints"].visible.any()


def test_keypoints_leave_out_cones_that_lie():
    stands = np.arange(len(FRAME.sample.stands)) != 1
    labels = image_labels(FRAME.sample._replace(stands=stands))
    np.testing.assert_array_equal(labels["keypoints"].boxes_xyxy, FRAME.sample.boxes_xyxy[stands])
    assert len(labels["keypoints"].classes) == len(labels["boxes"].classes) - 1
    assert not labels["stands"].stands[1]


def test_mirrored_keypoints_swap_their_sides():
    before, after = (sample.labels["keypoints"] for sample in (SAMPLE, mirrored(SAMPLE)))
    width = FRAME.sample.image.shape[1]
    torch.testing.assert_close(after.positions[:, 1, 0], width - before.positions[:, 2, 0])
    torch.testing.assert_close(after.positions[:, 0, 1], before.positions[:, 0, 1])
    assert (after.positions[:, 1, 0] < after.positions[:, 2, 0]).all()
    torch.testing.assert_close(mirrored(mirrored(SAMPLE)).labels["keypoints"], before)
