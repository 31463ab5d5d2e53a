"""A part of a pipeline: some of its stages, as one process or node runs them."""

from collections.abc import Collection

from conegrad_core.pipeline.build import layout_of
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.specification import PipelineSpecification


def part_of(specification: PipelineSpecification, stages: Collection[str]) -> PipelineSpecification:
    """The pipeline of some stages: what they read from others are its inputs.

    Args:
        specification: of the whole pipeline, which is checked.
        stages: their names.

    Returns:
        Their specification; its outputs are all ports that they write.

    Raises:
        PipelineError: if there is no such stage, or naming file, line, stage and port of a fault.
    """
    for name in stages:
        if name not in specification.stages:
            raise PipelineError(
                f"{specification.source} has no stage {name!r}, expected some of "
                f"{', '.join(specification.stages)}"
            )
    kinds = layout_of(specification).kinds
    chosen = {name: stage for name, stage in specification.stages.items() if name in stages}
    written = [port for stage in chosen.values() for port in stage.outputs.values()]
    read = [port for stage in chosen.values() for port in stage.inputs.values()]
    return PipelineSpecification(
        specification.source,
        {port: kinds[port] for port in read if port not in written},
        chosen,
        {port: port for port in written},
        specification.lines,
    )
