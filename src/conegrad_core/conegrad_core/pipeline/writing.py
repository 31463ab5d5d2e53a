"""Writer of pipeline files: a specification as YAML that reads as it."""

from typing import Any

import yaml

from conegrad_core.pipeline.specification import PipelineSpecification


def specification_text(specification: PipelineSpecification, title: str = "") -> str:
    """The pipeline file of a specification.

    Args:
        specification: to write.
        title: a line of comment at the top.
    """
    stages = {}
    for name, stage in specification.stages.items():
        entry: dict[str, Any] = {
            "module": stage.module,
            "inputs": dict(stage.inputs),
            "outputs": dict(stage.outputs),
        }
        if stage.settings:
            entry["settings"] = dict(stage.settings)
        stages[name] = entry
    content = {
        "inputs": dict(specification.inputs),
        "stages": stages,
        "outputs": dict(specification.outputs),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return f"# {title}\n{text}" if title else text
