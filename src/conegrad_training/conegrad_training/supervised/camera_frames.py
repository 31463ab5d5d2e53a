"""Simulated frames of the detector on disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from conegrad_training.data.shard_store import (
    Arrays,
    ShardFormat,
    ShardStore,
    decode_jpeg,
    encode_jpegs,
    part,
)
from conegrad_training.supervised.camera_crops import LabelledImage


class FrameFormat(ShardFormat[LabelledImage]):
    """Images as JPEG, and all boxes of a file one after the other."""

    noun: ClassVar[str] = "frames"

    def pack(self, items: Sequence[LabelledImage]) -> Arrays:
        """Arrays of the frames of one file."""
        jpegs, jpeg_ends = encode_jpegs([frame.image for frame in items])
        return {
            "jpegs": jpegs,
            "jpeg_ends": jpeg_ends,
            "boxes_xyxy": np.concatenate([f.boxes_xyxy for f in items]).astype(np.float32),
            "classes": np.concatenate([frame.classes for frame in items]).astype(np.int64),
            "box_ends": np.cumsum([len(frame.classes) for frame in items]),
        }

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]], row: int) -> LabelledImage:
        """One of the frames of a file."""
        boxes = part(arrays["box_ends"], row)
        jpeg = arrays["jpegs"][part(arrays["jpeg_ends"], row)]
        return LabelledImage(
            decode_jpeg(jpeg), arrays["boxes_xyxy"][boxes], arrays["classes"][boxes]
        )


class FrameStore(ShardStore[LabelledImage]):
    """Frames of consecutive seeds, compressed in memory, decoded on access.

    Args:
        folder: holds the files; made where it is missing.
        first_seed: seed of the first frame.
        count: number of frames.
    """

    def __init__(self, folder: Path, first_seed: int, count: int) -> None:
        super().__init__(folder, first_seed, count, FrameFormat())
