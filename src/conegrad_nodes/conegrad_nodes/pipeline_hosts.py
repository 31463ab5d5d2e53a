"""Which stages of a pipeline file the nodes of the car run."""

from pathlib import Path

from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.specification import StageSpecification


def further_stages(pipeline: str | Path) -> list[str]:
    """Stages of a pipeline that the nodes of the car do not run, in the order of the file.

    The camera, LiDAR and fusion node run the stages of ``camera_lidar``: those of the same name,
    module and connections. Their settings are parameters of these nodes.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: if the pipeline changes what is a setting of those nodes.
    """
    specification = load_specification(pipeline)
    car = load_specification(DEFAULT).stages
    further = []
    for name, stage in specification.stages.items():
        if name not in car or _connections(stage) != _connections(car[name]):
            further.append(name)
        elif stage.settings != car[name].settings:
            raise specification.error(
                f"stage {name}: a node of the car runs it, expected its settings as parameters "
                f"{name}.* of that node",
                *("stages", name, "settings"),
            )
    return further


def _connections(stage: StageSpecification) -> tuple[object, ...]:
    return stage.module, dict(stage.inputs), dict(stage.outputs)
