"""Items of consecutive seeds on disk: made once by several processes, each from its seed alone."""

import io
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_core.processes.worker_process import end_with_parent
from conegrad_core.whole_file import write_whole
from conegrad_training.engine.progress_display import shown

SHARD = 50  # items per file
JPEG_QUALITY = 93
logger = logging.getLogger(__name__)
T = TypeVar("T")
Arrays = dict[str, npt.NDArray[Any]]
Ends = npt.NDArray[np.int64]  # of the parts of an array: each begins where the last one ended


class ShardFormat(ABC, Generic[T]):
    """How the items of a file lie in its arrays; picklable.

    Attributes:
        noun: of the items, in the plural: the files are named after it.
    """

    noun: ClassVar[str]

    @abstractmethod
    def pack(self, items: Sequence[T]) -> Arrays:
        """Arrays of the items of one file."""

    @abstractmethod
    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]], row: int) -> T:
        """One of the items of a file."""


class ShardStore(Sequence[T]):
    """Items of consecutive seeds, packed in memory, unpacked on access.

    Args:
        folder: holds the files; made where it is missing.
        first_seed: seed of the first item.
        count: number of items.
        layout: of the files.
    """

    def __init__(self, folder: Path, first_seed: int, count: int, layout: ShardFormat[T]) -> None:
        self.folder, self.first_seed, self._count = folder, first_seed, count
        self._format = layout
        self._shards: dict[int, Arrays] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> T:  # type: ignore[override]
        if not 0 <= index < self._count:
            raise IndexError(f"item {index} of {self._count} {self._format.noun}")
        return self._format.unpack(self._shard(index // SHARD), index % SHARD)

    def render_missing(self, render: Callable[[int], T], workers: int) -> None:
        """Render the files that do not exist yet; a stopped run goes on where it was.

        Args:
            render: makes the item of a seed; must be picklable.
            workers: processes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [path for path in self._paths() if not path[0].exists()]
        if not missing:
            return
        noun = self._format.noun
        logger.info("rendering %d %s into %s", len(missing) * SHARD, noun, self.folder)
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as pool:
            jobs = [
                pool.submit(_write_shard, path, seed, render, self._format)
                for path, seed in missing
            ]
            for job in shown(jobs, len(jobs), noun, unit=f"x {SHARD}"):
                job.result()

    def _paths(self) -> Iterator[tuple[Path, int]]:
        for start in range(0, self._count, SHARD):
            yield self._path(start // SHARD), self.first_seed + start

    def _path(self, number: int) -> Path:
        return self.folder / f"{self._format.noun}_{self.first_seed + number * SHARD:010d}.npz"

    def _shard(self, number: int) -> Arrays:
        if number not in self._shards:
            with np.load(self._path(number)) as file:
                self._shards[number] = dict(file)
        return self._shards[number]


def _write_shard(
    path: Path, first_seed: int, render: Callable[[int], T], layout: ShardFormat[T]
) -> None:
    """Render one file; it appears under its name only when it is complete."""
    cv2.setNumThreads(1)
    items = [render(seed) for seed in range(first_seed, first_seed + SHARD)]
    content = io.BytesIO()
    np.savez(content, **layout.pack(items))  # type: ignore[arg-type]
    write_whole(path, content.getvalue())


def part(ends: Ends, row: int) -> slice:
    """Where a part of a concatenated array lies."""
    return slice(int(ends[row - 1]) if row else 0, int(ends[row]))


def encode_jpegs(images: Sequence[RgbImage]) -> tuple[npt.NDArray[np.uint8], Ends]:
    """JPEG files of RGB images one after the other, and where each ends [bytes]."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    files = [
        cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1] for image in images
    ]
    content = np.concatenate([np.zeros(0, np.uint8), *files])
    return content, np.cumsum([len(file) for file in files], dtype=np.int64)


def decode_jpeg(jpeg: npt.NDArray[np.uint8]) -> RgbImage:
    """RGB image of a JPEG file."""
    image: RgbImage = cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return image
