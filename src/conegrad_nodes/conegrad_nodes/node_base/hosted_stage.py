"""A stage of a pipeline file that one node runs."""

from collections.abc import Mapping
from typing import Any

from conegrad_core.pipeline.build import build_pipeline, stage_classes
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.part import part_of
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config


class HostedStage:
    """One stage as a graph of its own, loaded and released with the life cycle of a node.

    Args:
        pipeline: by its name in ``config/pipelines``, or the path of its YAML file.
        name: of the stage.

    Attributes:
        name: of the stage.
        part: specification of the stage alone; its inputs are the ports that the stage reads.
        stage_class: class of the stage.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: naming file, line, stage and port.
    """

    def __init__(self, pipeline: str, name: str) -> None:
        self.name = name
        self.part = part_of(load_specification(pipeline), [name])
        self.stage_class: type[Stage] = stage_classes(self.part)[name]
        self._graph: Pipeline | None = None

    def load(self, config: Config, *, trainable: bool = False) -> None:
        """Build the stage with its settings.

        Args:
            config: of the ``config_class`` of the stage.
            trainable: with gradients.

        Raises:
            FileNotFoundError: if a weights file does not exist.
            ValueError: if weights or settings do not fit.
            EngineError: if the engine cannot run on this machine.
        """
        graph = build_pipeline(self.part, {self.name: config}, trainable=trainable)
        if not trainable:
            graph.accelerate()
        self._graph = graph

    def release(self) -> None:
        """Drop the stage."""
        self._graph = None

    @property
    def is_loaded(self) -> bool:
        """Between :meth:`load` and :meth:`release`."""
        return self._graph is not None

    @property
    def graph(self) -> Pipeline:
        """The pipeline of the one stage.

        Raises:
            RuntimeError: if it is not loaded.
        """
        if self._graph is None:
            raise RuntimeError(f"the stage {self.name} runs before it is loaded")
        return self._graph

    @property
    def stage(self) -> Stage:
        """The loaded stage.

        Raises:
            RuntimeError: if it is not loaded.
        """
        return self.graph.stage(self.name)

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the ports that the stage writes, from those that it reads.

        Raises:
            PipelineError: if a value is missing or of the wrong kind.
        """
        made = self.graph({port: [value] for port, value in values.items()})
        return {port: values[0] for port, values in made.items()}
