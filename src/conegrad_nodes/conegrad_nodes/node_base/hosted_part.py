"""Stages of a pipeline file that one node runs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from conegrad_core.pipeline.build import build_pipeline, stage_classes, stage_config
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.part import part_of
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config
from conegrad_core.system_record.provenance import provenance


class HostedPart:
    """Some stages as a graph of their own, loaded and released with the life cycle of a node.

    Args:
        pipeline: by its name in ``config/pipelines``, or the path of its YAML file.
        stages: their names, one at least.
        node: that would run them, for messages.

    Attributes:
        part: specification of these stages; its inputs are the ports that they read from others.
        classes: class of each stage.
        provenance: pipeline, recorded system and weights that are loaded.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: naming file, line, stage and port; if there is no stage.
    """

    def __init__(self, pipeline: str, stages: Collection[str], node: str = "node") -> None:
        specification = load_specification(pipeline)
        if not stages:
            text = f"{specification.source} has no stage for the {node}, expected not to start it"
            raise PipelineError(text)
        self.part = part_of(specification, stages)
        self.classes: Mapping[str, type[Stage]] = stage_classes(self.part)
        self._graph: Pipeline | None = None
        self.provenance: Mapping[str, str] = {}

    def default_configs(self) -> dict[str, Config]:
        """Settings of each stage where the pipeline file alone gives some.

        Raises:
            PipelineError: naming file, line, stage and setting.
        """
        return {
            name: stage_config(self.part, name, of_stage.config_class, {})
            for name, of_stage in self.classes.items()
        }

    def load(self, configs: Mapping[str, Config], *, trainable: bool = False) -> None:
        """Build the stages with their settings.

        Args:
            configs: of the ``config_class`` of each stage.
            trainable: with gradients.

        Raises:
            FileNotFoundError: if a weights file does not exist.
            ValueError: if weights or settings do not fit.
            EngineError: if an engine cannot run on this machine.
        """
        graph = build_pipeline(self.part, configs, trainable=trainable)
        if not trainable:
            graph.accelerate()
        self._graph = graph
        self.provenance = provenance(self.part.source, self.classes, configs)

    def release(self) -> None:
        """Drop the stages."""
        self._graph, self.provenance = None, {}

    @property
    def title(self) -> str:
        """Names of the stages, for people."""
        return ", ".join(self.classes)

    @property
    def is_loaded(self) -> bool:
        """Between :meth:`load` and :meth:`release`."""
        return self._graph is not None

    @property
    def graph(self) -> Pipeline:
        """The pipeline of these stages.

        Raises:
            RuntimeError: if it is not loaded.
        """
        if self._graph is None:
            raise RuntimeError(f"{self.title} runs before it is loaded")
        return self._graph

    @property
    def name(self) -> str:
        """Of the only stage.

        Raises:
            PipelineError: if there are several.
        """
        if len(self.classes) != 1:
            raise PipelineError(f"the stages {self.title} run in one node, expected one alone")
        return next(iter(self.classes))

    @property
    def stage(self) -> Stage:
        """The only stage, loaded.

        Raises:
            PipelineError: if there are several.
            RuntimeError: if it is not loaded.
        """
        return self.graph.stage(self.name)

    def stages(self) -> Iterator[Stage]:
        """All stages, loaded, in their order."""
        return map(self.graph.stage, self.graph.order)

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all ports that the stages write, from those that they read from others.

        Raises:
            PipelineError: if a value is missing or of the wrong kind.
        """
        made = self.graph({port: [value] for port, value in values.items()})
        return {port: values[0] for port, values in made.items()}
