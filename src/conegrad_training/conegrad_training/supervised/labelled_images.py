"""Photographs with boxes in the layout of YOLO: ``images/``, ``labels/`` and the classes' names."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import yaml

from conegrad_core.camera.class_order import cone_classes
from conegrad_core.camera.letterbox import PADDING, Letterbox
from conegrad_core.cones import ConeClass
from conegrad_training.data.held_out import held_out_rows
from conegrad_training.supervised.camera_crops import Floats, Ints, LabelledImage

SUFFIXES = (".jpg", ".jpeg", ".png")
NAMES_FILES = ("data.yaml", "data.yml", "classes.txt")
ROW = "class, centre x, centre y, width, height as fractions of the image"


class LabelledFile(NamedTuple):
    """An image file and its labels.

    Attributes:
        path: of the image.
        boxes: ``(N, 4)`` centre, width and height as fractions of the image.
        classes: ``(N,)`` :class:`ConeClass`.
    """

    path: Path
    boxes: Floats
    classes: Ints


class LabelledImages(Sequence[LabelledImage]):
    """Images of one size: scaled into the detector's input and padded, as in the camera node."""

    def __init__(
        self, files: Sequence[LabelledFile], size: tuple[int, int], *, hides_unknown: bool
    ) -> None:
        """Remember the files; images are read when they are asked for.

        Args:
            files: images and labels.
            size: width and height of the detector's input [px].
            hides_unknown: paint boxes of class UNKNOWN grey and leave them out, so that they
                teach nothing.
        """
        self.files, self._size, self._hides_unknown = files, size, hides_unknown

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> LabelledImage:  # type: ignore[override]
        """Image number ``index``."""
        file = self.files[index]
        pixels = cv2.imread(str(file.path))
        if pixels is None:
            raise ValueError(f"{file.path} is not a readable image")
        height, width = pixels.shape[:2]
        letterbox = Letterbox((width, height), self._size)
        image = letterbox.apply(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
        centres, sides = file.boxes[:, :2], file.boxes[:, 2:]
        corners = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
        in_image = torch.from_numpy(corners) * torch.tensor([width, height, width, height])
        boxes = letterbox.boxes_to_input(in_image).numpy()
        labelled = LabelledImage(image, boxes, file.classes)
        return _without_unknown(labelled) if self._hides_unknown else labelled

    @property
    def label_values(self) -> int:
        """Numbers a person had to give: five per box."""
        return 5 * sum(len(file.classes) for file in self.files)


def read_split(
    folder: Path, names: str, held_out: str, size: tuple[int, int]
) -> tuple[LabelledImages, LabelledImages]:
    """Images to learn from and to evaluate on.

    Args:
        folder: holds ``images``, ``labels`` and the names of the classes; folders below
            ``images`` are sequences.
        names: of the classes 0, 1, ..., separated by commas; empty: those of the folder.
        held_out: sequences, as of :func:`held_out_rows`.
        size: width and height of the detector's input [px].

    Raises:
        ValueError: if a label is wrong, naming file, line and value, or a file is missing.
        FileNotFoundError: if there is no such folder.
    """
    classes = _classes(folder, names)
    sequences = _sequences(folder, classes)
    lengths = {name: len(files) for name, files in sequences.items()}
    rows = held_out_rows(lengths, held_out)
    training = [f for name, files in sequences.items() for f in files[rows[name].training]]
    evaluated = [f for name, files in sequences.items() for f in files[rows[name].held_out]]
    return (
        LabelledImages(training, size, hides_unknown=True),
        LabelledImages(evaluated, size, hides_unknown=False),
    )


def read_labels(path: Path, classes: Sequence[ConeClass]) -> tuple[Floats, Ints]:
    """Boxes and classes of a label file.

    Raises:
        ValueError: for a row that is not a box, naming file, line and value.
    """
    rows: list[list[float]] = []
    found: list[int] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            place = f"{path}, line {number}"
            index, box = _row(place, line.split(), len(classes))
            rows.append(box)
            found.append(int(classes[index]))
    boxes = np.array(rows, dtype=np.float32).reshape(-1, 4)
    return boxes, np.array(found, dtype=np.int64)


def _row(place: str, words: Sequence[str], classes: int) -> tuple[int, list[float]]:
    if len(words) != 5:
        raise ValueError(f"{place} has {len(words)} values, expected 5: {ROW}")
    if not words[0].isdecimal() or int(words[0]) >= classes:
        raise ValueError(f"{place} has the class {words[0]!r}, expected 0 to {classes - 1}")
    values = [_number(word) for word in words[1:]]
    if not all(0 <= value <= 1 for value in values) or min(values[2:]) == 0:
        raise ValueError(f"{place} has the box {' '.join(words[1:])!r}, expected {ROW}, 0 to 1")
    return int(words[0]), values


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _classes(folder: Path, names: str) -> list[ConeClass]:
    """The class of each number, by its name."""
    if names:
        return cone_classes([name.strip() for name in names.split(",")], "class_names")
    if not (folder / "images").is_dir():
        raise FileNotFoundError(f"{folder} has no folder images, expected images and labels")
    for name in NAMES_FILES:
        if (folder / name).exists():
            return cone_classes(_names_in(folder / name), str(folder / name))
    raise ValueError(
        f"{folder} has none of {', '.join(NAMES_FILES)}: give the classes' names in the order of "
        "their numbers; numbers alone say nothing"
    )


def _names_in(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".txt":
        return [line.strip() for line in text.splitlines() if line.strip()]
    content: Any = yaml.safe_load(text)
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise ValueError(f"{path} has names {names!r}, expected a list of class names")
    return [str(name) for name in names]


def _sequences(folder: Path, classes: Sequence[ConeClass]) -> Mapping[str, list[LabelledFile]]:
    """Labelled files of each folder below ``images``, in the order of their names."""
    root = folder / "images"
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise ValueError(f"{root} holds no image, expected {', '.join(SUFFIXES)}")
    sequences: dict[str, list[LabelledFile]] = defaultdict(list)
    for path in paths:
        below = path.relative_to(root)
        labels = (folder / "labels" / below).with_suffix(".txt")
        if not labels.exists():
            raise ValueError(f"{labels} is missing; an empty file says that there is no cone")
        name = root.name if below.parent == Path() else below.parent.as_posix()
        sequences[name].append(LabelledFile(path, *read_labels(labels, classes)))
    return sequences


def _without_unknown(frame: LabelledImage) -> LabelledImage:
    """Boxes of class UNKNOWN are painted over, but for what other boxes cover of them."""
    is_known = frame.classes != ConeClass.UNKNOWN
    if is_known.all():
        return frame
    image = frame.image.copy()
    for box in frame.boxes_xyxy[~is_known]:
        image[_pixels(box)] = PADDING
    for box in frame.boxes_xyxy[is_known]:
        image[_pixels(box)] = frame.image[_pixels(box)]
    return LabelledImage(image, frame.boxes_xyxy[is_known], frame.classes[is_known])


def _pixels(box: Floats) -> tuple[slice, slice]:
    left, top = np.floor(box[:2]).clip(0).astype(int)
    right, bottom = np.ceil(box[2:]).clip(0).astype(int)
    return slice(top, bottom), slice(left, right)
