"""Disturbed training samples: which ones, how, and what stays as it was."""

import dataclasses
import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Subset

from conegrad_core.losses import EndLoss
from conegrad_core.settings import SettingError
from conegrad_core.vehicle import Vehicle
from conegrad_data.errors import ReplayError
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.augmentation import UNCHANGED, AugmentationConfig, mirrored
from conegrad_training.data.disturbed_training import (
    DisturbanceConfig,
    DisturbedTraining,
    place_of,
    trained_disturbances,
)
from conegrad_training.data.sample_stream import SampleBatches, joined, stream
from conegrad_training.data.simulated_samples import SimulatedSamples
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import RunConfig, TrainingConfig, run_training
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem
from conegrad_training.systems.system_config import SystemConfig

BOTH = ("Image", "Scan")


def chosen(samples: Any, *words: str, share: float = 1.0, seed: int = 3) -> DisturbedTraining:
    return DisturbedTraining(samples, DisturbanceConfig(words, share), BOTH, seed)


def batches(
    replay: BagReplay, disturbances: DisturbedTraining | None, augmentation: Any = UNCHANGED
) -> SampleBatches:
    return SampleBatches(
        replay, seed=3, batch=2, steps=6, augmentation=augmentation, disturbances=disturbances
    )


def test_a_share_of_the_samples_has_a_disturbance_of_any_severity(replay: BagReplay):
    draws = chosen(replay, "image_hue", "scan_fog:1", "camera_yaw:degrees=1.5", share=0.25)
    faults = [draws.fault(place) for place in range(4000)]
    drawn = [fault for fault in faults if fault is not None]
    assert 900 < len(drawn) < 1100  # a quarter, by five standard deviations at most
    counts = Counter(str(fault) for fault in drawn)
    hues = {f"image_hue:{severity}" for severity in (1, 2, 3)}
    assert set(counts) == {*hues, "scan_fog:1", "camera_yaw:degrees=1.5"}
    assert min(counts[name] for name in hues) > 60  # of 111
    assert len({fault.seed for fault in drawn}) == len(drawn)


def test_draws_follow_from_seed_and_place_alone(replay: BagReplay):
    of_seed = [
        [chosen(replay, "image_noise", "scan_rain", share=0.5, seed=seed).fault(place)]
        for seed in (3, 3, 4)
        for place in (0, 50, 7)
    ]
    assert of_seed[:3] == of_seed[3:6] != of_seed[6:]


def test_a_resumed_stream_is_disturbed_like_the_whole_one(replay: BagReplay):
    disturbances = chosen(replay, "image_noise", "scan_dropped_beams", "camera_frozen:1", share=0.8)
    made = batches(replay, disturbances, AugmentationConfig())
    whole, rest = list(stream(made, 0, workers=0)), list(stream(made, 3, workers=1))
    for before, after in zip(whole[3:], rest, strict=True):
        for a, b in zip(before, after, strict=True):
            np.testing.assert_array_equal(a.inputs["image"], b.inputs["image"])
            np.testing.assert_array_equal(a.inputs["scan"].ranges, b.inputs["scan"].ranges)


def test_samples_that_are_not_drawn_are_those_of_a_training_without(replay: BagReplay):
    augmentation = AugmentationConfig(beam_dropout=0.3)
    disturbances = chosen(replay, "image_garbage:3", share=0.5)
    changed = [disturbances.fault(place) is not None for place in range(12)]
    assert 0 < sum(changed) < 12
    without = [
        each for batch in stream(batches(replay, None, augmentation), 0, 0) for each in batch
    ]
    with_some = batches(replay, disturbances, augmentation)
    for sample, other, is_changed in zip(
        without, [each for batch in stream(with_some, 0, 0) for each in batch], changed, strict=True
    ):
        same = np.array_equal(sample.inputs["image"], other.inputs["image"])
        assert same is not is_changed
        np.testing.assert_array_equal(sample.inputs["scan"].ranges, other.inputs["scan"].ranges)
        assert torch.equal(sample.truth.positions, other.truth.positions)


def test_a_sample_is_disturbed_by_the_code_of_the_measurement(replay: BagReplay):
    disturbances = chosen(replay, "image_hue:3")
    found, fault = disturbances.sample(4, place=11), disturbances.fault(11)
    np.testing.assert_array_equal(
        found.inputs["image"], disturbed(replay[4], fault).inputs["image"]
    )
    assert found.key == replay[4].key


def test_stamps_are_shifted_within_the_recording_of_a_sample(replay: BagReplay):
    both = joined([Subset(replay, [0, 1]), Subset(replay, [5, 4])])
    found = chosen(both, "camera_frozen:milliseconds=200").sample(2, place=0)
    np.testing.assert_array_equal(
        found.inputs["image"], replay.with_late_stamps(5, 0.2).inputs["image"]
    )
    assert not np.array_equal(found.inputs["image"], replay[5].inputs["image"])
    assert place_of(both, 3) == (replay, 4)


def test_a_sample_whose_wrong_stamps_no_odometry_covers_stays(
    small_bag: SimulatedBag, monkeypatch: pytest.MonkeyPatch
):
    replay = BagReplay(small_bag.path)

    def refused(position: int, seconds: float) -> Sample:
        raise ReplayError("no odometry")

    monkeypatch.setattr(replay, "with_late_stamps", refused)
    found = chosen(replay, "camera_late").sample(2, place=0)
    np.testing.assert_array_equal(found.inputs["image"], replay[2].inputs["image"])


def test_stamps_of_simulated_frames_are_refused_and_left_out_of_all(
    small_vehicle: Vehicle, caplog: pytest.LogCaptureFixture
):
    samples = SimulatedSamples(small_vehicle, first_seed=50, count=2)
    with pytest.raises(ValueError, match=r"camera_late need samples of recordings .*Simulated"):
        chosen(samples, "image_hue", "camera_late")
    with caplog.at_level(logging.WARNING):
        names = {fault.name for fault in chosen(samples, "all").faults}
    assert {"image_fog", "scan_rain", "camera_yaw", "odometry_slip", "no_image"} <= names
    assert not names & {"camera_late", "camera_frozen", "camera_jitter"}
    assert "all but camera_frozen, camera_jitter, camera_late" in caplog.text


def test_a_disturbance_of_a_sensor_that_the_pipeline_lacks_is_refused(replay: BagReplay):
    config = DisturbanceConfig(("scan_fog",))
    with pytest.raises(ValueError, match="disturbances has scan_fog, which acts on Scan; the pipe"):
        DisturbedTraining(replay, config, ["Image"], 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("image_fig",), "disturbances has 'image_fig'"),
        (("image_fog:4",), "severity of image_fog is 4, expected 1 to 3"),
        (("all", "image_fog"), "is all image_fog, expected all by itself, or names"),
    ],
)
def test_wrong_disturbances_are_refused_by_name(words: Sequence[str], said: str):
    with pytest.raises(SettingError, match=said):
        DisturbanceConfig(tuple(words))


def test_a_lost_sensor_is_not_asked_for_what_it_alone_could_see(
    system: TrainableSystem, replay: BagReplay
):
    sample = replay[0]
    lost = chosen(replay, "no_image").sample(0, place=0)
    assert lost.inputs["image"] is None
    truth = system.truth(lost)
    assert not truth.visible_camera.any()
    assert torch.equal(truth.visible_lidar, sample.truth.visible_lidar)
    assert system.truth(sample).visible_camera.any()


def test_labels_of_an_image_that_was_lost_are_mirrored_about_its_middle(labelled: list[Sample]):
    intact = labelled[0]
    lost = disturbed(intact, read_fault("no_image"))
    boxes = mirrored(lost).labels["boxes"].boxes_xyxy  # type: ignore[index]
    torch.testing.assert_close(boxes, mirrored(intact).labels["boxes"].boxes_xyxy)  # type: ignore[index]
    nowhere = lost._replace(context=lost.context._replace(calibration=None))
    with pytest.raises(ValueError, match="neither an image nor a calibration"):
        mirrored(nowhere)


@pytest.mark.parametrize("name", ["no_image", "no_scan"])
@pytest.mark.parametrize("pattern", ["individual", "simultaneous"])
def test_every_loss_takes_samples_of_a_lost_sensor(
    pattern: str, name: str, new_system: Callable[[], TrainableSystem], labelled: list[Sample]
):
    system, config = new_system(), TrainingConfig()
    cost = TrainingCost()
    lost = [disturbed(sample, read_fault(name)) for sample in labelled[:2]]
    (report,) = train(
        system,
        [lost],
        make_pattern(PatternConfig(pattern), system),
        EndLoss(config.loss),
        make_optimizer(system, config.optimizer),
        cost=cost,
    )
    assert report.losses
    assert all(math.isfinite(value) for value in report.losses.values())
    stages = {"no_image": "segmenter", "no_scan": "detector"}
    if pattern == "individual":
        assert {stage for stage, norm in report.norms.items() if norm > 0} == {stages[name]}
        assert cost.to_dict()["label_values_by_need"].keys() == {stages[name]}


def test_a_run_records_its_disturbances_and_keeps_them_on_resume(
    system_config: SystemConfig, small_bag: SimulatedBag, tmp_path: Path
):
    config = TrainingConfig(
        run=RunConfig(steps=2, batch=1, evaluation_frames=0, workers=0, threads=1),
        system=system_config,
        pattern=PatternConfig("fusion_only"),
        disturbance=DisturbanceConfig(("scan_fog:2", "image_noise"), 0.75),
    )
    data = bag_data([small_bag.path])
    run_training(config, data, tmp_path)
    assert trained_disturbances(str(tmp_path / "system")) == ("scan_fog", "image_noise")
    assert trained_disturbances("camera_lidar") == ()
    other = dataclasses.replace(config, disturbance=DisturbanceConfig(("scan_fog:2",), 0.75))
    with pytest.raises(ValueError, match=r"disturbance\.disturbances"):
        run_training(other, data, tmp_path, resume=True)
