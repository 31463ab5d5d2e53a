"""Systems by reference: ``NAME@ALIAS``, ``NAME/VERSION``, an id, or the path of a record.

No network is needed: names are those of the local store.
"""

from pathlib import Path

from conegrad_core.pipeline.build import Settings, load_pipeline
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.location import find_record
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore


def resolve(reference: str | Path, store: SystemStore | None = None) -> SystemRecord | None:
    """The record that a reference names, verified.

    Args:
        reference: to find; see :func:`~conegrad_core.system_record.location.find_record`.
        store: that names records; None: the one of this working folder.

    Returns:
        The record; None for the name of a pipeline, or the path of its file.

    Raises:
        FileNotFoundError: if a path is no record.
        RecordError: if the store has no such record, or it was changed.
    """
    folder = find_record(reference, store)
    return None if folder is None else SystemRecord(folder)


def load_referenced(
    reference: str | Path, settings: Settings | None = None, *, trainable: bool = False
) -> Pipeline:
    """The pipeline of a reference with the weights of the record.

    Args:
        reference: of a record; a pipeline by name or path comes with the weights that ship.
        settings: of stages, which replace those of the record.
        trainable: with gradients, on torch.

    Raises:
        FileNotFoundError: if a path is no record, or there is no such pipeline.
        RecordError: if the store has no such record, or it was changed.
        PipelineError: naming file, line, stage and port.
    """
    return load_pipeline(str(reference), settings, trainable=trainable)
