"""The trainable system: detector, segmenter and fusion with one batched forward."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.lidar.segmenter import (
    ScanSegmenter,
    SegmenterConfig,
    load_segmenter,
    save_segmenter,
)
from conegrad_core.settings import Config, setting
from conegrad_core.weights import default_weights
from conegrad_training.data.sample import Sample
from conegrad_training.engine.distributed import share_statistics

CAMERA, LIDAR, FUSION = PARTS = ("camera", "lidar", "fusion")
FILES = {
    CAMERA: "yolov5n_cones.safetensors",
    LIDAR: "scan_cnn.safetensors",
    FUSION: "fusion.safetensors",
}


@dataclass(frozen=True)
class SystemConfig(Config):
    """Weights and input size of the system that is trained."""

    camera: str = setting("", "Weights of the detector (.safetensors); empty: those shipped")
    lidar: str = setting("", "Weights of the segmenter (.safetensors); empty: those shipped")
    fusion: str = setting("", "Scalars of the fusion (.safetensors); empty: the values shipped")
    device: str = setting("cpu", "Torch device of the two networks")
    precision: str = setting("fp32", "fp32, bf16 or fp16 of the detector's convolutions")
    input_width: int = setting(640, "Width of the detector's input [px]", low=32, high=4096)
    input_height: int = setting(384, "Height of the detector's input [px]", low=32, high=4096)
    crop_top: float = setting(0.0, "Fraction of rows cut off at the top", low=0.0, high=0.95)
    crop_bottom: float = setting(0.0, "Fraction of rows cut off at the bottom", low=0.0, high=0.95)


class PartOutputs(NamedTuple):
    """What the two networks say about one sample."""

    detections: Detections
    segmented: SegmentedScan


class Modules(nn.Module):
    """Detector, segmenter and fuser, as the nodes run them apart."""

    def __init__(self, detector: Detector, segmenter: ScanSegmenter, fuser: Fuser) -> None:
        super().__init__()
        self.detector = detector
        self.segmenter = segmenter
        self.fuser = fuser


class TrainableSystem(nn.Module):
    """The perception of the car, in parts that can be trained or frozen one by one.

    Attributes:
        perception: the modules that the nodes run.
        architecture: of the detector's network.
        learns_mounting: corrections of the calibration learn along with the fusion.
    """

    def __init__(self, perception: Modules, architecture: str = "yolov5n") -> None:
        super().__init__()
        if not isinstance(perception.detector.engine, TorchEngine):
            found = type(perception.detector.engine).__name__
            raise ValueError(f"the detector runs on {found}, expected engine 'torch' for training")
        self.perception = perception
        self.architecture = architecture
        self.learns_mounting = False
        share_statistics(self)
        self.network.to(memory_format=torch.channels_last)  # a third faster on a CPU
        self.eval()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The module behind each name of :data:`PARTS`."""
        perception = self.perception
        modules = (perception.detector, perception.segmenter, perception.fuser)
        return dict(zip(PARTS, modules, strict=True))

    @property
    def network(self) -> nn.Module:
        """The detector's network."""
        engine = self.perception.detector.engine
        return engine.network  # type: ignore[return-value]

    def train_only(
        self,
        parts: Collection[str],
        *,
        adapt_statistics: bool = False,
        waits: Collection[str] = (),
    ) -> None:
        """Make some parts learn and freeze the others, batch-norm statistics included.

        Args:
            parts: names of the parts that learn.
            adapt_statistics: batch-norm layers of these parts use and follow the statistics of
                each batch; else they keep those they have, and only their weights learn.
            waits: frozen parts that learn in other steps. With ``adapt_statistics`` they use the
                statistics of the batch as in their own steps, but keep those they have: a part
                learns beside the other one as it will be, not beside what its statistics, which
                lag behind, make of it.

        Raises:
            ValueError: for a part that does not exist.
        """
        unknown = sorted(set(parts) - set(PARTS))
        if unknown:
            raise ValueError(f"parts has {unknown[0]!r}, expected some of {PARTS}")
        for name, module in self.parts.items():
            learns = name in parts
            module.train(adapt_statistics and (learns or name in waits))
            follow_statistics(module, follows=learns)
            module.requires_grad_(learns)
        learns = FUSION in parts and self.learns_mounting
        self.perception.fuser.mounting.requires_grad_(learns)

    def outputs(self, samples: Sequence[Sample]) -> list[PartOutputs]:
        """Detections and segmented scan of each sample on the CPU; one forward per network."""
        segmented = self.perception.segmenter([sample.scan for sample in samples])
        detected = self.perception.detector([sample.image for sample in samples])
        return [PartOutputs(*pair) for pair in zip(detected, segmented, strict=True)]

    def fuse(self, sample: Sample, outputs: PartOutputs) -> Cones:
        """All candidates of one sample."""
        detections, segmented = outputs
        cones: Cones = self.perception.fuser(
            segmented, detections, sample.calibration, sample.motion
        )
        return cones

    def forward(self, samples: Sequence[Sample]) -> list[Cones]:
        """All candidates of each sample; differentiable in the weights of every part."""
        pairs = zip(samples, self.outputs(samples), strict=True)
        return [self.fuse(sample, outputs) for sample, outputs in pairs]


def load_system(config: SystemConfig | None = None) -> TrainableSystem:
    """System from weights files, everything in evaluation mode.

    Raises:
        FileNotFoundError: if a weights file does not exist.
        ValueError: if a file is of another kind.
    """
    config = config or SystemConfig()
    detector = load_detector(
        DetectorConfig(
            weights=config.camera,
            engine="torch",
            device=config.device,
            precision=config.precision,
            input_width=config.input_width,
            input_height=config.input_height,
            crop_top=config.crop_top,
            crop_bottom=config.crop_bottom,
        )
    )
    segmenter = load_segmenter(
        SegmenterConfig(weights=config.lidar, engine="torch", device=config.device)
    )
    fuser = Fuser(FuserConfig(weights=config.fusion))
    return TrainableSystem(Modules(detector, segmenter, fuser), architecture_of(config.camera))


def save_system(system: TrainableSystem, folder: Path) -> dict[str, Path]:
    """Write the weights of all parts as the nodes load them, in full precision.

    Returns:
        The file of each part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {part: folder / name for part, name in FILES.items()}
    config, perception = system.perception.detector.config, system.perception
    save_network(
        system.network,
        paths[CAMERA],
        architecture=system.architecture,
        input_size=(config.input_width, config.input_height),
        half=False,
    )
    save_segmenter(perception.segmenter.network, paths[LIDAR], perception.segmenter.metadata)
    perception.fuser.save(paths[FUSION])
    return paths


def follow_statistics(module: nn.Module, *, follows: bool) -> None:
    """Whether batch-norm layers that use the statistics of a batch also remember them."""
    for layer in module.modules():
        if isinstance(layer, _BatchNorm):
            layer.track_running_stats = follows


def architecture_of(weights: str) -> str:
    """Architecture that a weights file of the detector states; empty: of the weights shipped."""
    path = Path(weights).expanduser() if weights else default_weights("camera")
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
    return metadata["architecture"]
