"""Checks of a pipeline: every connection exists, once, with the right kind, without a cycle."""

from collections.abc import Collection, Container, Iterator, Mapping
from typing import NamedTuple

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.registry import port_type
from conegrad_core.pipeline.specification import (
    EntryPath,
    PipelineSpecification,
    StageSpecification,
)
from conegrad_core.pipeline.stage import Stage

Classes = Mapping[str, type[Stage]]


class Writing(NamedTuple):
    """Where a port gets its values from.

    Attributes:
        port: its name.
        kind: of its values; empty where it is not known.
        writer: for messages.
        path: of the entry in the file.
    """

    port: str
    kind: str
    writer: str
    path: EntryPath


def port_kinds(specification: PipelineSpecification, classes: Classes) -> dict[str, str]:
    """Kind of every port, after the whole pipeline was checked.

    Args:
        specification: of the pipeline.
        classes: class of each stage.

    Raises:
        PipelineError: naming file, line, stage and port of the first fault.
    """
    for fault in connection_faults(specification, classes):
        raise fault
    return {port: writing.kind for port, writing in _first_writings(specification, classes).items()}


def run_order(specification: PipelineSpecification) -> tuple[str, ...]:
    """Names of the stages, each after those that it reads from, else as in the file.

    Raises:
        PipelineError: naming the stages of a cycle.
    """
    for fault in cycle_faults(specification):
        raise fault
    return tuple(_in_order(_waits_for(specification)))


def connection_faults(
    specification: PipelineSpecification, classes: Classes, unread: Collection[EntryPath] = ()
) -> Iterator[PipelineError]:
    """Every fault of the connections but cycles; one that follows from another is left out.

    Args:
        specification: of the pipeline.
        classes: class of each stage; one of an unknown module has none.
        unread: entries of the file that the specification lacks, because they have faults.
    """
    for name, stage in specification.stages.items():
        if name in classes:
            yield from _name_faults(specification, stage, classes[name])
            if not any(_covers_inputs(path, name) for path in unread):
                yield from _missing_inputs(specification, stage, classes[name])
    yield from _writer_faults(specification, classes)
    unregistered = dict(_unregistered_kinds(specification, classes))
    yield from unregistered.values()
    yield from _kind_faults(specification, classes, unregistered)
    if not any(_declares_ports(path) for path in unread):
        yield from _port_faults(specification, set(_first_writings(specification, classes)))


def cycle_faults(specification: PipelineSpecification) -> Iterator[PipelineError]:
    """An error per cycle, each as if those before it were cut where they are reported."""
    waits_for = _waits_for(specification)
    while True:
        done = _in_order(waits_for)
        if len(done) == len(waits_for):
            return
        walk = [next(name for name in waits_for if name not in done)]
        while walk[-1] not in walk[:-1]:
            walk.append(min(waits_for[walk[-1]] - set(done)))
        circle = walk[walk.index(walk[-1]) :]  # each stage waits for the next one
        reader, written = circle[0], specification.stages[circle[1]].outputs.values()
        inputs = specification.stages[reader].inputs
        slot = next(slot for slot, port in inputs.items() if port in written)
        yield specification.error(
            f"stage {reader}, port {inputs[slot]}: the stages {' -> '.join(circle[::-1])} "
            "are a cycle",
            *("stages", reader, "inputs", slot),
        )
        waits_for[reader].remove(circle[1])


def _waits_for(specification: PipelineSpecification) -> dict[str, set[str]]:
    """Stages from which each stage reads."""
    stages = specification.stages
    writers = {port: name for name in stages for port in stages[name].outputs.values()}
    return {
        name: {writers[port] for port in stage.inputs.values() if port in writers}
        for name, stage in stages.items()
    }


def _in_order(waits_for: Mapping[str, set[str]]) -> list[str]:
    """The stages that can run, each after those that it waits for."""
    order: list[str] = []
    while True:
        ready = [n for n, before in waits_for.items() if n not in order and before <= set(order)]
        if not ready:
            return order
        order.append(ready[0])


def _readings(specification: PipelineSpecification) -> Iterator[tuple[str, str, str]]:
    """Stage, its input and its port."""
    for name, stage in specification.stages.items():
        for slot, port in stage.inputs.items():
            yield name, slot, port


def _writings(specification: PipelineSpecification, classes: Classes) -> Iterator[Writing]:
    """Everything that writes a port, in the order of the file."""
    for port, kind in specification.inputs.items():
        yield Writing(port, kind, "the inputs of the pipeline", ("inputs", port))
    for name, stage in specification.stages.items():
        kinds = classes[name].outputs if name in classes else {}
        for slot, port in stage.outputs.items():
            path = ("stages", name, "outputs", slot)
            yield Writing(port, kinds.get(slot, ""), f"stage {name}", path)


def _first_writings(specification: PipelineSpecification, classes: Classes) -> dict[str, Writing]:
    found: dict[str, Writing] = {}
    for writing in _writings(specification, classes):
        found.setdefault(writing.port, writing)
    return found


def _writer_faults(
    specification: PipelineSpecification, classes: Classes
) -> Iterator[PipelineError]:
    """Ports with more than one writer."""
    first = _first_writings(specification, classes)
    for writing in _writings(specification, classes):
        if writing != first[writing.port]:
            yield specification.error(
                f"{writing.writer}, port {writing.port}: written by "
                f"{first[writing.port].writer} as well, expected one writer",
                *writing.path,
            )


def _covers_inputs(path: EntryPath, name: str) -> bool:
    """Whether an entry is a whole stage, or inputs of it."""
    return path[:2] == ("stages", name) and path[2:3] in ((), ("inputs",))


def _declares_ports(path: EntryPath) -> bool:
    """Whether an entry is an input of the pipeline, a whole stage, or outputs of a stage."""
    if path[:1] == ("stages",):
        return path[2:3] in ((), ("outputs",))
    return path[:1] in ((), ("inputs",))


def _unregistered_kinds(
    specification: PipelineSpecification, classes: Classes
) -> Iterator[tuple[str, PipelineError]]:
    """Kinds that are not port types, each with the error of the first port that has it."""
    kinds = set()
    for writing in _first_writings(specification, classes).values():
        if not writing.kind or writing.kind in kinds:
            continue
        kinds.add(writing.kind)
        try:
            port_type(writing.kind)
        except PipelineError as cause:
            stage = f"{writing.writer}, " if writing.path[0] == "stages" else ""
            error = specification.error(f"{stage}port {writing.port}: {cause}", *writing.path)
            error.__cause__ = cause
            yield writing.kind, error


def _kind_faults(
    specification: PipelineSpecification, classes: Classes, unregistered: Container[str]
) -> Iterator[PipelineError]:
    """Inputs that get values of another kind than they expect, where both are known."""
    written = _first_writings(specification, classes)
    for name, slot, port in _readings(specification):
        wanted = classes[name].inputs.get(slot) if name in classes else None
        if wanted is None or port not in written:
            continue
        kind, writer = written[port].kind, written[port].writer
        if kind and kind != wanted and kind not in unregistered:
            yield specification.error(
                f"stage {name}, port {port}: {writer} gives {kind}, its input {slot} expects "
                f"{wanted}",
                *("stages", name, "inputs", slot),
            )


def _port_faults(
    specification: PipelineSpecification, written: Collection[str]
) -> Iterator[PipelineError]:
    """Ports that are read and that nobody writes."""
    expected = f"expected one of {', '.join(sorted(written))}"
    for name, slot, port in _readings(specification):
        if port not in written:
            yield specification.error(
                f"stage {name}, port {port}: no stage writes it and it is not an input of the "
                f"pipeline, {expected}",
                *("stages", name, "inputs", slot),
            )
    for output, port in specification.outputs.items():
        if port not in written:
            yield specification.error(
                f"output {output}, port {port}: no stage writes it, {expected}",
                *("outputs", output),
            )


def _name_faults(
    specification: PipelineSpecification, stage: StageSpecification, stage_class: type[Stage]
) -> Iterator[PipelineError]:
    """Inputs and outputs of a stage that are not those of its class."""
    path = ("stages", stage.name)
    sides = (("inputs", stage.inputs, stage_class.inputs),
             ("outputs", stage.outputs, stage_class.outputs))  # fmt: skip
    for side, given, known in sides:
        for slot, port in given.items():
            if slot not in known:
                yield specification.error(
                    f"stage {stage.name}, port {port}: {stage.module} has no {side[:-1]} {slot}, "
                    f"expected one of {', '.join(known)}",
                    *(*path, side, slot),
                )


def _missing_inputs(
    specification: PipelineSpecification, stage: StageSpecification, stage_class: type[Stage]
) -> Iterator[PipelineError]:
    """Inputs that a stage needs and that are not connected."""
    missing = [
        slot
        for slot in stage_class.inputs
        if slot not in stage.inputs and slot not in stage_class.optional_inputs
    ]
    if missing or not stage.inputs:
        slots = missing or list(stage_class.inputs)
        yield specification.error(
            f"stage {stage.name}: the input {' or '.join(slots)} of {stage.module} is missing",
            *("stages", stage.name, "inputs"),
        )
