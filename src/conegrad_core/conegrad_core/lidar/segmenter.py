"""Segmenter of planar scans: the trained scan network behind one call, and its weights file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from conegrad_core.engines.devices import put_on
from conegrad_core.engines.errors import EngineError
from conegrad_core.lidar.beam_features import covers_full_turn
from conegrad_core.lidar.engines import MIN_TURN_BEAMS, ScanEngine, scan_engine
from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.lidar.scan_network import (
    ARCHITECTURE,
    PLANAR_ARCHITECTURE,
    ScanNetwork,
    with_profile,
)
from conegrad_core.settings import Config, setting
from conegrad_core.shapes import check_shape
from conegrad_core.weights import default_weights, load_weights, save_weights

NO_RETURN_LOGIT = -20.0  # of a beam without usable return: surely no cone, and no gradient
FORMER = {PLANAR_ARCHITECTURE: with_profile}  # weights files that are read as well
ENGINES = ("auto", "torch", "onnx", "openvino")


@dataclass(frozen=True)
class SegmenterConfig(Config):
    """Settings of the scan segmenter."""

    weights: str = setting("", "Path of a .safetensors file; empty: the weights that ship")
    engine: str = setting("auto", "auto, torch, onnx or openvino; auto: onnx on a CPU, else torch")
    device: str = setting("cpu", "cpu, or for torch cuda or cuda:N")
    max_range: float = setting(20.0, "Returns beyond this range count as none [m]", low=0.1)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("engine", ENGINES)


class ScanSegmenter(nn.Module):
    """Labels each beam of a planar scan: did it hit a cone?

    Attributes:
        config: settings.
        network: the 1D CNN; its logits are differentiable in weights and ranges.
        engine: runs the network faster, without gradient; None: torch runs it.
        metadata: what the weights file says of itself (empty for fresh weights).
    """

    def __init__(self, config: SegmenterConfig | None = None) -> None:
        super().__init__()
        self.config = config or SegmenterConfig()
        self.network = ScanNetwork()
        self.engine: ScanEngine | None = None
        self.metadata: dict[str, str] = {}

    def forward(self, scans: Sequence[Scan]) -> list[SegmentedScan]:
        """Label the beams of each scan, with one forward for the scans of each sensor.

        Gradients flow into the logits. Beams may run in either direction.

        Raises:
            ValueError: if ranges and angles of a scan are not ``(B,)`` with B >= 2 alike.
            EngineError: if a gradient is asked for and the engine is not torch.
        """
        sensors: dict[tuple[int, float], list[int]] = defaultdict(list)
        for place, scan in enumerate(scans):
            sensors[len(scan.ranges), _angle_step(scan)].append(place)
        segmented: dict[int, SegmentedScan] = {}
        for (_, step), places in sensors.items():
            found = self._segment([scans[place] for place in places], step)
            segmented.update(zip(places, found, strict=True))
        return [segmented[place] for place in range(len(scans))]

    def logits(
        self,
        ranges: Tensor,
        angle_step: float,
        wraps: bool = False,
        profile: Tensor | None = None,
    ) -> Tensor:
        """``(B, N)`` ranges [m] of scans of one sensor to ``(B, N)`` logits.

        Args:
            ranges: NaN, inf and 0 mean no return.
            angle_step: between two beams [rad].
            wraps: the scans cover a full turn.
            profile: ``(B, PROFILE_CHANNELS, N)`` of scans made of clouds.

        Raises:
            EngineError: if a gradient is asked for and the engine is not torch.
        """
        if self.engine is not None:
            return self._run(self.engine, ranges, abs(angle_step), wraps, profile)
        step = torch.as_tensor(angle_step, dtype=ranges.dtype, device=ranges.device)
        logits: Tensor = self.network(ranges, step.abs(), wraps, profile)
        return logits

    def _segment(self, scans: Sequence[Scan], step: float) -> list[SegmentedScan]:
        """Scans of one sensor."""
        ranges = torch.stack([scan.ranges for scan in scans])
        usable = (ranges > 0) & (ranges <= self.config.max_range)  # false for NaN and inf
        ranges = torch.where(usable, ranges, torch.nan)
        wraps = covers_full_turn(ranges.shape[1], abs(step))
        profile = _joined_profiles(scans)
        if profile is not None:
            profile = (profile * usable[:, None]).to(self.device)
        logits = self.logits(ranges.to(self.device), step, wraps, profile).to(ranges.device)
        logits = torch.where(usable, logits, NO_RETURN_LOGIT)
        return [
            SegmentedScan(own_ranges, scan.angles, own_logits, scan.times, scan.motions)
            for own_ranges, own_logits, scan in zip(ranges, logits, scans, strict=True)
        ]

    def use_engine(self, name: str) -> None:
        """Run the network as it is now on ``onnx`` or ``openvino``; its weights are frozen.

        Raises:
            EngineError: if the network is not on the CPU.
        """
        if self.device.type != "cpu":
            raise EngineError(f"device is '{self.device}' for engine {name!r}, expected 'cpu'")
        self.engine = scan_engine(name, self.network)
        self.eval().requires_grad_(requires_grad=False)

    def _run(
        self,
        engine: ScanEngine,
        ranges: Tensor,
        step: float,
        wraps: bool,
        profile: Tensor | None,
    ) -> Tensor:
        if self.training or (ranges.requires_grad and torch.is_grad_enabled()):
            raise EngineError(f"{type(engine).__name__} has no gradient, expected engine 'torch'")
        if wraps and ranges.shape[1] < MIN_TURN_BEAMS:
            return self.network(  # type: ignore[no-any-return]
                ranges, torch.tensor(step), wraps, profile
            )
        rows = ranges.detach().float().numpy()
        if profile is None:
            profile = torch.zeros(1, PROFILE_CHANNELS, rows.shape[1]).expand(len(rows), -1, -1)
        around = profile.detach().float().numpy()
        logits = [
            torch.from_numpy(engine.infer(row[None], step, wraps, of_row[None]))
            for row, of_row in zip(rows, around, strict=True)
        ]
        return logits[0] if len(logits) == 1 else torch.cat(logits)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


def load_segmenter(config: SegmenterConfig | None = None) -> ScanSegmenter:
    """Load the segmenter, ready for inference (evaluation mode); training needs engine torch.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is of another kind or architecture; names both.
        EngineError: if there is no such device, or the engine cannot run on it.
    """
    config = config or SegmenterConfig()
    path = Path(config.weights).expanduser() if config.weights else default_weights("lidar")
    segmenter = ScanSegmenter(config)
    segmenter.metadata = load_weights(segmenter.network, path, ARCHITECTURE, FORMER)
    put_on(segmenter, config.device)
    segmenter.eval()
    engine = config.engine
    if engine == "auto":
        # ONNX Runtime: as fast as OpenVINO here, and no pause when the number of beams changes.
        engine = "onnx" if segmenter.device.type == "cpu" else "torch"
    if engine != "torch":
        segmenter.use_engine(engine)
    return segmenter


def save_segmenter(network: ScanNetwork, path: Path, metadata: Mapping[str, str]) -> None:
    """Write weights as safetensors; ``metadata`` states where they come from."""
    save_weights(network, path, ARCHITECTURE, metadata)


def _joined_profiles(scans: Sequence[Scan]) -> Tensor | None:
    """``(S, P, B)``, zeros for scans of planar LiDARs; None where all are of those."""
    known = next((scan.profile for scan in scans if scan.profile is not None), None)
    if known is None:
        return None
    none = torch.zeros_like(known)
    return torch.stack([none if scan.profile is None else scan.profile for scan in scans])


def _angle_step(scan: Scan) -> float:
    check_shape(scan.ranges, None, name="ranges")
    beams = scan.ranges.shape
    if len(beams) != 1 or scan.angles.shape != beams or beams[0] < 2:
        raise ValueError(
            f"scan has ranges of shape {tuple(beams)} and angles of shape "
            f"{tuple(scan.angles.shape)}, expected (B,) for both with B >= 2"
        )
    return float(scan.angles[-1] - scan.angles[0]) / (beams[0] - 1)
