"""Where the record of a reference lies."""

import re
from pathlib import Path

from conegrad_core.presets import preset_names
from conegrad_core.system_record.archive import is_archive
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import ID_LENGTH, MANIFEST, verify
from conegrad_core.system_record.signature import check_demanded_signature
from conegrad_core.system_record.store import SystemStore

PIPELINE = "pipeline.yaml"  # of a record
OF_RUN = "system"  # folder of the record in the output folder of a training
VERSIONED = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)/([0-9]+)")
ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")


def find_record(reference: str | Path, store: SystemStore | None = None) -> Path | None:
    """Folder of the record that a reference names, verified.

    A reference is ``NAME@ALIAS``, ``NAME/VERSION``, the id of a record, the folder of a record or
    of a training that wrote one, or an archive, which is unpacked into the store.

    Args:
        reference: to find.
        store: that names records; None: the one of this working folder.

    Returns:
        The folder; None, if the reference has another form: then it may name a pipeline.

    Raises:
        FileNotFoundError: if a path is no record.
        RecordError: if the store has no such record, it was changed, or it lacks the signature that
            the environment variable ``CONEGRAD_SYSTEM_KEY`` demands.
    """
    text, path = str(reference), Path(reference).expanduser()
    if text in preset_names("pipelines"):
        return None
    store = store or SystemStore()
    return _of_store(text, store) or _of_path(path, store)


def _of_store(text: str, store: SystemStore) -> Path | None:
    name, at, alias = text.partition("@")
    if at and "/" not in text:
        return _folder(store, store.aliased(name, alias).id, text)
    versioned = VERSIONED.fullmatch(text)
    if versioned and (versioned[1] in store.names() or not Path(text).exists()):
        return _folder(store, store.version(versioned[1], int(versioned[2])).id, text)
    if ID.fullmatch(text) and not Path(text).exists():
        return _folder(store, text, text)
    return None


def _folder(store: SystemStore, record_id: str, reference: str) -> Path:
    folder = store.record_folder(record_id)
    if folder is None:
        raise RecordError(f"{reference}: the store {store.folder} holds no record {record_id}")
    return _checked(folder, record_id)


def _of_path(path: Path, store: SystemStore) -> Path | None:
    if path.is_dir():
        for folder in (path, path / OF_RUN):
            if (folder / MANIFEST).is_file():
                return _checked(folder)
        raise FileNotFoundError(
            f"{path} is not a system record: neither it nor its folder {OF_RUN!r} holds a "
            f"{MANIFEST}"
        )
    if path.is_file() and is_archive(path):
        record_id = store.keep(path)
        return _folder(store, record_id, str(path))
    return None


def _checked(folder: Path, record_id: str = "") -> Path:
    verify(folder, record_id)
    check_demanded_signature(folder)
    return folder


def pinned(reference: str, store: SystemStore | None = None) -> str:
    """The reference without alias: ``NAME/VERSION`` for ``NAME@ALIAS``, any other as it is.

    An alias may move while several processes load a system, or before a run goes on.

    Raises:
        RecordError: if the store has no such system or alias.
    """
    name, at, alias = reference.partition("@")
    if not at or "/" in reference:
        return reference
    return (store or SystemStore()).aliased(name, alias).reference
