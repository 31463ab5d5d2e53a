"""Networks over crops: what they share, and the engine that runs them."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from conegrad_core.crops.cutting import SIZE
from conegrad_core.engines.devices import put_on
from conegrad_core.engines.errors import EngineError
from conegrad_core.engines.row_engine import RowEngine, RowGraph, row_engine
from conegrad_core.shapes import check_shape
from conegrad_core.weights import default_weights, load_weights, save_weights

MIN_CONTRAST = 0.02  # of a picture of 0..1; below it noise of the sensor would be amplified


class CropNetwork(nn.Module, ABC):
    """A convolutional network over crops, one row of outputs per crop.

    Attributes:
        architecture: name of it, as weights files state it.
        part: whose default weights are its.
        output_names: of its outputs.
    """

    architecture: ClassVar[str]
    part: ClassVar[str]
    output_names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """``(K, 3, S, S)`` pictures, 0 to 1, to outputs ``(K, ...)``; differentiable."""


class CropModel(nn.Module):
    """A network with its weights and, where no gradient is needed, its engine.

    Attributes:
        network: of torch.
        engine: runs it faster on the CPU, without gradient; None: torch runs it.
        metadata: what the weights file says of itself (empty for fresh weights).
    """

    def __init__(self, network: CropNetwork) -> None:
        super().__init__()
        self.network = network
        self.engine: RowEngine | None = None
        self.metadata: dict[str, str] = {}

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Outputs of ``(K, 3, S, S)`` pictures, where these are.

        Raises:
            ValueError: if the pictures have another shape.
            EngineError: if a gradient is asked for and the engine is not torch.
        """
        check_shape(pictures, None, 3, None, None, name="pictures")
        if self.engine is None or not len(pictures):
            outputs: tuple[Tensor, ...] = self.network(pictures.to(self.device))
            return tuple(output.to(pictures.device) for output in outputs)
        if self.training or (pictures.requires_grad and torch.is_grad_enabled()):
            raise EngineError(
                f"{type(self.engine).__name__} has no gradient, expected engine 'torch'"
            )
        rows = pictures.detach().float().contiguous().cpu().numpy()
        found = self.engine.infer(rows)
        return tuple(torch.from_numpy(output).to(pictures.device) for output in found)

    def use_engine(self, name: str, threads: int, size: int = SIZE) -> None:
        """Run the network as it is now on ``onnx`` or ``openvino``; its weights are frozen.

        Args:
            name: of the engine.
            threads: CPU threads; 0 leaves the choice to the runtime.
            size: side of the pictures [px]; others run as well.

        Raises:
            EngineError: if the network is not on the CPU.
        """
        if self.device.type != "cpu":
            raise EngineError(f"device is '{self.device}' for engine {name!r}, expected 'cpu'")
        network = self.network
        graph = RowGraph(network.architecture, "1", (3, size, size), network.output_names)
        self.engine = row_engine(name, network, graph, threads)
        self.eval().requires_grad_(requires_grad=False)

    def save(self, path: Path) -> None:
        """Write the weights; how those came to be that they started from is not theirs."""
        save_weights(self.network, path, self.network.architecture, {})

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


def load_crop_model(network: CropNetwork, weights: str, device: str = "cpu") -> CropModel:
    """A network with weights of a file, in evaluation mode on torch.

    Args:
        network: its weights are replaced.
        weights: path of a .safetensors file; empty: those that ship.
        device: where torch runs it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is of another kind or architecture; names both.
        EngineError: if there is no such device.
    """
    path = Path(weights).expanduser() if weights else default_weights(network.part)
    model = CropModel(network)
    model.metadata = load_weights(network, path, network.architecture)
    put_on(model, device)
    return model.eval()


def standardised(pictures: Tensor) -> Tensor:
    """Pictures of mean 0 and deviation 1 over all their values: exposure drops out, hue stays."""
    centred = pictures - pictures.mean(dim=(1, 2, 3), keepdim=True)
    variance = centred.square().mean(dim=(1, 2, 3), keepdim=True)
    return centred / (variance + MIN_CONTRAST**2).sqrt()
