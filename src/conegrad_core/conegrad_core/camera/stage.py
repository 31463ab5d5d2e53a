"""Stage ``yolov5_detector``: images in, cone candidates with their boxes out."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.engines.cache import FILES
from conegrad_core.camera.engines.export import export_network
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.supervision import DetectionLoss
from conegrad_core.engines.devices import put_on
from conegrad_core.engines.errors import EngineError
from conegrad_core.engines.form import EngineForm
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.stage import Rates, Stage, Values

BOX_VALUES = 5  # numbers of a label: two corners and the colour


class DetectorStage(Stage):
    """A :class:`Detector` in a pipeline.

    Its label is ``boxes``, a :class:`conegrad_core.camera.image.TrueBoxes`.
    """

    inputs: ClassVar[Mapping[str, str]] = {"image": "Image"}
    outputs: ClassVar[Mapping[str, str]] = {"detections": "Detections"}
    learns = True
    config_class = DetectorConfig
    rates = Rates(end=2e-4, supervised=5e-4, weight_decay=0.01)
    end_loss_terms = frozenset({"colour", "existence"})
    label_kinds = ("boxes",)
    weights_file = "yolov5n_cones.safetensors"
    config: DetectorConfig

    def __init__(self, detector: Detector) -> None:
        super().__init__(detector.config)
        self.module = detector
        self._loss: DetectionLoss | None = None

    @classmethod
    def from_config(cls, config: DetectorConfig, *, trainable: bool = False) -> "DetectorStage":
        """The detector of its settings; trainable ones are laid out as convolutions like it."""
        if not trainable:
            return cls(load_detector(config)).eval()
        stage = cls(load_detector(dataclasses.replace(config, engine="torch"))).eval()
        stage.module.engine.to(memory_format=torch.channels_last)  # a third faster on a CPU
        return stage

    @property
    def architecture(self) -> str:
        """As the weights file states it; empty where it does not."""
        return self.module.metadata.get("architecture", "")

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Detections of each image."""
        return {"detections": self.module(inputs["image"])}

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean terms ``box``, ``class`` and ``distribution`` of Ultralytics, on the CPU.

        Raises:
            EngineError: if the engine is not torch.
        """
        if self._loss is None:
            self._loss = DetectionLoss(self.module)
        return self._loss(inputs["image"], labels["boxes"])

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """Five per box."""
        return BOX_VALUES * len(labels["boxes"].classes)

    def save(self, path: Path) -> None:
        """Write the weights in full precision.

        Raises:
            PipelineError: if the engine is not torch, or the architecture is not known.
        """
        engine = self.module.engine
        if not isinstance(engine, TorchEngine) or not self.architecture:
            found = f"runs on {type(engine).__name__}, architecture {self.architecture!r}"
            raise PipelineError(
                f"cannot write {path}: the detector {found}; expected engine 'torch' and weights "
                "that state their architecture (.safetensors)"
            )
        config = self.module.config
        save_network(
            engine.network,
            path,
            architecture=self.architecture,
            input_size=(config.input_width, config.input_height),
            half=False,
        )

    def export(self, folder: Path, form: EngineForm, examples: Sequence[Any]) -> dict[str, Any]:
        """Write an OpenVINO IR or an ONNX file; arguments and errors as of the base class."""
        engine, config = self.module.engine, self.module.config
        if not isinstance(engine, TorchEngine):
            raise EngineError(
                f"the detector runs on {type(engine).__name__}, expected weights of torch to export"
            )
        if form.engine not in FILES:
            raise EngineError(
                "engine is 'tensorrt', expected openvino or onnx: TensorRT engines are built by "
                "Ultralytics on the GPU that runs them (yolo export format=engine); set the "
                "detector's weights to the .engine file"
            )
        export_network(
            engine.network,
            folder / FILES[form.engine],
            (config.input_width, config.input_height),
            precision=form.precision,
            examples=[self.module.letterbox(image).apply(image) for image in examples],
        )
        return {"weights": FILES[form.engine], "engine": form.engine, "precision": "auto"}

    def to_device(self, device: str) -> None:
        """Move a network of torch; exported files run where they were loaded.

        Raises:
            EngineError: if there is no such device.
        """
        if isinstance(self.module.engine, TorchEngine):
            put_on(self.module, device)
            self._loss = None  # it is made for the device
