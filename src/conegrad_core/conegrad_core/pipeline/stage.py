"""Stage: a named box of a pipeline with typed inputs and outputs."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from conegrad_core.engines.devices import put_on
from conegrad_core.engines.form import EngineForm
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.settings import Config

Values = Mapping[str, Sequence[Any]]  # of each input, one per sample


@dataclass(frozen=True)
class Rates:
    """Default settings of the optimizer for a stage.

    Attributes:
        end: learning rate with the end loss.
        supervised: learning rate with the supervised loss of the stage.
        weight_decay: of its weights.
    """

    end: float = 1e-3
    supervised: float = 1e-3
    weight_decay: float = 0.0


class Stage(nn.Module, ABC):
    """A part of a pipeline, registered by entry point in the group ``conegrad.stages``.

    A stage that wraps a module of its own calls it ``module``.

    Attributes:
        inputs: kind of each input, by name.
        outputs: kind of each output, by name.
        optional_inputs: inputs that a pipeline may leave out.
        learns: it has weights that training can change.
        joins: it joins what several stages make of one instant. It gets every sample, with None
            for an input that is missing, and if it learns, it learns along with the networks; it
            is not a network of its own in training patterns. A stage that does not join is given
            only samples with all of its inputs.
        needs_calibration: it reads the contexts of the samples: the calibration or the motion.
            Live, such a stage runs in the fusion node, which knows them.
        config_class: its settings; a field ``weights`` holds the path of its weights file.
        rates: defaults of the optimizer.
        end_loss_terms: terms of the end loss that depend on its outputs.
        label_kinds: labels that the supervised loss needs; empty: it derives them from the inputs.
        weights_file: file name of its weights in the folder of a system; empty: none are saved.
        config: the settings of this stage.
    """

    inputs: ClassVar[Mapping[str, str]]
    outputs: ClassVar[Mapping[str, str]]
    optional_inputs: ClassVar[frozenset[str]] = frozenset()
    learns: ClassVar[bool] = False
    joins: ClassVar[bool] = False
    needs_calibration: ClassVar[bool] = False
    config_class: ClassVar[type[Config]] = Config
    rates: ClassVar[Rates] = Rates()
    end_loss_terms: ClassVar[frozenset[str]] = frozenset()
    label_kinds: ClassVar[tuple[str, ...]] = ()
    weights_file: ClassVar[str] = ""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def from_config(cls, config: Any, *, trainable: bool = False) -> "Stage":
        """The stage of its settings, in evaluation mode.

        Args:
            config: of :attr:`config_class`.
            trainable: with gradients: whatever engine the settings name, torch runs it.

        Raises:
            FileNotFoundError: if a weights file does not exist.
            ValueError: if a weights file is of another kind.
        """
        return cls(config).eval()

    @abstractmethod
    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Values of every output from those of the inputs, one per sample."""

    @classmethod
    def has_supervised_loss(cls) -> bool:
        """Whether it learns from a loss of its own, too."""
        return cls.learns and cls.supervised_loss is not Stage.supervised_loss

    @property
    def is_network(self) -> bool:
        """It is a learned model of its own: it learns, and does not only join."""
        return self.learns and not self.joins

    @property
    def architecture(self) -> str:
        """Name of what is inside, as weights files state it; empty where there is one only."""
        return ""

    def supervised_loss(
        self, inputs: Values, labels: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, Tensor]:
        """Mean terms of the stage's own loss over the samples, on the CPU.

        Args:
            inputs: as in :meth:`forward`.
            labels: of each of :attr:`label_kinds`, one per sample.
            contexts: of the samples.

        Raises:
            PipelineError: if the stage has no supervised loss.
        """
        raise PipelineError(
            f"{type(self).__name__} has no supervised loss, expected a pattern of the end loss"
        )

    def calibration_weights(self) -> Iterable[nn.Parameter]:
        """Weights that correct the calibration: they learn only where a user asks for that."""
        return ()

    def scalars(self) -> dict[str, float]:
        """Learned values with a meaning of their own, for reports; none by default."""
        return {}

    def label_values(self, labels: Mapping[str, Any], inputs: Mapping[str, Any]) -> int:
        """Numbers that a person had to give for the labels of one sample.

        Raises:
            PipelineError: if the stage has labels and does not say.
        """
        if self.label_kinds:
            kinds = " and ".join(self.label_kinds)
            raise PipelineError(f"{type(self).__name__} does not say what the labels {kinds} cost")
        return 0

    def save(self, path: Path) -> None:
        """Write its weights, to be loaded as the setting ``weights``.

        Raises:
            PipelineError: if it has none.
        """
        raise PipelineError(f"{type(self).__name__} has no weights to write to {path}")

    def export(self, folder: Path, form: EngineForm, examples: Sequence[Any]) -> dict[str, Any]:
        """Write what an engine runs; its weights are final.

        Args:
            folder: of this stage alone; it exists and is empty.
            form: engine and precision.
            examples: values of its only input as they occur; needed for int8.

        Returns:
            Settings with which the stage runs what was written. ``weights`` is a path within the
            folder, or ``.`` for the folder itself. Settings without it leave the weights as they
            are saved. Nothing: no engine runs this stage, it stays as it is.

        Raises:
            EngineError: if the engine or the precision is not to be had here.
        """
        return {}

    def to_device(self, device: str) -> None:
        """Move it; a stage that runs on the CPU only stays there.

        Raises:
            EngineError: if there is no such device.
        """
        put_on(self, device)

    def accelerate(self) -> None:
        """Prepare to run faster without gradient, with equal results; its weights are final."""

    def prepare(self, camera: CameraModel) -> None:
        """Do ahead what the first sample with such a camera would have to wait for, if anything."""
