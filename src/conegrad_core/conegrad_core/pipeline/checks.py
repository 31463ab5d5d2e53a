"""Checks of a pipeline: every connection exists, once, with the right kind, without a cycle."""

from collections.abc import Iterator, Mapping

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.registry import port_type
from conegrad_core.pipeline.specification import PipelineSpecification, StageSpecification
from conegrad_core.pipeline.stage import Stage

Classes = Mapping[str, type[Stage]]


def port_kinds(specification: PipelineSpecification, classes: Classes) -> dict[str, str]:
    """Kind of every port, after the whole pipeline was checked.

    Args:
        specification: of the pipeline.
        classes: class of each stage.

    Raises:
        PipelineError: naming file, line, stage and port.
    """
    kinds = dict(specification.inputs)
    writers = dict.fromkeys(kinds, "the inputs of the pipeline")
    for name, stage in specification.stages.items():
        _check_names(specification, stage, classes[name])
        for slot, port in stage.outputs.items():
            if port in writers:
                raise specification.error(
                    f"stage {name}, port {port}: written by {writers[port]} as well, expected "
                    "one writer",
                    *("stages", name, "outputs", slot),
                )
            kinds[port], writers[port] = classes[name].outputs[slot], f"stage {name}"
    _check_registered(specification, kinds)
    for name, slot, port in _readings(specification):
        wanted = classes[name].inputs[slot]
        path = ("stages", name, "inputs", slot)
        if port not in kinds:
            raise specification.error(
                f"stage {name}, port {port}: no stage writes it and it is not an input of the "
                f"pipeline, expected one of {', '.join(sorted(kinds))}",
                *path,
            )
        if kinds[port] != wanted:
            raise specification.error(
                f"stage {name}, port {port}: {writers[port]} gives {kinds[port]}, its input "
                f"{slot} expects {wanted}",
                *path,
            )
    for output, port in specification.outputs.items():
        if port not in kinds:
            raise specification.error(
                f"output {output}, port {port}: no stage writes it, expected one of "
                f"{', '.join(sorted(kinds))}",
                *("outputs", output),
            )
    return kinds


def run_order(specification: PipelineSpecification) -> tuple[str, ...]:
    """Names of the stages, each after those that it reads from, else as in the file.

    Raises:
        PipelineError: naming the stages of a cycle.
    """
    stages = specification.stages
    writers = {port: name for name in stages for port in stages[name].outputs.values()}
    waits_for = {
        name: {writers[port] for port in stage.inputs.values() if port in writers}
        for name, stage in stages.items()
    }
    order: list[str] = []
    while len(order) < len(waits_for):
        ready = [n for n, before in waits_for.items() if n not in order and before <= set(order)]
        if not ready:
            raise _cycle(specification, waits_for, order)
        order.append(ready[0])
    return tuple(order)


def _cycle(
    specification: PipelineSpecification, waits_for: Mapping[str, set[str]], done: list[str]
) -> PipelineError:
    walk = [next(name for name in waits_for if name not in done)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(waits_for[walk[-1]] - set(done)))
    circle = walk[walk.index(walk[-1]) :]  # each stage waits for the next one
    reader, written = circle[0], specification.stages[circle[1]].outputs.values()
    inputs = specification.stages[reader].inputs
    slot = next(slot for slot, port in inputs.items() if port in written)
    return specification.error(
        f"stage {reader}, port {inputs[slot]}: the stages {' -> '.join(circle[::-1])} are a cycle",
        *("stages", reader, "inputs", slot),
    )


def _readings(specification: PipelineSpecification) -> Iterator[tuple[str, str, str]]:
    """Stage, its input and its port."""
    for name, stage in specification.stages.items():
        for slot, port in stage.inputs.items():
            yield name, slot, port


def _check_names(
    specification: PipelineSpecification, stage: StageSpecification, stage_class: type[Stage]
) -> None:
    """Inputs and outputs of a stage are those of its class."""
    path = ("stages", stage.name)
    sides = (("inputs", stage.inputs, stage_class.inputs),
             ("outputs", stage.outputs, stage_class.outputs))  # fmt: skip
    for side, given, known in sides:
        for slot, port in given.items():
            if slot not in known:
                raise specification.error(
                    f"stage {stage.name}, port {port}: {stage.module} has no {side[:-1]} {slot}, "
                    f"expected one of {', '.join(known)}",
                    *(*path, side, slot),
                )
    missing = [
        slot
        for slot in stage_class.inputs
        if slot not in stage.inputs and slot not in stage_class.optional_inputs
    ]
    if missing or not stage.inputs:
        slots = missing or list(stage_class.inputs)
        raise specification.error(
            f"stage {stage.name}: the input {' or '.join(slots)} of {stage.module} is missing",
            *(*path, "inputs"),
        )


def _check_registered(specification: PipelineSpecification, kinds: Mapping[str, str]) -> None:
    """Every kind that a port has is a port type."""
    of_port = {port: ("inputs", port) for port in specification.inputs}
    for name, stage in specification.stages.items():
        for slot, port in stage.outputs.items():
            of_port[port] = ("stages", name, "outputs", slot)  # type: ignore[assignment]
    for port, kind in kinds.items():
        try:
            port_type(kind)
        except PipelineError as error:
            path = of_port[port]
            stage_name = f"stage {path[1]}, " if path[0] == "stages" else ""
            raise specification.error(f"{stage_name}port {port}: {error}", *path) from error
