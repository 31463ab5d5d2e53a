"""Stage ``scan_cnn``: planar scans in, the cone logit of each beam out."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from conegrad_core.engines.form import EngineForm
from conegrad_core.lidar.scan_network import ARCHITECTURE
from conegrad_core.lidar.segmenter import (
    ENGINES,
    ScanSegmenter,
    SegmenterConfig,
    load_segmenter,
    save_segmenter,
)
from conegrad_core.losses import beam_loss
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Stage, Values


class SegmenterStage(Stage):
    """A :class:`ScanSegmenter` in a pipeline.

    Its label is ``beams``: ``(B,)`` bool, the beam hit a cone.
    """

    inputs: ClassVar[Mapping[str, str]] = {"scan": "Scan"}
    outputs: ClassVar[Mapping[str, str]] = {"segmentation": "SegmentedScan"}
    learns = True
    config_class = SegmenterConfig
    rates = Rates(end=1e-3, supervised=1e-3, weight_decay=0.01)
    end_loss_terms = frozenset({"position", "existence"})
    label_kinds = ("beams",)
    weights_file = "scan_cnn.safetensors"
    config: SegmenterConfig

    def __init__(self, segmenter: ScanSegmenter) -> None:
        super().__init__(segmenter.config)
        self.module = segmenter

    @classmethod
    def from_config(cls, config: SegmenterConfig, *, trainable: bool = False) -> "SegmenterStage":
        """The segmenter of its settings."""
        if trainable:
            config = dataclasses.replace(config, engine="torch")
        return cls(load_segmenter(config)).eval()

    @property
    def architecture(self) -> str:
        """The only one."""
        return ARCHITECTURE

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Segmented scan of each scan."""
        return {"segmentation": self.module(inputs["scan"])}

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean cross-entropy ``beams`` of the beams with a return."""
        pairs = zip(self.module(inputs["scan"]), labels["beams"], strict=True)
        losses = [beam_loss(scan.logits, beams, scan.ranges) for scan, beams in pairs]
        return {"beams": torch.stack(losses).mean()}

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """One per beam with a return."""
        return int(inputs["scan"].ranges.isfinite().sum())

    def export(self, folder: Path, form: EngineForm, examples: Sequence[Any]) -> dict[str, Any]:
        """Settings that run the weights on an engine of the CPU, in fp32 whatever the form says.

        In bf16 or int8 it gains 0.2 ms of 0.6, and logits shift by up to 2. The graphs are made
        of the weights when they are loaded, and kept by their hash.
        """
        return {"engine": form.engine} if form.engine in ENGINES else {}

    def save(self, path: Path) -> None:
        """Write the weights; how those came to be that they started from is not theirs."""
        save_segmenter(self.module.network, path, {})
