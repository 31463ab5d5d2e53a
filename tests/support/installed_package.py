"""Packages that register entry points for the time of a test, as if pip had installed them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SUPPORT = Path(__file__).parent
BRIGHTNESS = {
    "conegrad.stages": [
        "brighter = brightness_package.stage:BrighterStage",
        "brightness = brightness_package.stage:BrightnessStage",
    ],
    "conegrad.ports": ["Brightness = brightness_package.port:BRIGHTNESS"],
    "conegrad.port_metrics": ["Brightness = brightness_package.metric:BrightnessMetric"],
    "conegrad.port_messages": ["Brightness = brightness_package.message:BRIGHTNESS"],
}


def write_distribution(folder: Path, name: str, entry_points: Mapping[str, Sequence[str]]) -> None:
    """What pip leaves of an installed package, without its code."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [line for group, own in entry_points.items() for line in (f"[{group}]", *own)]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@contextmanager
def brightness_package(folder: Path) -> Iterator[list[str]]:
    """Install the package of a user with a stage ``brightness`` and its port type.

    Args:
        folder: for the metadata of the package.

    Yields:
        What another process needs in ``PYTHONPATH`` to find the package.
    """
    write_distribution(folder, "brightness_package", BRIGHTNESS)
    paths = [str(folder), str(SUPPORT)]
    sys.path[:0] = paths
    try:
        yield paths
    finally:
        for path in paths:
            sys.path.remove(path)


def write_brightness_pipeline(folder: Path) -> Path:
    """The car's pipeline with one stage more: the brightness of the image, which nobody reads."""
    path = folder / "with_brightness.yaml"
    path.write_text(
        """inputs: {image: Image, scan: Scan}
stages:
  detector:
    {module: yolov5_detector, inputs: {image: image}, outputs: {detections: detections}}
  segmenter: {module: scan_cnn, inputs: {scan: scan}, outputs: {segmentation: segmentation}}
  brightness: {module: brightness, inputs: {image: image}, outputs: {brightness: brightness}}
  fuser:
    module: cone_fusion
    inputs: {detections: detections, segmentation: segmentation}
    outputs: {cones: cones}
outputs: {cones: cones, brightness: brightness}
"""
    )
    return path
