"""Patches of cones on disk, those of an image together."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from conegrad_training.crops.cone_patches import ConePatch, SimulatedCones
from conegrad_training.data.shard_store import (
    Arrays,
    ShardFormat,
    ShardStore,
    decode_jpeg,
    encode_jpegs,
    part,
)


class PatchFormat(ShardFormat[tuple[ConePatch, ...]]):
    """Patches as JPEG, and their labels one after the other."""

    noun: ClassVar[str] = "images_of_cones"

    def pack(self, items: Sequence[tuple[ConePatch, ...]]) -> Arrays:
        """Arrays of the patches of the images of one file."""
        patches = list(itertools.chain.from_iterable(items))
        jpegs, jpeg_ends = encode_jpegs([patch.image for patch in patches])
        columns = zip(*patches, strict=True) if patches else [[]] * len(ConePatch._fields)
        values = dict(zip(ConePatch._fields, columns, strict=True))
        arrays: dict[str, npt.NDArray[Any]] = {"jpegs": jpegs, "jpeg_ends": jpeg_ends}
        arrays["patch_ends"] = np.cumsum([len(item) for item in items])
        arrays |= {name: np.array(values[name]) for name in ConePatch._fields if name != "image"}
        return arrays

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]], row: int) -> tuple[ConePatch, ...]:
        """The patches of one of the images of a file."""
        rows = part(arrays["patch_ends"], row)
        return tuple(_patch(arrays, place) for place in range(rows.start, rows.stop))


def _patch(arrays: Mapping[str, npt.NDArray[Any]], place: int) -> ConePatch:
    return ConePatch(
        decode_jpeg(arrays["jpegs"][part(arrays["jpeg_ends"], place)]),
        arrays["box_xyxy"][place],
        arrays["keypoints"][place],
        arrays["visible"][place],
        int(arrays["label"][place]),
        bool(arrays["stands"][place]),
        float(arrays["scale"][place]),
    )


def simulated_patches(
    folder: Path, level: str, first_seed: int, images: int, workers: int
) -> list[ConePatch]:
    """Patches of the cones of simulated images, which are rendered once and kept on disk.

    Args:
        folder: of the files, with a folder for each level.
        level: see :class:`SimulatedCones`.
        first_seed: of the first image.
        images: number of images.
        workers: processes that render.
    """
    store = ShardStore(folder / level, first_seed, images, PatchFormat())
    store.render_missing(SimulatedCones(level), workers)
    return [patch for of_image in store for patch in of_image]
