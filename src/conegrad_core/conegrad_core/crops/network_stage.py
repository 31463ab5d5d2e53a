"""What the stages of networks over crops share: settings, weights, one forward for all crops."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from conegrad_core.crops.crops import Crops
from conegrad_core.crops.network import CropModel, CropNetwork, load_crop_model
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config, setting

ENGINES = ("auto", "torch", "onnx", "openvino")

S = TypeVar("S", bound="CropNetworkStage")


@dataclass(frozen=True)
class CropNetworkConfig(Config):
    """Settings of a network over crops."""

    weights: str = setting("", "Path of a .safetensors file; empty: the weights that ship")
    engine: str = setting("auto", "auto, torch, onnx or openvino; auto: onnx on a CPU, else torch")
    device: str = setting("cpu", "cpu, or for torch cuda or cuda:N")
    threads: int = setting(1, "CPU threads of onnx and openvino; 0: their choice", low=0, high=256)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("engine", ENGINES)


class CropNetworkStage(Stage):
    """A :class:`CropModel` in a pipeline.

    Attributes:
        network_class: the network, made without arguments.
    """

    learns = True
    config_class = CropNetworkConfig
    config: CropNetworkConfig
    network_class: ClassVar[type[CropNetwork]]

    def __init__(self, config: CropNetworkConfig, model: CropModel | None = None) -> None:
        super().__init__(config)
        self.module = model or CropModel(self.network_class())

    @classmethod
    def from_config(cls: type[S], config: CropNetworkConfig, *, trainable: bool = False) -> S:
        """The network with the weights of its settings."""
        if trainable:
            config = dataclasses.replace(config, engine="torch")
        model = load_crop_model(cls.network_class(), config.weights, config.device)
        engine = config.engine
        if engine == "auto":
            # ONNX Runtime: as fast as OpenVINO here, and no pause when the number of crops changes.
            engine = "onnx" if model.device.type == "cpu" else "torch"
        if engine != "torch":
            model.use_engine(engine, config.threads)
        return cls(config, model).eval()

    @property
    def architecture(self) -> str:
        """The only one of its class."""
        return self.network_class.architecture

    def save(self, path: Path) -> None:
        """Write the weights; how those came to be that they started from is not theirs."""
        self.module.save(path)

    def outputs_of(self, crops: Sequence[Crops]) -> list[tuple[Tensor, ...]]:
        """Outputs of the network for the crops of each sample, with one forward for all."""
        counts = [len(sample.pictures) for sample in crops]
        pictures = torch.cat([sample.pictures for sample in crops])
        outputs = [output.split(counts) for output in self.module(pictures)]
        return list(zip(*outputs, strict=True))


def mean_or_zero(losses: Tensor) -> Tensor:
    """Mean; zero, with a gradient of zero, where there are none."""
    return losses.sum() / max(1, losses.numel())
