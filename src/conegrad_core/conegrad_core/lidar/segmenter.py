"""Segmenter of planar scans: the trained scan network behind one call, and its weights file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from conegrad_core.config import Config, setting
from conegrad_core.lidar.beam_features import covers_full_turn
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.lidar.scan_network import ARCHITECTURE, ScanNetwork
from conegrad_core.shapes import check_shape
from conegrad_core.weights import default_weights

NO_RETURN_LOGIT = -20.0  # of a beam without usable return: surely no cone, and no gradient


@dataclass(frozen=True)
class SegmenterConfig(Config):
    """Settings of the scan segmenter."""

    weights: str = setting("", "Path of a .safetensors file; empty: the weights that ship")
    device: str = setting("cpu", "Torch device the network runs on")
    max_range: float = setting(20.0, "Returns beyond this range count as none [m]", low=0.1)


class ScanSegmenter(nn.Module):
    """Judges each beam of a planar scan: did it hit a cone?

    Attributes:
        config: settings.
        network: the 1D CNN; its logits are differentiable in weights and ranges.
        metadata: what the weights file says of itself (empty for fresh weights).
    """

    def __init__(self, config: SegmenterConfig | None = None) -> None:
        super().__init__()
        self.config = config or SegmenterConfig()
        self.network = ScanNetwork()
        self.metadata: dict[str, str] = {}

    def forward(self, ranges: Tensor, angle_step: Tensor | float, wraps: bool = False) -> Tensor:
        """``(B, N)`` ranges [m] of scans of one sensor to ``(B, N)`` logits.

        Args:
            ranges: NaN, inf and 0 mean no return.
            angle_step: between two beams [rad].
            wraps: the scans cover a full turn.
        """
        step = torch.as_tensor(angle_step, dtype=ranges.dtype, device=ranges.device)
        logits: Tensor = self.network(ranges, step.abs(), wraps)
        return logits

    def segment(self, scan: Scan) -> SegmentedScan:
        """Judge one scan; gradients flow into the logits. Beams may run in either direction.

        Raises:
            ValueError: if ranges and angles are not ``(B,)`` with B >= 2 alike.
        """
        step = _angle_step(scan)
        ranges = scan.ranges
        usable = torch.isfinite(ranges) & (ranges > 0) & (ranges <= self.config.max_range)
        ranges = torch.where(usable, ranges, torch.nan)
        wraps = covers_full_turn(len(ranges), abs(step))
        logits = self(ranges[None].to(self.device), step, wraps)[0].to(ranges.device)
        logits = torch.where(usable, logits, NO_RETURN_LOGIT)
        return SegmentedScan(ranges, scan.angles, logits)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


def load_segmenter(config: SegmenterConfig | None = None) -> ScanSegmenter:
    """Load the segmenter, ready for inference (evaluation mode).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is of another kind or architecture; names both.
    """
    config = config or SegmenterConfig()
    path = Path(config.weights) if config.weights else default_weights("lidar")
    segmenter = ScanSegmenter(config)
    tensors, segmenter.metadata = _read_weights(path)
    segmenter.network.load_state_dict(tensors)
    return segmenter.to(config.device).eval()


def save_segmenter(network: ScanNetwork, path: Path, metadata: Mapping[str, str]) -> None:
    """Write weights as safetensors; ``metadata`` tells where they come from."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in _state(network).items()}
    save_file(tensors, path, metadata={**metadata, "architecture": ARCHITECTURE})


def _state(network: ScanNetwork) -> dict[str, Tensor]:
    return network.state_dict()


def _read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist, expected a .safetensors weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_architecture(path, metadata)
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error})") from error


def _check_architecture(path: Path, metadata: Mapping[str, str]) -> None:
    found = metadata.get("architecture")
    if found != ARCHITECTURE:
        raise ValueError(f"{path} has architecture {found!r}, expected {ARCHITECTURE!r}")


def _angle_step(scan: Scan) -> float:
    check_shape(scan.ranges, None, name="ranges")
    beams = scan.ranges.shape
    if len(beams) != 1 or scan.angles.shape != beams or beams[0] < 2:
        raise ValueError(
            f"scan has ranges of shape {tuple(beams)} and angles of shape "
            f"{tuple(scan.angles.shape)}, expected (B,) for both with B >= 2"
        )
    return float(scan.angles[-1] - scan.angles[0]) / (beams[0] - 1)
