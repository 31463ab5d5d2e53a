"""The pipeline itself: stages in their order, from the values of some ports to those of others."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import nn

from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.registry import port_type
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage, Values
from conegrad_core.settings import Config


class Pipeline(nn.Module):
    """A checked graph of stages; the weights of a stage are at ``stages.NAME``.

    Args:
        specification: connections of the stages.
        stages: every stage of the specification, by name.
        configs: settings of each stage as they were asked for; None: those of the stages.

    Attributes:
        configs: settings of each stage as they were asked for. Those of a stage itself may name
            another engine: torch, where it is trainable.
        layout: its connections.
        specification: as given.
        order: names of the stages, each after those that it reads from.
        ports: type of every port, by the name of the port.

    Raises:
        PipelineError: naming file, line, stage and port.
    """

    def __init__(
        self,
        specification: PipelineSpecification,
        stages: Mapping[str, Stage],
        configs: Mapping[str, Config] | None = None,
    ) -> None:
        super().__init__()
        if stages.keys() != specification.stages.keys():
            found, expected = ", ".join(stages), ", ".join(specification.stages)
            raise PipelineError(f"the stages are {found}, expected {expected}")
        layout = Layout(specification, {name: type(stage) for name, stage in stages.items()})
        self.layout = layout
        self.specification, self.order = specification, layout.order
        self.ports: Mapping[str, PortType] = {
            port: port_type(kind) for port, kind in layout.kinds.items()
        }
        self.stages = nn.ModuleDict({name: stages[name] for name in self.order})
        self.configs = dict(configs or {name: stages[name].config for name in self.order})
        self._plans: dict[tuple[Collection[str], ...], tuple[str, ...]] = {}

    def stage(self, name: str) -> Stage:
        """A stage by its name.

        Raises:
            PipelineError: if there is none of this name.
        """
        if name not in self.stages:
            raise PipelineError(f"no stage {name!r}, expected one of {', '.join(self.order)}")
        return cast(Stage, self.stages[name])

    @property
    def learned_stages(self) -> tuple[str, ...]:
        """Stages with weights that training can change, in their order."""
        return self.layout.learned_stages

    @property
    def networks(self) -> tuple[str, ...]:
        """Learned stages that are models of their own, in their order."""
        return self.layout.networks

    def upstream(self, name: str) -> frozenset[str]:
        """Stages whose results reach a stage, without itself."""
        return self.layout.upstream(name)

    def needed_stages(self, ports: Iterable[str], given: Collection[str] = ()) -> tuple[str, ...]:
        """Stages that have to run for the values of some ports, in their order.

        Args:
            ports: that are asked for.
            given: ports whose values are known already.

        Raises:
            PipelineError: if there is no such port, or a value from outside is missing.
        """
        needed: set[str] = set()
        waiting = [(port, "") for port in ports if port not in given]
        while waiting:
            port, reader = waiting.pop()
            if port not in self.ports:
                raise PipelineError(f"no port {port!r}, expected one of {', '.join(self.ports)}")
            writer = self.layout.writers.get(port)
            if writer is None:
                wants = f"stage {reader} reads it" if reader else "it is asked for"
                raise PipelineError(
                    f"port {port}: no values are given, but {wants}; expected some for it"
                )
            if writer not in needed:
                needed.add(writer)
                inputs = self.specification.stages[writer].inputs.values()
                waiting += [(port, writer) for port in inputs if port not in given]
        return tuple(name for name in self.order if name in needed)

    def forward(
        self,
        values: Values,
        contexts: Sequence[FrameContext] | None = None,
        ports: Collection[str] | None = None,
    ) -> dict[str, list[Any]]:
        """Values of the asked ports for a batch of samples; differentiable where the stages are.

        Only the stages that are needed run. A port whose values are given is not computed: give
        the truth of a port to see what the system would make of it, or leaves that require
        a gradient to cut the graph there.

        Args:
            values: of ports, one per sample; at least of the inputs that are needed. None: there
                is no value in this sample; a stage that does not join then gives None as well.
            contexts: of the samples; None: nothing is known about them.
            ports: that are asked for; None: those of the outputs of the pipeline.

        Raises:
            PipelineError: naming stage and port, if a value is missing or of the wrong kind.
        """
        wanted = tuple(self.specification.outputs.values()) if ports is None else tuple(ports)
        count = self._check_given(values, contexts)
        known: dict[str, list[Any]] = {port: list(of_port) for port, of_port in values.items()}
        contexts = (FrameContext(),) * count if contexts is None else contexts
        plan = (wanted, tuple(known))
        if plan not in self._plans:  # few ways to ask, many frames
            self._plans[plan] = self.needed_stages(wanted, known)
        for name in self._plans[plan]:
            for port, made in self.run_stage(name, known, contexts).items():
                known.setdefault(port, made)
        return {port: known[port] for port in wanted}

    def run_stage(
        self, name: str, values: Values, contexts: Sequence[FrameContext]
    ) -> dict[str, list[Any]]:
        """Values of the ports that one stage writes, from those that it reads.

        Args:
            name: of the stage.
            values: of the ports that it reads at least, one per sample.
            contexts: of the samples.

        Raises:
            PipelineError: naming stage and port, if the stage gives something else than it says.
        """
        stage, connections = self.stage(name), self.specification.stages[name]
        inputs = {slot: values[port] for slot, port in connections.inputs.items()}
        places: Sequence[int] = range(len(contexts))
        if not stage.joins:
            places = _complete(inputs, places)
            if len(places) < len(contexts):
                inputs = {slot: [given[i] for i in places] for slot, given in inputs.items()}
                contexts = [contexts[i] for i in places]
        made = stage(inputs, contexts) if contexts else {}
        results: dict[str, list[Any]] = {}
        for slot, port in connections.outputs.items():
            found = made.get(slot, ()) if contexts else ()
            if len(found) != len(contexts):
                raise PipelineError(
                    f"stage {name}, port {port}: {len(found)} values of the output {slot} for "
                    f"{len(contexts)} samples"
                )
            self._check_values(f"stage {name}, port {port}", port, found)
            results[port] = _spread(found, places, len(values[next(iter(values))]))
        return results

    def save(self, folder: Path) -> dict[str, Path]:
        """Write the weights of every stage that has some.

        Returns:
            The file of each stage.
        """
        folder.mkdir(parents=True, exist_ok=True)
        paths = {name: folder / file for name, file in self.weights_files().items()}
        for name, path in paths.items():
            self.stage(name).save(path)
        return paths

    def weights_files(self) -> dict[str, str]:
        """File name of each stage with weights; with its name in front where two would collide."""
        files = {name: self.stage(name).weights_file for name in self.order}
        names = list(files.values())
        return {
            name: file if names.count(file) == 1 else f"{name}_{file}"
            for name, file in files.items()
            if file
        }

    def to_device(self, device: str) -> None:
        """Move every stage that runs on other devices than the CPU.

        Raises:
            EngineError: if there is no such device.
        """
        for name in self.order:
            self.stage(name).to_device(device)

    def accelerate(self) -> None:
        """Prepare all stages to run faster without gradient; their weights are final."""
        for name in self.order:
            self.stage(name).accelerate()

    def _check_given(self, values: Values, contexts: Sequence[FrameContext] | None) -> int:
        """Number of samples."""
        counts = {port: len(of_port) for port, of_port in values.items()}
        if contexts is not None:
            counts["contexts"] = len(contexts)
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{port} {count}" for port, count in counts.items())
            raise PipelineError(f"different numbers of samples are given: {found}")
        for port, of_port in values.items():
            if port not in self.ports:
                raise PipelineError(f"no port {port!r}, expected one of {', '.join(self.ports)}")
            self._check_values(f"port {port}", port, of_port)
        return next(iter(counts.values()), 0)

    def _check_values(self, where: str, port: str, values: Sequence[Any]) -> None:
        for value in values:
            if value is not None:
                try:
                    self.ports[port].check(value)
                except ValueError as error:
                    raise PipelineError(f"{where}: {error}") from error


def _complete(inputs: Values, places: Sequence[int]) -> Sequence[int]:
    """Samples in which no input is missing."""
    if all(value is not None for given in inputs.values() for value in given):
        return places
    return [i for i in places if all(given[i] is not None for given in inputs.values())]


def _spread(found: Sequence[Any], places: Sequence[int], count: int) -> list[Any]:
    """Results at their places, None in between."""
    if len(found) == count:
        return list(found)
    spread: list[Any] = [None] * count
    for place, value in zip(places, found, strict=True):
        spread[place] = value
    return spread
