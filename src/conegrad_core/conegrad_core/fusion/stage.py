"""Stage ``cone_fusion``: what the sensors' networks found in, cones on the ground out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from conegrad_core.engines.form import EngineForm
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Stage, Values


class FusionStage(Stage):
    """A :class:`Fuser` in a pipeline; it runs on the CPU.

    A pipeline may leave out any of its inputs but detections or segmentation, and a sample may
    lack one. Positions take the place of the monocular ones of the detections; colours join the
    class logits of the detections.
    """

    inputs: ClassVar[Mapping[str, str]] = {
        "detections": "Detections",
        "segmentation": "SegmentedScan",
        "positions": "ConePositions",
        "colours": "ConeColours",
    }
    outputs: ClassVar[Mapping[str, str]] = {"cones": "Cones"}
    optional_inputs = frozenset(inputs)
    learns = True
    joins = True
    needs_calibration = True
    config_class = FuserConfig
    rates = Rates(end=5e-3, supervised=5e-3)
    end_loss_terms = frozenset({"position", "colour", "existence", "covariance"})
    weights_file = "fusion.safetensors"
    config: FuserConfig

    def __init__(self, fuser: Fuser) -> None:
        super().__init__(fuser.config)
        self.module = fuser
        self._traced: TracedFuser | None = None

    @classmethod
    def from_config(cls, config: FuserConfig, *, trainable: bool = False) -> "FusionStage":
        """The fusion of its settings."""
        return cls(Fuser(config)).eval()

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """All candidates of each sample, in the frame of the LiDAR.

        Raises:
            ValueError: if a sample has neither detections nor segmentation, or no calibration for
                its detections, or positions or colours of another number of detections.
        """
        fuse = self._traced if self._traced and not torch.is_grad_enabled() else self.module
        missing = [None] * len(contexts)
        samples = zip(
            inputs.get("segmentation", missing),
            inputs.get("detections", missing),
            inputs.get("positions", missing),
            inputs.get("colours", missing),
            contexts,
            strict=True,
        )
        return {
            "cones": [
                fuse(segmented, detections, context.calibration, context.motion, positions, colours)
                for segmented, detections, positions, colours, context in samples
            ]
        }

    def calibration_weights(self) -> Iterable[nn.Parameter]:
        """Corrections of the extrinsics and of the offset in time."""
        return self.module.mounting.parameters()

    def scalars(self) -> dict[str, float]:
        """Learned scalars and corrections, as values with units."""
        return dict(self.module.values())

    def save(self, path: Path) -> None:
        """Write scalars and corrections of the calibration."""
        self.module.save(path)

    def to_device(self, device: str) -> None:
        """Nothing moves: many small operations, for which a GPU is slow."""

    def export(self, folder: Path, form: EngineForm, examples: Sequence[Any]) -> dict[str, Any]:
        """Setting that runs the fusion on ONNX Runtime, in fp32 whatever the form says.

        Positions and covariances need the digits. The graph is made for the camera that it meets.
        OpenVINO cannot convert it: there the operations as torch recorded them stay.
        """
        return {"engine": "onnx"} if form.engine == "onnx" else {}

    def prepare(self, camera: CameraModel) -> None:
        """Record the operations ahead of the first pair, where :meth:`accelerate` was called."""
        if self._traced is not None:
            self._traced.prepare(camera)

    def accelerate(self) -> None:
        """Record the operations at the first sample; later changes of the scalars do not count."""
        self._traced = TracedFuser(self.module)
