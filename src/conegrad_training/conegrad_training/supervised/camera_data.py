"""What the detector learns from and is evaluated on: simulated frames, or labelled photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from conegrad_training.supervised.camera_crops import LabelledImage
from conegrad_training.supervised.camera_frames import FrameStore
from conegrad_training.supervised.camera_rendering import SimulatedView
from conegrad_training.supervised.labelled_images import read_split

EVALUATION_SEED = 900_000_000  # seeds from here on are never trained on
INPUT_SIZE = (640, 384)  # [px] into which photographs are scaled, as simulated frames are


class CameraData(NamedTuple):
    """Frames of a training, all of one size.

    Attributes:
        description: of what is learned from, for the card.
        training: to learn from.
        unseen_frames: kept aside.
    """

    description: str
    training: Sequence[LabelledImage]
    unseen_frames: Sequence[LabelledImage]


def simulated_data(
    folder: Path, level: str, first_seed: int, count: int, *, unseen: int, workers: int
) -> CameraData:
    """Frames that are rendered once and kept on disk.

    Args:
        folder: of the files.
        level: of the domain randomisation.
        first_seed: of the first frame to learn from.
        count: frames to learn from.
        unseen: frames to evaluate on.
        workers: processes that render.
    """

    def frames(seed: int, number: int) -> FrameStore:
        store = FrameStore(folder / level, seed, number)
        store.render_missing(SimulatedView(level), workers)
        return store

    unseen_frames = frames(EVALUATION_SEED, unseen)
    return CameraData("simulated data alone", frames(first_seed, count), unseen_frames)


def labelled_data(folder: Path, class_names: str, held_out: str) -> CameraData:
    """Photographs in the layout of YOLO.

    Args:
        folder: holds ``images``, ``labels`` and the names of the classes.
        class_names: names in the order of their numbers, by comma; empty: those of the folder.
        held_out: sequences to evaluate on; empty: the last third of each.

    Raises:
        ValueError: if a label is wrong or nothing is left for one of both sides.
        FileNotFoundError: if there is no such folder.
    """
    training, unseen_frames = read_split(folder, class_names, held_out, INPUT_SIZE)
    values = training.label_values
    described = f"{len(training)} labelled images of {folder.name}, {values} label values"
    return CameraData(described, training, unseen_frames)
