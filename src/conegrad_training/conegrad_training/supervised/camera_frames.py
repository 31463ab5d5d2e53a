"""Simulated frames on disk: rendered once by several processes, pure functions of their seeds."""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_core.processes.worker_process import end_with_parent
from conegrad_core.whole_file import write_whole
from conegrad_training.engine.progress_display import shown
from conegrad_training.supervised.camera_crops import Floats, Ints, LabelledImage

SHARD = 50  # frames per file
JPEG_QUALITY = 93
logger = logging.getLogger(__name__)
Render = Callable[[int], LabelledImage]


class _Shard(NamedTuple):
    jpegs: npt.NDArray[np.uint8]  # all files of the shard, one after the other
    jpeg_ends: Ints
    boxes_xyxy: Floats
    classes: Ints
    box_ends: Ints


class FrameStore(Sequence[LabelledImage]):
    """Frames of consecutive seeds, compressed in memory, decoded on access.

    Args:
        folder: holds the files; made where it is missing.
        first_seed: seed of the first frame.
        count: number of frames.
    """

    def __init__(self, folder: Path, first_seed: int, count: int) -> None:
        self.folder, self.first_seed, self._count = folder, first_seed, count
        self._shards: dict[int, _Shard] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> LabelledImage:  # type: ignore[override]
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        shard, row = self._shard(index // SHARD), index % SHARD
        jpeg = shard.jpegs[_start(shard.jpeg_ends, row) : shard.jpeg_ends[row]]
        boxes = slice(_start(shard.box_ends, row), shard.box_ends[row])
        return LabelledImage(_decoded(jpeg), shard.boxes_xyxy[boxes], shard.classes[boxes])

    def render_missing(self, render: Render, workers: int) -> None:
        """Render the files that do not exist yet; a stopped run goes on where it was.

        Args:
            render: makes the frame of a seed; must be picklable.
            workers: processes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [path for path in self._paths() if not path[0].exists()]
        if not missing:
            return
        logger.info("rendering %d frames into %s", len(missing) * SHARD, self.folder)
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as pool:
            jobs = [pool.submit(_write_shard, path, seed, render) for path, seed in missing]
            for job in shown(jobs, len(jobs), "frames", unit=f"x {SHARD}"):
                job.result()

    def _paths(self) -> Iterator[tuple[Path, int]]:
        for start in range(0, self._count, SHARD):
            yield self._path(start // SHARD), self.first_seed + start

    def _path(self, number: int) -> Path:
        return self.folder / f"frames_{self.first_seed + number * SHARD:010d}.npz"

    def _shard(self, number: int) -> _Shard:
        if number not in self._shards:
            with np.load(self._path(number)) as file:
                self._shards[number] = _Shard(*(file[name] for name in _Shard._fields))
        return self._shards[number]


def _start(ends: Ints, row: int) -> int:
    return int(ends[row - 1]) if row else 0


def _write_shard(path: Path, first_seed: int, render: Render) -> None:
    """Render one file; it appears under its name only when it is complete."""
    cv2.setNumThreads(1)
    frames = [render(seed) for seed in range(first_seed, first_seed + SHARD)]
    jpegs = [_encoded(frame.image) for frame in frames]
    shard = _Shard(
        np.concatenate(jpegs),
        np.cumsum([len(jpeg) for jpeg in jpegs]),
        np.concatenate([frame.boxes_xyxy for frame in frames]).astype(np.float32),
        np.concatenate([frame.classes for frame in frames]).astype(np.int64),
        np.cumsum([len(frame.classes) for frame in frames]),
    )
    content = io.BytesIO()
    np.savez(content, **shard._asdict())
    write_whole(path, content.getvalue())


def _encoded(image: RgbImage) -> npt.NDArray[np.uint8]:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    jpeg: npt.NDArray[np.uint8]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return jpeg


def _decoded(jpeg: npt.NDArray[np.uint8]) -> RgbImage:
    image: RgbImage = cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return image
