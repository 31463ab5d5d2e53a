"""The record of a system that a training made."""

import logging
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_core.geometry.calibration import Calibration
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.description import Bag, Description
from conegrad_core.system_record.location import OF_RUN, find_record
from conegrad_core.system_record.manifest import MANIFEST, verify
from conegrad_core.system_record.record import SystemRecord, write_record
from conegrad_data.bags.content_hash import bag_hash
from conegrad_training.systems.system_config import SystemConfig, by_stage
from conegrad_training.tracking.model_card import git_revision

logger = logging.getLogger(__name__)

COMMAND_LINE = "command_line.py"  # the module that the program conegrad runs
SYSTEM, BEFORE = "system", "before"  # parts of the metrics beside the stages


def record_run(
    output: Path,
    pipeline: Pipeline,
    description: Description,
    calibration: Calibration | None = None,
) -> SystemRecord | None:
    """Write the record of a run into the folder ``system`` of its output.

    Args:
        output: folder of the run.
        pipeline: that was trained.
        description: of the run.
        calibration: of the vehicle, where it is known.

    Returns:
        The record; None, with a warning, if a stage cannot be recorded.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    try:
        return write_record(output / OF_RUN, pipeline, description, calibration)
    except PipelineError as error:
        logger.warning("%s: the system is not recorded; its weights are in %s", error, output)
        return None


def run_description(
    config: SystemConfig,
    *,
    name: str = "",
    metrics: Mapping[str, Mapping[str, float]] | None = None,
    bags: Sequence[tuple[Path, str]] = (),
    **others: Any,
) -> Description:
    """Description of a system that was made on this machine by this process.

    Args:
        config: pipeline and weights that it started from: systems among them are its parents.
        name: of the system; empty: of the system that it started from, else of the pipeline.
        metrics: by part.
        bags: recordings with their role.
        others: further fields of the description.
    """
    origin = find_record(config.pipeline)
    if not name:
        name = SystemRecord(origin).name if origin else Path(config.pipeline).stem
    return Description(
        name,
        parents=parents_of(config),
        command=this_command(),
        git_revision=git_revision(),
        bags=tuple(Bag(path.name, bag_hash(path), role) for path, role in bags),
        metrics=metrics or {},
        **others,
    )


def parents_of(config: SystemConfig) -> tuple[str, ...]:
    """Ids of the records that the pipeline and the weights of a system are from."""
    folders = [find_record(config.pipeline)]
    folders += [_record_around(Path(file)) for file in by_stage(config, "weights").values()]
    return tuple(dict.fromkeys(verify(folder).id for folder in folders if folder is not None))


def metrics_by_part(
    headlines: Mapping[str, Mapping[str, float]], stages_of_metrics: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Metrics of the system, of each stage, and those before the training, under one name each.

    Args:
        headlines: metrics ``before`` and ``after``.
        stages_of_metrics: stage of each metric that is not of the whole system.
    """
    parts: dict[str, dict[str, float]] = {}
    for name, value in headlines.get("after", {}).items():
        parts.setdefault(stages_of_metrics.get(name, SYSTEM), {})[name] = float(value)
    if BEFORE in headlines:
        parts[BEFORE] = {name: float(value) for name, value in headlines[BEFORE].items()}
    return parts


def this_command(arguments: Iterable[str] | None = None) -> str:
    """The command line of this process, to be typed again."""
    words = list(sys.argv if arguments is None else arguments)
    if not words:
        return ""
    program = Path(words[0]).name
    return shlex.join(["conegrad" if program == COMMAND_LINE else program, *words[1:]])


def _record_around(path: Path) -> Path | None:
    """Folder of the record that a weights file belongs to."""
    for folder in path.expanduser().absolute().parents[:2]:
        if (folder / MANIFEST).is_file():
            return folder
    return None
