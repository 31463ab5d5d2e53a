"""Archive of a record: one file to carry to another machine.

A zip file without compression (weights do not shrink), in which times and permissions are fixed:
equal records give equal archives.
"""

import contextlib
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import (
    BLOCK,
    MANIFEST,
    SIGNATURE,
    FileEntry,
    Manifest,
    check_entry,
    read_manifest,
    verify,
)
from conegrad_core.whole_file import PARTIAL
from conegrad_core.whole_folder import whole_folder

TIME = (1980, 1, 1, 0, 0, 0)  # the earliest of a zip file
PERMISSIONS = 0o100644 << 16
MAX_MANIFEST = 16 << 20  # bytes


def pack(folder: Path, path: Path) -> Manifest:
    """Write the archive of a record.

    Args:
        folder: of the record.
        path: of the archive; it appears whole or not at all.

    Raises:
        RecordError: if the record was changed.
        OSError: naming the file, if it cannot be written.
    """
    manifest = verify(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PARTIAL}")
    signature = [SIGNATURE] if (folder / SIGNATURE).exists() else []
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in (MANIFEST, *signature, *sorted(manifest.files)):
                member = zipfile.ZipInfo(name, TIME)
                member.external_attr = PERMISSIONS
                member.create_system = 3  # as on Linux, wherever it is written
                archive.writestr(member, (folder / name).read_bytes())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def unpack(path: Path, folder: Path) -> Manifest:
    """Read an archive into a new folder, which appears whole or not at all.

    Only files that the manifest of the archive names are written, each at its place in the folder
    and none larger than the manifest says.

    Args:
        path: of the archive.
        folder: of the record; it must not exist.

    Raises:
        FileNotFoundError: if there is no archive.
        RecordError: naming the first file that differs, is missing or is additional.
    """
    if folder.exists():
        raise RecordError(f"{folder} exists already: choose another folder")
    with whole_folder(folder) as made:
        return unpack_into(made, path)


def unpack_into(folder: Path, path: Path) -> Manifest:
    """Read an archive into an empty folder; arguments and errors as :func:`unpack`."""
    with _opened(path) as archive:
        manifest = _check_members(archive, path)
        for name, entry in manifest.files.items():
            _extract(archive, name, entry, folder / name, f"{path}: {name}")
        for name in (MANIFEST, SIGNATURE):
            if name in archive.namelist():
                (folder / name).write_bytes(archive.read(name))
    return verify(folder, manifest.id)


def archived_manifest(path: Path) -> Manifest:
    """Manifest of an archive, whose files are not read.

    Raises:
        FileNotFoundError: if there is no archive.
        RecordError: if it is not one of a record, or a file is missing or additional.
    """
    with _opened(path) as archive:
        return _check_members(archive, path)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise RecordError(f"{path} is not the archive of a record, or damaged: {error}") from error


def is_archive(path: Path) -> bool:
    """Whether a file is a zip file with a manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _check_members(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """The manifest, to which the list of files has to be equal."""
    names = archive.namelist()
    if MANIFEST not in names:
        raise RecordError(f"{path} holds no {MANIFEST}, expected the archive of a record")
    for name in (MANIFEST, SIGNATURE):
        if name in names and archive.getinfo(name).file_size > MAX_MANIFEST:
            raise RecordError(f"{path}: {name} has more than {MAX_MANIFEST} bytes")
    manifest = read_manifest(archive.read(MANIFEST), f"{path}: {MANIFEST}")
    for name in manifest.files:
        if name not in names:
            raise RecordError(f"{path}: {name} is missing, expected the file of the record")
    for name in names:
        if names.count(name) > 1 or name not in (*manifest.files, MANIFEST, SIGNATURE):
            raise RecordError(f"{path}: {name} is additional, the record was written without it")
    return manifest


def _extract(
    archive: zipfile.ZipFile, name: str, expected: FileEntry, target: Path, source: str
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as member, target.open("xb") as file:
            while size <= expected.size and (block := member.read(BLOCK)):
                digest.update(block)
                size += len(block)
                file.write(block)
    except zipfile.BadZipFile as error:  # its own check sum
        raise RecordError(f"{source} differs: {error}") from error
    check_entry(source, FileEntry(digest.hexdigest(), size), expected)
