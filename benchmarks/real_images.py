"""Average precision of cone weights on recorded images that they were not trained on.

``python benchmarks/real_images.py --data FOLDER`` looks for two sets below the folder and skips
the one that is missing:

- ``bme_images``: square images with YOLO labels (0 blue, 1 big orange, 2 small orange,
  3 unknown, 4 yellow), squeezed together with a black border; they are stretched back.
- ``fskitti/estoril2``: images with boxes named by colour. These came out of a detector: cones
  it missed count here as false detections.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from conegrad_core.camera.class_order import CANONICAL
from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import CLASS_NAMES, COLOUR_NAMES
from conegrad_evaluation.metrics.boxes import TrueBoxes, average_precisions

YOLO_NAMES = ("blue", "big_orange", "small_orange", "unknown", "yellow")
STRETCHED_WIDTH = 1280  # [px]
BORDER = 140  # [px] on every side of an image before it was squeezed
BLACK = 6  # mean grey value that a row or column of the border does not exceed
MIN_HEIGHTS = (6.0, 12.0, 24.0)  # least box height [px of a 640 px wide image]
Labelled = Iterator[tuple[Path, RgbImage, TrueBoxes]]


def read_rgb(path: Path) -> RgbImage:
    """An image file as RGB."""
    image = cv2.imread(str(path))
    if image is None:
        raise ValueError(f"{path} is not a readable image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def true_boxes(rows: list[list[float]], classes: list[int]) -> TrueBoxes:
    """Boxes of one image."""
    boxes = torch.tensor(rows, dtype=torch.float32).view(-1, 4)
    return TrueBoxes(boxes, torch.tensor(classes, dtype=torch.int64))


def shown_size(image: RgbImage) -> tuple[int, int, float]:
    """Left and top border of a squeezed image [px], and the true height per width inside.

    Before it was squeezed, the border was equally wide on all sides; the lower one carries text.
    A side of a picture may be as dark as the border, so the narrower one of two counts.
    """
    side = image.shape[0]
    lit = image[: side * 3 // 4].max(2)
    columns, rows = (np.flatnonzero(lit.mean(axis) > BLACK) for axis in (0, 1))
    left, top = min(columns[0], side - 1 - columns[-1]), rows[0]
    width, height = (BORDER * side / border - 2 * BORDER for border in (left, top))
    return int(left), int(top), float(height / width)


def yolo_images(folder: Path) -> Labelled:
    """Images stretched back to their shape without their border, with their boxes."""
    for path in sorted((folder / "images").glob("*.jpg")):
        image = read_rgb(path)
        side = image.shape[0]
        left, top, slope = shown_size(image)
        inside = image[top : side - top, left : side - left]
        size = (STRETCHED_WIDTH, round(STRETCHED_WIDTH * slope))
        scale = np.array(size) / inside.shape[1::-1]
        corner = np.array([left, top])
        boxes, classes = [], []
        for line in (folder / "labels" / f"{path.stem}.txt").read_text().splitlines():
            index, *values = line.split()
            centre, extent = np.array(values, dtype=float).reshape(2, 2) * side
            low, high = (
                (centre - extent / 2 - corner) * scale,
                (centre + extent / 2 - corner) * scale,
            )
            boxes.append([*low, *high])
            classes.append(COLOUR_NAMES.index(YOLO_NAMES[int(index)]))
        yield path, cv2.resize(inside, size), true_boxes(boxes, classes)


def named_images(folder: Path) -> Labelled:
    """Images with label rows ``name . . . left top right bottom ...``."""
    for path in sorted((folder / "images").iterdir()):
        boxes, classes = [], []
        for line in (folder / "labels" / f"{path.stem}.txt").read_text().splitlines():
            name, *values = line.split()
            corners = [float(value) for value in values[3:7]]
            if any(corners):
                boxes.append(corners)
                classes.append(CLASS_NAMES.index(CANONICAL[name]))
        yield path, read_rgb(path), true_boxes(boxes, classes)


SETS: dict[str, Callable[[Path], Labelled]] = {
    "bme_images": yolo_images,
    "fskitti/estoril2": named_images,
}


def evaluate(detector: Detector, images: Labelled, pictures: Path | None) -> dict[str, object]:
    """Average precision over all boxes of a set, and by least height of the boxes."""
    found, truths, widths = [], [], []
    for path, image, truth in images:
        found.append(detector([image])[0])
        truths.append(truth)
        widths.append(image.shape[1])
        if pictures is not None:
            draw(image, found[-1], pictures / f"{path.stem}.png")
    scale = widths[0] / 640
    report: dict[str, object] = {"images": len(truths)}
    for low in MIN_HEIGHTS:
        values = average_precisions(found, truths, min_height=low * scale)
        report[f"AP50, boxes of {low:.0f} px and more"] = values
    return report


def draw(image: RgbImage, detections: tuple[torch.Tensor, torch.Tensor], path: Path) -> None:
    """Write the picture with the boxes of score 0.3 and more."""
    colours = ((60, 60, 255), (255, 255, 0), (255, 140, 0), (255, 0, 0))
    canvas = image.copy()
    for box, logits in zip(*detections, strict=True):
        if logits.max().sigmoid() >= 0.3:
            left, top, right, bottom = box.round().int().tolist()
            colour = colours[int(logits.argmax())]
            cv2.rectangle(canvas, (left, top), (right, bottom), colour, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR))


def main() -> None:
    """Evaluate every set that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--weights", default="", help="weights file; default: the shipped ones")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--input", type=int, nargs=2, default=[640, 384], help="width height [px]")
    parser.add_argument("--pictures", type=Path, help="write annotated pictures here")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = DetectorConfig(
        weights=options.weights,
        engine=options.engine,
        threads=options.threads,
        input_width=options.input[0],
        input_height=options.input[1],
    )
    detector, reports = load_detector(config).eval(), {}
    for name, read in SETS.items():
        if not (options.data / name).is_dir():
            print(f"skipped {name}: {options.data / name} does not exist")
            continue
        pictures = options.pictures / name if options.pictures else None
        with torch.inference_mode():
            reports[name] = evaluate(detector, read(options.data / name), pictures)
        print(name, json.dumps(reports[name], indent=2))
    if options.json:
        options.json.write_text(json.dumps(reports, indent=2) + "\n")


if __name__ == "__main__":
    main()
