"""Cost of crops, keypoints and colours of the cones of one image, on one thread of the CPU.

``python benchmarks/crop_networks.py [--crops 20] [--engines onnx openvino torch]`` prints least and
median milliseconds of processor time per part, and the ratio to one forward of the detector on the
same engine: all parts run in turn, so that a machine that is busy with other work slows them alike.
The networks have fresh weights. ``--others`` also cuts the crops by ``roi_align`` of torchvision
and, where it is installed, ``crop_and_resize`` of kornia, and says whether they give the boxes a
gradient.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.colours.stage import ColourStage
from conegrad_core.crops.cutting import SIZE, cut_crops, windows_around
from conegrad_core.crops.network_stage import CropNetworkConfig, CropNetworkStage
from conegrad_core.crops.stage import CropConfig, CropStage
from conegrad_core.keypoints.stage import KeypointStage

IMAGE_SHAPE = (720, 1280, 3)
HEIGHTS = (11.0, 110.0)  # [px], of cones from 20 m to 2 m
PARTS = ("crops", "keypoints", "colours")
BASELINE = "detector's forward"


def boxes_of(count: int) -> Tensor:
    """Boxes of cones from far to near, at random columns."""
    heights = torch.linspace(*HEIGHTS, count)
    columns = 60 + 1160 * torch.rand(count, generator=torch.Generator().manual_seed(0))
    half = torch.stack([0.35 * heights, 0.5 * heights], dim=-1)
    centres = torch.stack([columns, torch.full((count,), 400.0)], dim=-1)
    return torch.cat([centres - half, centres + half], dim=-1)


def durations_ms(runs: dict[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Processor time of each call, in turn, after two rounds to warm up."""
    durations: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count + 2):
        for name, run in runs.items():
            start = time.process_time()
            run()
            durations[name].append(1e3 * (time.process_time() - start))
    return {name: values[2:] for name, values in durations.items()}


def fresh(stage: type[CropNetworkStage], engine: str) -> CropNetworkStage:
    """A stage with fresh weights, as a pipeline loads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / stage.weights_file
        stage(CropNetworkConfig()).save(path)
        return stage.from_config(CropNetworkConfig(weights=str(path), engine=engine, threads=1))


def pipeline_parts(image: RgbImage, boxes: Tensor, engine: str) -> dict[str, Callable[[], object]]:
    """The calls that a pipeline makes for one image, and the baseline."""
    cropper = CropStage(CropConfig())
    keypoints, colours = fresh(KeypointStage, engine), fresh(ColourStage, engine)
    detector = load_detector(DetectorConfig(engine=engine, threads=1)).eval()
    pixels = detector.letterbox(image).apply(image)
    detections = Detections(boxes, torch.zeros(len(boxes), 4))
    crops = cropper({"image": [image], "detections": [detections]}, [])
    return {
        "crops": lambda: cropper({"image": [image], "detections": [detections]}, []),
        "keypoints": lambda: keypoints(crops, []),
        "colours": lambda: colours(crops, []),
        BASELINE: lambda: detector.engine.infer([pixels]),
    }


def print_parts(durations: dict[str, list[float]]) -> None:
    """One line per part and one for their sum."""
    together = [sum(values) for values in zip(*(durations[part] for part in PARTS), strict=True)]
    for name, values in {**durations, "together": together}.items():
        pairs = zip(values, durations[BASELINE], strict=True)
        share = statistics.median(value / base for value, base in pairs)
        print(
            f"  {name:18} least {min(values):6.2f} ms, median {statistics.median(values):6.2f} ms, "
            f"{share:.3f} of the detector's forward"
        )


def cutters(image: RgbImage) -> dict[str, Callable[[Tensor], Tensor]]:
    """Functions from boxes to pictures; those of others convert the whole image first."""
    from torchvision.ops import roi_align

    def planes() -> Tensor:
        return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 255

    def by_roi_align(boxes: Tensor) -> Tensor:
        windows = [windows_around(boxes)]
        return roi_align(planes(), windows, SIZE, sampling_ratio=2, aligned=True)

    found = {
        "cut_crops": lambda boxes: cut_crops(image, boxes).pictures,
        "torchvision roi_align": by_roi_align,
    }
    try:
        from kornia.geometry.transform import crop_and_resize
    except ImportError:
        return found

    def by_kornia(boxes: Tensor) -> Tensor:
        left, top, right, bottom = windows_around(boxes).unbind(dim=-1)
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        quads = torch.stack([torch.stack(corner, dim=-1) for corner in corners], dim=1)
        return crop_and_resize(planes().expand(len(boxes), -1, -1, -1), quads, (SIZE, SIZE))

    return {**found, "kornia crop_and_resize": by_kornia}


def gives_gradient(cut: Callable[[Tensor], Tensor], boxes: Tensor) -> bool:
    """Whether the boxes get a gradient."""
    leaf = boxes.clone().requires_grad_()
    pictures = cut(leaf)
    if pictures.requires_grad:
        pictures.square().sum().backward()
    return leaf.grad is not None and bool((leaf.grad != 0).any())


def main() -> None:
    """Measure every engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=20)
    parser.add_argument("--engines", nargs="+", default=["onnx", "openvino", "torch"])
    parser.add_argument("--count", type=int, default=60, help="runs per figure")
    parser.add_argument("--others", action="store_true", help="compare with other libraries")
    options = parser.parse_args()
    torch.set_num_threads(1)
    image = np.random.default_rng(0).integers(0, 255, IMAGE_SHAPE, dtype=np.uint8)
    boxes = boxes_of(options.crops)
    with torch.inference_mode():
        for engine in options.engines:
            print(f"{engine}, {options.crops} crops:", flush=True)
            print_parts(durations_ms(pipeline_parts(image, boxes, engine), options.count))
    if options.others:
        with torch.no_grad():
            runs = {name: lambda cut=cut: cut(boxes) for name, cut in cutters(image).items()}
            durations = durations_ms(runs, options.count)
        for name, cut in cutters(image).items():
            least, median = min(durations[name]), statistics.median(durations[name])
            gradient = "a gradient" if gives_gradient(cut, boxes) else "no gradient"
            print(f"{name:24} least {least:.2f} ms, median {median:.2f} ms; boxes get {gradient}")


if __name__ == "__main__":
    main()
