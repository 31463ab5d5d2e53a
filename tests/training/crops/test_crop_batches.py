"""Batches of crops: labels fit pictures, variations keep them, and the same seed the same batch."""

import numpy as np
import pytest
import torch

from conegrad_core.crops.matching import NONE, match_crops
from conegrad_training.crops.cone_patches import ConePatch
from conegrad_training.crops.crop_batches import CropBatches, crop_batch
from conegrad_training.crops.patch_augmentation import _covered, jittered_boxes, varied_patch


def test_batches_depend_on_seed_and_step_alone(patches: list[ConePatch]):
    first, again = (CropBatches(patches, seed=3, cones=5, steps=9) for _ in range(2))
    torch.testing.assert_close(first[4], again[4])
    assert not torch.equal(first[4].crops.pictures, first[5].crops.pictures)
    other = CropBatches(patches, seed=4, cones=5, steps=9)
    assert not torch.equal(first[4].crops.pictures, other[4].crops.pictures)


def test_each_crop_matches_its_own_cone(patches: list[ConePatch]):
    batch = crop_batch(patches[:20], 2, np.random.default_rng(0))
    rows = match_crops(batch.crops.windows_xyxy, batch.labels["keypoints"].boxes_xyxy)
    matched = rows != NONE
    assert matched.float().mean() > 0.9
    assert (rows == torch.arange(20).repeat_interleave(2))[matched].all()


def test_labels_lie_in_the_pictures_where_the_cone_is(patches: list[ConePatch]):
    batch = crop_batch(patches, 1, np.random.default_rng(0))
    truth, windows = batch.labels["keypoints"], batch.crops.windows_xyxy
    side = windows[:, 2] - windows[:, 0]
    places = (truth.positions - windows[:, None, :2]) / side[:, None, None]
    size = batch.crops.pictures.shape[-1]
    foot = ((places[:, 5:].mean(dim=1)) * size).long().clamp(0, size - 1)
    rows = torch.arange(len(patches))
    colours = batch.crops.pictures[rows, :, foot[:, 1], foot[:, 0]]
    spread = colours.amax(dim=1) - colours.amin(dim=1)
    assert (spread > 0.3).all()  # the ground is grey


def test_boxes_spread_around_the_true_one_and_more_around_small_ones(patches: list[ConePatch]):
    rng = np.random.default_rng(0)
    patch = patches[0]
    small = patch._replace(scale=4.0)  # four pixels of the patch to one of the image

    def spread(of: ConePatch) -> float:
        boxes = jittered_boxes(of, 400, rng)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        middle = (of.box_xyxy[:2] + of.box_xyxy[2:]) / 2
        assert np.abs(centres.mean(axis=0) - middle).max() < 1.0
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        return float(centres.std())

    assert spread(small) > 1.2 * spread(patch)


@pytest.mark.parametrize("seed", range(6))
def test_keypoints_behind_a_cover_are_not_visible(patches: list[ConePatch], seed: int):
    covered = _covered(patches[0], np.random.default_rng(seed))
    changed = (covered.image != patches[0].image).any(axis=2)
    for (u, v), visible in zip(
        np.rint(covered.keypoints).astype(int), covered.visible, strict=True
    ):
        near = changed[v - 1 : v + 2, u - 1 : u + 2]
        assert not near.all() if visible else near.any()
    assert not covered.visible.all()


def test_variations_keep_the_kind_of_patch(patches: list[ConePatch]):
    rng = np.random.default_rng(1)
    for patch in patches:
        varied = varied_patch(patch, rng)
        assert varied.image.shape == patch.image.shape
        assert varied.image.dtype == np.uint8
        assert varied.label == patch.label
        assert varied.keypoints.dtype == varied.box_xyxy.dtype == np.float32
