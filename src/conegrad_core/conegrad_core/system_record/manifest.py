"""Manifest of a record: the hash of every file, so that one changed byte is refused by name."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from conegrad_core.system_record.errors import RecordError
from conegrad_core.whole_file import write_whole

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"  # of the manifest, which it cannot be part of
FORMAT = 1
ID_LENGTH = 12  # hexadecimal digits
BLOCK = 1 << 20  # bytes read at once
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileEntry:
    """One file of a record.

    Attributes:
        sha256: hash of its content.
        size: of its content [bytes].
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a record consists of.

    Attributes:
        files: by path relative to the record, with ``/``.
    """

    files: Mapping[str, FileEntry]

    @property
    def content(self) -> bytes:
        """The manifest file; equal manifests have equal bytes."""
        files = {
            path: {"sha256": entry.sha256, "size": entry.size}
            for path, entry in sorted(self.files.items())
        }
        return (json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n").encode()

    @property
    def id(self) -> str:
        """The first hexadecimal digits of the hash of the manifest file."""
        return hashlib.sha256(self.content).hexdigest()[:ID_LENGTH]


def write_manifest(folder: Path) -> Manifest:
    """Write the manifest of what is in a folder now.

    Raises:
        RecordError: if the folder holds a link or a special file.
        OSError: naming the file, if one cannot be read or written.
    """
    manifest = Manifest({path: _entry(folder / path) for path in _files_of(folder)})
    write_whole(folder / MANIFEST, manifest.content)
    return manifest


def read_manifest(content: bytes, source: str) -> Manifest:
    """Manifest of the bytes of its file.

    Args:
        content: of the file.
        source: of it, for messages.

    Raises:
        RecordError: if a byte of it is not as :func:`write_manifest` writes it.
    """
    try:
        read = json.loads(content)
        form = read["format"]
        files = {path: _read_entry(path, entry, source) for path, entry in read["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{source} is damaged: {error}") from error
    if form != FORMAT:
        raise RecordError(f"{source} has format {form!r}, expected {FORMAT}: update ConeGrad")
    manifest = Manifest(files)
    if manifest.content != content:
        raise RecordError(f"{source} was changed: it is not as a record is written")
    return manifest


def verify(folder: Path, expected_id: str = "") -> Manifest:
    """Compare every file of a record with its manifest.

    Args:
        folder: of the record.
        expected_id: that the record has to have; empty: any.

    Raises:
        FileNotFoundError: if there is no manifest.
        RecordError: naming the first file that differs, is missing or is additional.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a system record: it holds no {MANIFEST}")
    manifest = read_manifest(path.read_bytes(), str(path))
    if expected_id and manifest.id != expected_id:
        raise RecordError(f"{path} was changed: its id is {manifest.id}, expected {expected_id}")
    found = set(_files_of(folder))
    for name, entry in manifest.files.items():
        if name not in found:
            raise RecordError(f"{folder / name} is missing, expected the file of the record")
        check_entry(str(folder / name), _entry(folder / name), entry)
    for name in sorted(found - manifest.files.keys()):
        raise RecordError(f"{folder / name} is additional: the record was written without it")
    return manifest


def check_entry(source: str, found: FileEntry, expected: FileEntry) -> None:
    """Refuse a file that differs from what the manifest says.

    Raises:
        RecordError: naming the file, its size or hash, and what was expected.
    """
    if found.size != expected.size:
        raise RecordError(f"{source} differs: {found.size} bytes, expected {expected.size}")
    if found.sha256 != expected.sha256:
        raise RecordError(
            f"{source} differs: sha256 {found.sha256[:ID_LENGTH]}..., expected "
            f"{expected.sha256[:ID_LENGTH]}..."
        )


def check_path(name: str, source: str) -> None:
    """Refuse a path that leaves the record, or that is written in several ways.

    Raises:
        RecordError: naming the path.
    """
    path = PurePosixPath(name)
    is_plain = str(path) == name and not path.is_absolute() and name not in ("", ".")
    if not is_plain or ".." in path.parts or "\\" in name or "\0" in name or ":" in name:
        raise RecordError(f"{source} has the path {name!r}, expected one inside of the record")
    if name in (MANIFEST, SIGNATURE):
        raise RecordError(f"{source} has the path {name!r}, which is not part of a manifest")


def file_hash(path: Path) -> str:
    """The sha256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _entry(path: Path) -> FileEntry:
    return FileEntry(file_hash(path), path.stat().st_size)


def _read_entry(path: str, entry: Any, source: str) -> FileEntry:
    check_path(path, source)
    sha256, size = entry["sha256"], entry["size"]
    if not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
        raise RecordError(f"{source}: {path} has the sha256 {sha256!r} and the size {size!r}")
    return FileEntry(sha256, size)


def _files_of(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder but the manifest and its signature."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise RecordError(f"{path} is a link or a special file, expected files and folders")
        if path.is_file() and name not in (MANIFEST, SIGNATURE):
            yield name
