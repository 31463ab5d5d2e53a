"""Stage ``keypoint_solver``: keypoints of cones in, their positions on the ground out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConePositions
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver import solve_positions
from conegrad_core.keypoints.solver_scalars import SolverScalars
from conegrad_core.keypoints.traced_solver import TracedSolver
from conegrad_core.learned_scalars import read_numbers, write_numbers
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Stage, Values
from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class SolverConfig(Config):
    """Settings of the position solver."""

    weights: str = setting("", "Path of keypoint_solver.safetensors; empty for the built-in values")


class SolverStage(Stage):
    """The position solver in a pipeline; it runs on the CPU.

    It learns a few scalars from the end loss along with the networks. A sample without detections
    or keypoints gives no positions.
    """

    inputs: ClassVar[Mapping[str, str]] = {"detections": "Detections", "keypoints": "Keypoints"}
    outputs: ClassVar[Mapping[str, str]] = {"positions": "ConePositions"}
    learns = True
    joins = True
    needs_calibration = True
    config_class = SolverConfig
    rates = Rates(end=5e-3, supervised=5e-3)
    end_loss_terms = frozenset({"position", "covariance"})
    weights_file = "keypoint_solver.safetensors"
    config: SolverConfig

    def __init__(self, config: SolverConfig) -> None:
        super().__init__(config)
        self.module = SolverScalars()
        self._traced: TracedSolver | None = None
        if config.weights:
            path = Path(config.weights)
            self.module.set_all(read_numbers(path), path)

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Positions of the detections of each sample, in the LiDAR frame.

        Raises:
            ValueError: if a sample has no calibration, or keypoints of other detections.
        """
        samples = zip(inputs["detections"], inputs["keypoints"], contexts, strict=True)
        return {"positions": [self._solved(*sample) for sample in samples]}

    def _solved(
        self, detections: Detections | None, keypoints: Keypoints | None, context: FrameContext
    ) -> ConePositions | None:
        if detections is None or keypoints is None:
            return None
        if context.calibration is None:
            raise ValueError("calibration is None, expected one for the keypoints")
        if self._traced is not None and not torch.is_grad_enabled():
            return self._traced(keypoints, detections, context.calibration)
        return solve_positions(keypoints, detections, context.calibration, self.module())

    def scalars(self) -> dict[str, float]:
        """Learned scalars, as values with units."""
        return self.module.values()

    def save(self, path: Path) -> None:
        """Write the scalars."""
        write_numbers(self.module.values(), path)

    def to_device(self, device: str) -> None:
        """Nothing moves: many small operations, for which a GPU is slow."""

    def accelerate(self) -> None:
        """Record the operations at the first sample; later changes of the scalars do not count."""
        self._traced = TracedSolver(self.module)
