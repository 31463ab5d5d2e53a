"""What made a result: pipeline, recorded system, and the weights of each stage."""

from collections.abc import Mapping
from pathlib import Path

from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config
from conegrad_core.system_record.manifest import MANIFEST
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.stage_hash import weights_hash
from conegrad_core.weights import WEIGHTS_FOLDER

PIPELINE, SYSTEM, WEIGHTS = "pipeline", "system", "weights."
SHOWN = 12  # characters of a hash


def provenance(
    source: str | Path, classes: Mapping[str, type[Stage]], configs: Mapping[str, Config]
) -> dict[str, str]:
    """What a pipeline is made of, by name.

    Args:
        source: file of the pipeline; one in a recorded system names that, too.
        classes: of the stages, by name.
        configs: settings of each.

    Returns:
        ``pipeline``, ``system`` (name and id of the record), and ``weights.STAGE`` (file and the
        start of its hash, which is that of a recorded system).

    Raises:
        OSError: if a weights file cannot be read.
    """
    folder = Path(source).parent
    found = {PIPELINE: Path(source).stem}
    if (folder / MANIFEST).is_file():
        record = SystemRecord(folder)
        found = {PIPELINE: record.entry.pipeline, SYSTEM: f"{record.name} {record.id}"}
    return found | weights_of(classes, configs)


def weights_of(classes: Mapping[str, type[Stage]], configs: Mapping[str, Config]) -> dict[str, str]:
    """File and the start of the hash of the weights of each stage that has some.

    Raises:
        OSError: if a weights file cannot be read.
    """
    files = {name: _weights_file(of_stage, configs[name]) for name, of_stage in classes.items()}
    return {
        f"{WEIGHTS}{name}": f"{path.name} {weights_hash(path)[:SHOWN]}"
        for name, path in files.items()
        if path is not None and path.is_file()
    }


def described(found: Mapping[str, str]) -> str:
    """One line of :func:`provenance` for people; empty where nothing is known."""
    parts = [f"{key} {found[key]}" for key in (PIPELINE, SYSTEM) if key in found]
    parts += [
        f"{key.removeprefix(WEIGHTS)} {value}"
        for key, value in found.items()
        if key.startswith(WEIGHTS)
    ]
    return ", ".join(parts)


def _weights_file(of_stage: type[Stage], config: Config) -> Path | None:
    given = getattr(config, "weights", "")
    if given:
        return Path(given).expanduser()
    return WEIGHTS_FOLDER / of_stage.weights_file if of_stage.weights_file else None
