import os
import re
import sys
from typing import Any

import numpy as np
import pytest
from warm_python import finished

from conegrad_data.errors import ReplayError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.augmentation import UNCHANGED, AugmentationConfig
from conegrad_training.data.sample_stream import SampleBatches, evenly, position, stream


def made_batches(samples: Any, augmentation: AugmentationConfig = UNCHANGED) -> SampleBatches:
    return SampleBatches(samples, seed=3, batch=2, steps=7, augmentation=augmentation)


def test_every_epoch_sees_every_sample_once_in_a_new_order():
    first = [position(place, 50, seed=1) for place in range(50)]
    second = [position(place, 50, seed=1) for place in range(50, 100)]
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != [position(place, 50, seed=2) for place in range(50)]


def test_a_resumed_stream_goes_on_where_the_run_was(replay: BagReplay):
    batches = made_batches(replay, AugmentationConfig(beam_dropout=0.3))
    whole = list(stream(batches, 0, workers=0))
    rest = list(stream(batches, 4, workers=0))
    assert len(whole) == 7
    for before, after in zip(whole[4:], rest, strict=True):
        for a, b in zip(before, after, strict=True):
            assert a.key == b.key
            np.testing.assert_array_equal(a.inputs["image"], b.inputs["image"])
            np.testing.assert_array_equal(a.inputs["scan"].ranges, b.inputs["scan"].ranges)


def test_worker_processes_give_what_this_process_gives(replay: BagReplay):
    batches = made_batches(replay, AugmentationConfig())
    here = list(stream(batches, 5, workers=0))
    there = list(stream(batches, 5, workers=2))
    assert [sample.key for batch in here for sample in batch] == [
        sample.key for batch in there for sample in batch
    ]
    np.testing.assert_array_equal(here[1][1].inputs["image"], there[1][1].inputs["image"])
    assert isinstance(there[1][1].inputs["image"], np.ndarray)


def test_workers_do_not_share_the_open_file_of_this_process(small_bag: SimulatedBag):
    replay = BagReplay(small_bag.path)  # its file is open, and inherited by a fork
    batches = SampleBatches(replay, seed=3, batch=4, steps=30, augmentation=UNCHANGED)
    for batch, expected in zip(
        stream(batches, 0, workers=4), stream(batches, 0, workers=0), strict=True
    ):
        for one, other in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(one.inputs["image"], other.inputs["image"])


def test_fewer_samples_are_spread_evenly(replay: BagReplay):
    chosen: Any = evenly(replay, 3)
    assert [chosen[place].key.frame for place in range(3)] == [0, 3, 6]  # of 9
    assert evenly(replay, 0) is replay


class Broken:
    """Batches of which the third cannot be read."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, step: int) -> list[Any]:
        if step == 2:
            raise ReplayError("drive, message 7: not an image")
        return [step]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_cannot_be_read_is_told_without_a_traceback(workers: int):
    batches: Any = Broken()
    read = stream(batches, 0, workers)
    assert [next(read), next(read)] == [[0], [1]]
    with pytest.raises(ReplayError) as refused:
        next(read)
    assert str(refused.value) == "drive, message 7: not an image"


# In a process of its own: torch raises the loss of a worker in a handler of SIGCHLD, which stays.
KILLED_READER = """
import os, signal
from conegrad_data.errors import TrainingError
from conegrad_training.data.sample_stream import stream

class Fatal:
    def __len__(self):
        return 5

    def __getitem__(self, step):
        if step == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return [step]

try:
    list(stream(Fatal(), 0, workers=1))
except TrainingError as error:
    print(error)
"""


def test_a_reading_process_that_was_killed_is_told():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = finished(
        [sys.executable, "-c", KILLED_READER],
        timeout=150, env=environment,
    )  # fmt: skip
    assert re.search(r"reads samples ended \(.*memory", done.stdout), done.stderr
