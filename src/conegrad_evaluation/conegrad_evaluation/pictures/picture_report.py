"""Files of a look at pictures: each with its boxes, a table of cones, and a page of all."""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import cv2

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.drawing import draw_cones_on_image, draw_detections
from conegrad_core.geometry.calibration import Calibration
from conegrad_evaluation.pictures.seen_picture import SeenPicture
from conegrad_evaluation.report.html_template import template_of

PAGE, TABLE = "index.html", "cones.csv"
COLUMNS = ("picture", "class", "score", "left", "top", "right", "bottom", "x", "y")
QUALITY = 88  # of the drawn JPEG


class _Shot(NamedTuple):
    name: str
    source: str
    counts: dict[str, int]
    nearest: str


class PictureReport:
    """Grows with each picture, so that a run that is broken off leaves what was seen until then.

    Attributes:
        folder: of the files.
        totals: boxes of each class in all pictures.
        pictures: number of pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.totals: Counter[str] = Counter(dict.fromkeys(CLASS_NAMES, 0))
        self._shots: list[_Shot] = []
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(COLUMNS)

    @property
    def pictures(self) -> int:
        """Number of pictures."""
        return len(self._shots)

    def add(
        self, path: Path, image: RgbImage, seen: SeenPicture, calibration: Calibration | None
    ) -> None:
        """Draw a picture and note its cones.

        Raises:
            OSError: naming the file, if it cannot be written.
        """
        drawn = image
        if seen.cones is not None and calibration is not None:
            drawn = draw_cones_on_image(drawn, seen.cones, calibration, 0.0)
        drawn = draw_detections(drawn, seen.detections, 0.0)
        name = f"{len(self._shots) + 1:04d}_{path.stem}.jpg"
        coded, data = cv2.imencode(
            ".jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        )
        if not coded:
            raise OSError(f"{path} cannot be written as JPEG")
        (self.folder / name).write_bytes(data.tobytes())
        with (self.folder / TABLE).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_rows(path, seen))
        counts = seen.counts()
        self.totals.update(counts)
        self._shots.append(_Shot(name, str(path), counts, _nearest(seen)))

    def finish(self) -> Path:
        """Write the page of all pictures; returns its path."""
        template = template_of("conegrad_evaluation.pictures", "pictures.html")
        context = {
            "shots": self._shots,
            "totals": self.totals,
            "classes": CLASS_NAMES,
            "table": TABLE,
        }
        page = self.folder / PAGE
        page.write_text(template.render(context), encoding="utf-8")
        return page


def _rows(path: Path, seen: SeenPicture) -> list[list[str]]:
    """One row per box, with the place of its cone where it is known."""
    rows = []
    boxes, logits = seen.detections
    scores = logits.sigmoid()
    for row in range(len(boxes)):
        best = int(scores[row].argmax())
        box = [f"{value:.1f}" for value in boxes[row].tolist()]
        rows.append([str(path), CLASS_NAMES[best], f"{float(scores[row, best]):.3f}", *box, "", ""])
    if seen.cones is not None:
        for cells, (x, y) in zip(rows, seen.cones.positions.tolist(), strict=True):
            cells[-2:] = [f"{x:.2f}", f"{y:.2f}"]
    return rows


def _nearest(seen: SeenPicture) -> str:
    """Distance of the nearest cone, in words."""
    if seen.cones is None or not len(seen.cones.positions):
        return ""
    return f"nearest cone {float(seen.cones.positions.norm(dim=-1).min()):.1f} m away"
