"""Individual training of the cone detector on frames that a test paints itself."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from conegrad_core.camera.checkpoint import load_network
from conegrad_training.supervised import camera_training
from conegrad_training.supervised.camera_batches import CropBatches, collate
from conegrad_training.supervised.camera_crops import LabelledImage, random_crop, varied, whole
from conegrad_training.supervised.camera_frames import FrameStore
from conegrad_training.supervised.camera_training import CameraTrainingConfig, train_camera
from conegrad_training.supervised.network_training import warm_average

COLOURS = ((30, 60, 200), (230, 210, 30), (240, 120, 20), (250, 100, 0))


def painted(seed):
    """Grey frame with four coloured blocks: class 0 to 3 from left to right."""
    rng = np.random.default_rng(seed)
    image = rng.integers(90, 110, (192, 320, 3), dtype=np.uint8)
    lefts = np.array([10, 90, 170, 250]) + rng.integers(0, 30, 4)
    tops = rng.integers(20, 120, 4)
    boxes = np.stack([lefts, tops, lefts + 24, tops + 36], 1)
    for (left, top, right, bottom), colour in zip(boxes, COLOURS, strict=True):
        image[top:bottom, left:right] = colour
    return LabelledImage(image, boxes.astype(np.float32), np.arange(4))


def blue_extent(image):
    """Box of the pixels that are mostly blue."""
    is_blue = image[..., 2].astype(int) - image[..., 0] > 80
    rows, columns = is_blue.any(1).nonzero()[0], is_blue.any(0).nonzero()[0]
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def config(tmp_path, **settings):
    small = {"frames": 12, "steps": 4, "batch": 4, "crop_width": 96, "crop_height": 96}
    small |= {"evaluation_frames": 4, "checkpoint_every": 2, "precision": "fp32", "workers": 1}
    folders = {"output": str(tmp_path / "run"), "frames_folder": str(tmp_path / "frames")}
    return CameraTrainingConfig(**(small | folders | settings))


@pytest.fixture
def painted_frames(monkeypatch):
    monkeypatch.setattr(FrameStore, "render_missing", lambda *_: None)
    monkeypatch.setattr(
        FrameStore, "__getitem__", lambda store, index: painted(store.first_seed + index)
    )


@pytest.mark.parametrize("seed", range(6))
def test_boxes_follow_their_pixels_through_crop_and_mirror(seed):
    rng = np.random.default_rng(seed)
    frame = painted(seed)
    only_blue = LabelledImage(frame.image, frame.boxes_xyxy[:1], frame.classes[:1])
    found = varied(random_crop(only_blue, (160, 96), rng), rng)
    assert found.image.shape == (96, 160, 3)
    if len(found.classes):
        np.testing.assert_allclose(found.boxes_xyxy[0], blue_extent(found.image), atol=1.5)


def test_a_box_that_is_mostly_outside_is_dropped():
    image = np.zeros((96, 160, 3), dtype=np.uint8)
    boxes = np.array([[-32, 10, 8, 50], [-28, 10, 12, 50]], dtype=np.float32)
    kept = whole(LabelledImage(image, boxes, np.array([0, 1])))
    assert kept.classes.tolist() == [1]
    assert kept.boxes_xyxy.tolist() == [[0, 10, 12, 50]]


def test_targets_are_centres_and_sizes_as_fractions():
    image = np.zeros((100, 200, 3), dtype=np.uint8)
    first = LabelledImage(image, np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64))
    second = LabelledImage(image, np.array([[20, 10, 60, 50]], dtype=np.float32), np.array([2]))
    batch = collate([first, second])
    assert batch.batch_idx.tolist() == [1.0]
    assert batch.cls.tolist() == [2.0]
    torch.testing.assert_close(batch.bboxes, torch.tensor([[0.2, 0.3, 0.2, 0.4]]))


def test_batches_are_functions_of_seed_and_step():
    settings = {"batch": 4, "size": (96, 96), "whole_from": 2, "steps": 3}
    frames = [painted(seed) for seed in range(5)]
    first, again = (CropBatches(frames, seed=3, **settings) for _ in range(2))
    for step in range(3):
        torch.testing.assert_close(first[step], again[step])
    assert not torch.equal(first[0].inputs, first[1].inputs)
    assert first[2].inputs.shape == (1, 3, 192, 320)


def test_frames_are_rendered_once_and_a_stopped_rendering_goes_on(tmp_path):
    store = FrameStore(tmp_path, first_seed=100, count=60)
    store.render_missing(painted, workers=1)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    kept, lost = sorted(files)
    lost.unlink()  # as if the rendering had been stopped
    FrameStore(tmp_path, 100, 60).render_missing(painted, workers=1)
    assert kept.stat().st_mtime_ns == files[kept]
    assert lost.exists()
    frame, expected = store[57], painted(157)
    np.testing.assert_array_equal(frame.boxes_xyxy, expected.boxes_xyxy)
    assert np.abs(frame.image.astype(int) - expected.image).mean() < 6  # compressed


@pytest.mark.usefixtures("painted_frames")
def test_a_short_run_lowers_the_loss_and_writes_weights_with_a_card(tmp_path):
    settings = config(tmp_path, steps=30, checkpoint_every=5, averaging=0.5)
    card = train_camera(settings)
    rows = (tmp_path / "run" / "losses.csv").read_text().splitlines()[1:]
    losses = [sum(map(float, row.split(",")[1:])) for row in rows]
    assert losses[-1] < 0.7 * losses[0]
    assert card["metrics"]["frames"] == 4
    assert not math.isnan(card["metrics"]["AP50"]["mean"])
    loaded = load_network(tmp_path / "run" / "yolov5n_cones.safetensors")
    assert json.loads(loaded.metadata["settings"])["steps"] == 30
    assert "--steps 30" in (tmp_path / "run" / "yolov5n_cones.md").read_text()


@pytest.mark.usefixtures("painted_frames")
def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path, monkeypatch):
    whole_run, stopped = tmp_path / "whole", tmp_path / "stopped"
    train_camera(config(whole_run))
    steps = camera_training.train_steps

    def interrupted(state, frames, settings, start):
        for count, losses in enumerate(steps(state, frames, settings, start)):
            if count == 3:
                raise KeyboardInterrupt
            yield losses

    monkeypatch.setattr(camera_training, "train_steps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_camera(config(stopped))
    monkeypatch.setattr(camera_training, "train_steps", steps)
    train_camera(config(stopped))
    found, expected = (
        load_file(folder / "run" / "yolov5n_cones.safetensors") for folder in (stopped, whole_run)
    )
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_moving_average_soon_forgets_the_first_weights():
    update = warm_average(0.995)
    averaged = [torch.tensor([100.0])]
    for age in range(1, 60):
        update(averaged, [torch.tensor([1.0])], torch.tensor(age))
    assert averaged[0].item() == pytest.approx(1.0, abs=0.01)
