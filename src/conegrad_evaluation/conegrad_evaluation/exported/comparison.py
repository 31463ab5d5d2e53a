"""An exported system beside its original: both on the same frames, stage by stage."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from conegrad_core.fusion.selection import select_cones
from conegrad_core.pipeline.graph import Pipeline
from conegrad_evaluation.exported.box_agreement import BoxAgreement
from conegrad_evaluation.metrics.evaluator import Evaluation, Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import MIN_EXISTENCE
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

WARM_UP = 3  # frames that engines and recordings get before the first one that counts
SIDES = ("original", "exported")


@dataclass(frozen=True)
class EngineComparison:
    """What two forms of one system made of the same frames.

    Attributes:
        original: metrics of the cones.
        exported: likewise.
        boxes: agreement of the detections by port; empty where no port has boxes.
        seconds: median time of a frame by stage [s], of the original and of the export.
    """

    original: Evaluation
    exported: Evaluation
    boxes: Mapping[str, BoxAgreement]
    seconds: Mapping[str, tuple[float, float]]

    def figures(self) -> dict[str, dict[str, float]]:
        """Figures by name, of both, as a record keeps them."""
        found: dict[str, dict[str, float]] = {}
        for side, evaluation in zip(SIDES, (self.original, self.exported), strict=True):
            found[side] = {
                "f1_colour": evaluation.f1_colour,
                "recall": evaluation.recall,
                "rmse": evaluation.rmse,
                **{
                    f"recall {name}": subset.counts.recall
                    for name, subset in evaluation.range_bins.items()
                    if subset.counts.true
                },
            }
        for index, side in enumerate(SIDES):
            found[side] |= {f"{name} [s]": pair[index] for name, pair in self.seconds.items()}
        for port, agreement in self.boxes.items():
            found["exported"] |= {f"boxes {port}": agreement.share}
        return found


@dataclass
class _Side:
    """One system while it runs."""

    pipeline: Pipeline
    cones: str
    evaluator: Evaluator
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self, sample: Sample, inputs: Mapping[str, Any], *, counts: bool) -> dict[str, Any]:
        """Values of all ports, each stage timed."""
        known = {port: [value] for port, value in inputs.items()}
        for name in self.pipeline.order:
            start = time.perf_counter()
            made = self.pipeline.run_stage(name, known, [sample.context])
            if counts:
                self.seconds.setdefault(name, []).append(time.perf_counter() - start)
            known.update(made)
        return {port: values[0] for port, values in known.items()}


class EngineComparer:
    """Runs an exported system beside its original.

    Args:
        original: as it was.
        exported: the same stages on engines.
        config: settings of the metrics.

    Raises:
        PipelineError: if a pipeline has not one output of cones.
    """

    def __init__(
        self, original: Pipeline, exported: Pipeline, config: EvaluationConfig | None = None
    ) -> None:
        self._systems = System(original), System(exported)
        self._sides = [
            _Side(system.pipeline, system.cones_port, Evaluator(config)) for system in self._systems
        ]
        kinds = original.ports
        self._boxes = {port: BoxAgreement() for port in kinds if kinds[port].name == "Detections"}
        self._is_warm = False

    @torch.inference_mode()
    def add(self, samples: Iterable[Sample]) -> None:
        """Run both on some frames, in turns."""
        for row, sample in enumerate(samples):
            if not self._is_warm:
                for _ in range(WARM_UP):
                    self._run(sample, 0, counts=False)
                self._is_warm = True
            made = self._run(sample, row, counts=True)
            truth = self._systems[0].truth(sample)
            for side, values in zip(self._sides, made, strict=True):
                side.evaluator.add(select_cones(values[side.cones], MIN_EXISTENCE), truth)
            for port, agreement in self._boxes.items():
                if made[0][port] is not None:
                    agreement.add(made[0][port], made[1][port])

    def result(self) -> EngineComparison:
        """All frames so far.

        Raises:
            ValueError: if there were none.
        """
        original, exported = self._sides
        if not original.evaluator.frames:
            raise ValueError("the bags hold no frame to compare the export on")
        seconds = {
            name: (_median(original.seconds[name]), _median(exported.seconds[name]))
            for name in original.seconds
        }
        evaluations = original.evaluator.result(), exported.evaluator.result()
        return EngineComparison(*evaluations, dict(self._boxes), seconds)

    def _run(self, sample: Sample, row: int, *, counts: bool) -> list[dict[str, Any]]:
        order = (0, 1) if row % 2 == 0 else (1, 0)  # caches would always help the second one
        made: dict[int, dict[str, Any]] = {}
        for index in order:
            inputs = {
                port: sample.inputs.get(port)
                for port in self._sides[index].pipeline.specification.inputs
            }
            made[index] = self._sides[index].run(sample, inputs, counts=counts)
        return [made[0], made[1]]


def _median(values: list[float]) -> float:
    return float(np.median(values))
