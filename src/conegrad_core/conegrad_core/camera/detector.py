"""YOLOv5 cone detector: image in, one row per cone candidate out."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from conegrad_core.camera.checkpoint import load_network
from conegrad_core.camera.engines.cache import detector_export
from conegrad_core.camera.engines.engine import Engine, EngineError
from conegrad_core.camera.engines.onnx_engine import OnnxEngine
from conegrad_core.camera.engines.openvino_engine import OpenVinoEngine
from conegrad_core.camera.engines.tensorrt_engine import TensorRtEngine
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.image import Detections, ImageLevels, RgbImage
from conegrad_core.camera.letterbox import PADDING, Letterbox
from conegrad_core.camera.pooling import pool_duplicates, select_top
from conegrad_core.engines.cache import open_export
from conegrad_core.engines.devices import put_on
from conegrad_core.engines.processor import native_precision
from conegrad_core.settings import Config, setting
from conegrad_core.weights import default_weights

ENGINES = ("auto", "torch", "onnx", "openvino", "tensorrt")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
PREFERRED_PRECISION = "bf16"  # on OpenVINO: it loses nothing measurable, docs/benchmarks.md
OF_SUFFIX = {".onnx": ("onnx", "openvino"), ".xml": ("openvino",), ".engine": ("tensorrt",)}


@dataclass(frozen=True)
class DetectorConfig(Config):
    """Settings of the cone detector."""

    weights: str = setting(
        "", "Weights: .safetensors, .pt, .onnx, .xml or folder, .engine; empty: those that ship"
    )
    engine: str = setting(
        "auto",
        "Engine; auto is that of the suffix, of torch weights openvino on a CPU",
        choices=ENGINES,
    )
    device: str = setting("cpu", "Device: cpu, or for torch and TensorRT cuda or cuda:N")
    precision: str = setting(
        "auto",
        "Precision; auto is that of an exported file, of torch weights on openvino bf16 where the "
        "CPU has it, else fp32",
        choices=PRECISIONS,
    )
    threads: int = setting(0, "CPU threads of onnx and openvino; 0: their choice", low=0, high=256)
    input_width: int = setting(640, "Width of the network's input [px]", low=32, high=4096)
    input_height: int = setting(384, "Height of the network's input [px]", low=32, high=4096)
    crop_top: float = setting(0.0, "Fraction of rows cut off at the top", low=0.0, high=0.95)
    crop_bottom: float = setting(0.0, "Fraction of rows cut off at the bottom", low=0.0, high=0.95)
    candidates: int = setting(100, "Anchors kept by score before pooling", low=1, high=10000)
    clusters: int = setting(40, "Largest number of detections per image", low=1, high=1000)
    overlap: float = setting(0.45, "IoU above which boxes are duplicates", low=0.0, high=1.0)
    trust_pickle: bool = setting(
        False, "Load .pt files that execute code (Ultralytics); only from a source you trust"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop_top + self.crop_bottom >= 1:
            crops = f"is {self.crop_top}, which with crop_bottom {self.crop_bottom}"
            raise self.refusal("crop_top", f"{crops} cuts all rows off, expected a sum below 1")


class Detector(nn.Module):
    """Network, letterbox, selection and pooling in one differentiable module.

    Args:
        engine: runs the network; gradients need a :class:`TorchEngine`.
        config: input size, crop, selection and pooling.
        metadata: what the weights file says of itself; empty where it says nothing.

    Raises:
        ValueError: if the engine is fixed to another input size.
    """

    def __init__(
        self, engine: Engine, config: DetectorConfig, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        wanted = (config.input_width, config.input_height)
        if engine.input_size not in (None, wanted):
            raise ValueError(
                f"the weights are fixed to the input size {engine.input_size}, expected {wanted} "
                "(parameters input_width and input_height)"
            )
        self.engine = engine
        self.config = config
        self.metadata = dict(metadata or {})

    def forward(self, images: Sequence[RgbImage | ImageLevels]) -> list[Detections]:
        """Cone candidates of each image, best first, on the CPU; no score threshold is applied.

        Gradients flow to the weights, and to images given as levels, where autograd is on and the
        engine is torch.

        Args:
            images: ``(height, width, 3)`` uint8 RGB of any sizes, or their levels.

        Raises:
            EngineError: for levels where the engine is not torch.
        """
        letterboxes = [self.letterbox(image) for image in images]
        pairs = zip(letterboxes, images, strict=True)
        raw = self.engine.infer([self._input(*pair) for pair in pairs])
        return [self.reduce(*rows) for rows in zip(*raw, letterboxes, strict=True)]

    def _input(self, letterbox: Letterbox, image: RgbImage | ImageLevels) -> Any:
        if not isinstance(image, Tensor):
            return letterbox.apply(image)
        if not isinstance(self.engine, TorchEngine):
            engine = type(self.engine).__name__
            raise EngineError(f"{engine} has no gradient for an image, expected engine 'torch'")
        return letterbox.apply_to_levels(image)

    def letterbox(self, image: RgbImage | ImageLevels) -> Letterbox:
        """The mapping between this image and the network's input."""
        config = self.config
        return Letterbox(
            image_size=(image.shape[1], image.shape[0]),
            input_size=(config.input_width, config.input_height),
            crop_top=config.crop_top,
            crop_bottom=config.crop_bottom,
        )

    def reduce(self, boxes_xyxy: Tensor, logits: Tensor, letterbox: Letterbox) -> Detections:
        """One row per cone candidate from all anchors of one image, on the CPU.

        Args:
            boxes_xyxy: ``(A, 4)`` [px of the network's input].
            logits: ``(A, 4)``.
            letterbox: of the image.

        Returns:
            At most ``clusters`` rows, boxes in pixels of the original image.
        """
        top = select_top(boxes_xyxy, logits, self.config.candidates)
        # From here on it is many small steps, which a GPU is slow at.
        top = Detections(*(values.cpu() for values in top))
        pooled = pool_duplicates(top, self.config.overlap, self.config.clusters)
        return Detections(letterbox.boxes_to_image(pooled.boxes_xyxy), pooled.logits)


def load_detector(config: DetectorConfig) -> Detector:
    """Detector of a weights file, by its suffix, in evaluation mode.

    Weights of torch (.safetensors, .pt) run on OpenVINO or ONNX Runtime through an export that is
    made once and kept in the cache folder (``$CONEGRAD_CACHE`` or ``~/.cache/conegrad``).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a cone detector or does not fit the settings.
        EngineError: if the engine cannot run on this machine.
    """
    path = Path(config.weights).expanduser() if config.weights else default_weights("camera")
    if not path.exists():
        raise FileNotFoundError(f"weights {path} do not exist")
    suffix = ".xml" if path.is_dir() else path.suffix
    if suffix in OF_SUFFIX:
        engine = OF_SUFFIX[suffix][0] if config.engine == "auto" else config.engine
        if engine not in OF_SUFFIX[suffix]:
            expected = f"'auto' or one of {OF_SUFFIX[suffix]}"
            raise ValueError(f"engine is {engine!r} for weights {path}, expected {expected}")
        detector = Detector(_load_engine(path, engine, config), config).eval()
        _check_outputs(detector, path)
        return detector
    network, metadata = load_network(path, trust_pickle=config.trust_pickle)
    return Detector(_engine_of(network, path, config), config, metadata).eval()


def _check_outputs(detector: Detector, path: Path) -> None:
    """Run an exported file once: its weights cannot be looked at."""
    config = detector.config
    grey = np.full((config.input_height, config.input_width, 3), PADDING, dtype=np.uint8)
    with torch.no_grad():
        raw = detector.engine.infer([grey])
    if not all(bool(values.isfinite().all()) for values in raw):
        raise ValueError(
            f"weights {path} give values that are not finite for a grey image: export them anew"
        )


def _engine_of(network: nn.Module, path: Path, config: DetectorConfig) -> Engine:
    """Engine for a network of torch."""
    on_cpu = config.device == "cpu"
    engine = ("openvino" if on_cpu else "torch") if config.engine == "auto" else config.engine
    if engine == "torch":
        put_on(network, config.device)
        return TorchEngine(network, "fp32" if config.precision == "auto" else config.precision)
    if engine == "tensorrt":
        raise ValueError(f"engine is 'tensorrt' for weights {path}, expected an .engine file")
    size = (config.input_width, config.input_height)
    export = detector_export(network, engine, size)
    if engine == "openvino" and config.precision == "auto":
        config = dataclasses.replace(config, precision=native_precision(PREFERRED_PRECISION))
    return open_export(export, lambda file: _load_engine(file, engine, config))


def _load_engine(path: Path, engine: str, config: DetectorConfig) -> Engine:
    """Engine of an exported file."""
    if engine == "tensorrt":
        return TensorRtEngine(path, config.device)
    if config.device != "cpu":
        raise EngineError(f"device is {config.device!r} for engine {engine!r}, expected 'cpu'")
    if engine == "openvino":
        return OpenVinoEngine(path, config.threads, config.precision)
    if config.precision not in ("auto", "fp32"):
        raise EngineError(f"precision is {config.precision!r} for engine 'onnx', expected 'auto'")
    return OnnxEngine(path, config.threads)
