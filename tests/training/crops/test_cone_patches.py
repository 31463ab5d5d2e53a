"""Patches around cones, and how they are kept on disk."""

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.samples.frame_sampler import sample_image
from conegrad_training.crops import cone_patches
from conegrad_training.crops.cone_patches import (
    LARGEST,
    ConePatch,
    SimulatedCones,
    cut_patches,
    mirrored_patch,
)
from conegrad_training.crops.patch_store import PatchFormat

IMAGE = sample_image(3, load_vehicle("formula_student"), "clear", (640, 360))


def test_patches_are_parts_of_the_image_with_its_labels():
    patches = cut_patches(IMAGE)
    assert len(patches) == len(IMAGE.classes)
    for row, patch in enumerate(patches):
        assert patch.scale == 1.0
        corner = IMAGE.boxes_xyxy[row, :2] - patch.box_xyxy[:2]
        left, top = np.rint(corner).astype(int)
        height, width = patch.image.shape[:2]
        np.testing.assert_array_equal(
            patch.image, IMAGE.image[top : top + height, left : left + width]
        )
        np.testing.assert_allclose(patch.keypoints + corner, IMAGE.keypoints[row], atol=1e-3)


def test_large_cones_are_shrunk_with_their_labels():
    row = 0
    large = IMAGE._replace(
        image=np.kron(IMAGE.image[:180, :320], np.ones((2, 2, 1), np.uint8)),
        boxes_xyxy=np.array([[100.0, 10.0, 300.0, 340.0]], dtype=np.float32),
        keypoints=IMAGE.keypoints[:1] * 0 + 100.0,
    )
    (patch, *_) = cut_patches(large._replace(classes=large.classes[:1]))
    assert patch.box_xyxy[3] - patch.box_xyxy[1] == pytest.approx(LARGEST, abs=1.0)
    assert patch.scale == pytest.approx(LARGEST / 330.0)
    share = (patch.keypoints[row] - patch.box_xyxy[:2]) / (patch.box_xyxy[2:] - patch.box_xyxy[:2])
    np.testing.assert_allclose(share, [0.0, 90 / 330], atol=1e-3)


def test_mirror_swaps_left_and_right(patches: list[ConePatch]):
    patch = patches[0]
    visible = np.array([True, False, True, True, True, True, True])
    mirror = mirrored_patch(patch._replace(visible=visible))
    assert mirror.visible.tolist() == [True, True, False, True, True, True, True]
    assert (mirror.keypoints[1::2, 0] < mirror.keypoints[2::2, 0]).all()
    u, v = np.rint(patch.keypoints[5]).astype(int)
    np.testing.assert_array_equal(patch.image[v, u], mirror.image[v, 99 - u])
    assert mirror.keypoints[6, 0] == pytest.approx(99 - patch.keypoints[5, 0])
    again = mirrored_patch(mirrored_patch(patch))
    for before, after in zip(patch, again, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-4)


def test_patches_come_back_from_disk(patches: list[ConePatch]):
    layout, items = PatchFormat(), [tuple(patches[:2]), (), tuple(patches[2:5])]
    arrays = layout.pack(items)
    for row, item in enumerate(items):
        found = layout.unpack(arrays, row)
        assert len(found) == len(item)
        for patch, expected in zip(found, item, strict=True):
            assert np.abs(patch.image.astype(int) - expected.image).mean() < 6  # compressed
            for value, wanted in zip(patch[1:], expected[1:], strict=True):
                np.testing.assert_array_equal(value, wanted)


def test_images_without_cones_can_be_kept():
    arrays = PatchFormat().pack([(), ()])
    assert PatchFormat().unpack(arrays, 1) == ()


def test_mixed_level_takes_turns_between_cars(monkeypatch):
    calls = []
    monkeypatch.setattr(cone_patches, "sample_image", lambda *call: calls.append(call) or IMAGE)
    for seed in range(8):
        SimulatedCones("mixed")(seed)
    assert {size for *_, size in calls} == {(1280, 720), (640, 480)}
    assert [seed for seed, *_ in calls] == list(range(8))
    assert {level for _, _, level, _ in calls} == {"clear", "varied", "wide"}
