"""Layout of a pipeline: its checked connections, without any weights."""

from collections.abc import Mapping

from conegrad_core.pipeline.checks import port_kinds, run_order
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage


class Layout:
    """Order, ports and networks of a pipeline, from the classes of its stages.

    Args:
        specification: connections of the stages.
        classes: class of each stage.

    Attributes:
        specification: as given.
        classes: as given.
        kinds: of every port, by the name of the port.
        order: names of the stages, each after those that it reads from.
        writers: stage that writes a port, by the name of the port; an input has none.

    Raises:
        PipelineError: naming file, line, stage and port.
    """

    def __init__(
        self, specification: PipelineSpecification, classes: Mapping[str, type[Stage]]
    ) -> None:
        self.specification, self.classes = specification, dict(classes)
        self.kinds = port_kinds(specification, classes)
        self.order = run_order(specification)
        self.writers = {
            port: name
            for name, stage in specification.stages.items()
            for port in stage.outputs.values()
        }

    @property
    def learned_stages(self) -> tuple[str, ...]:
        """Stages with weights that training can change, in their order."""
        return tuple(name for name in self.order if self.classes[name].learns)

    @property
    def networks(self) -> tuple[str, ...]:
        """Learned stages that are models of their own, in their order."""
        return tuple(name for name in self.learned_stages if not self.classes[name].joins)

    def upstream(self, name: str) -> frozenset[str]:
        """Stages whose results reach a stage, without itself."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for port in self.specification.stages[waiting.pop()].inputs.values():
                writer = self.writers.get(port)
                if writer is not None and writer not in found:
                    found.add(writer)
                    waiting.append(writer)
        return frozenset(found)
