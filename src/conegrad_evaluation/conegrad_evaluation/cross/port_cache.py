"""Cache of port outputs on disk: bounded, shared between processes, and safe to kill."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_PICKLE

logger = logging.getLogger(__name__)

DIGEST = 16  # bytes of the hash in front of a content
TIMEOUT = 60.0  # [s] that a process waits for others
GIGABYTE = 10**9


class _BytesDisk(diskcache.Disk):  # type: ignore[misc]
    """Holds bytes only: a pickle, which could run code, is refused."""

    def fetch(self, mode: int, filename: Any, value: Any, read: bool) -> Any:
        if mode == MODE_PICKLE:
            raise ValueError(f"{self._directory} holds a pickle, expected bytes")
        return super().fetch(mode, filename, value, read)


class PortCache:
    """Contents by key, in a folder that any number of processes use at once.

    An entry is visible when it is whole. Beyond the size the oldest entries go. An entry that was
    damaged, as by a disk that was full, is dropped and counts as missing.

    Args:
        folder: made if it is missing.
        gigabytes: bound of its size.
    """

    def __init__(self, folder: Path, gigabytes: float = 4.0) -> None:
        self.folder = folder
        self._cache = diskcache.Cache(
            str(folder),
            timeout=TIMEOUT,
            disk=_BytesDisk,
            size_limit=int(gigabytes * GIGABYTE),
            eviction_policy="least-recently-stored",  # others write at each read
        )

    def __enter__(self) -> "PortCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._cache)

    def close(self) -> None:
        """Close the files; they open again at the next use."""
        self._cache.close()

    def size(self) -> int:
        """Bytes on disk."""
        return int(self._cache.volume())

    def get(self, key: str) -> bytes | None:
        """The content of a key; None if there is none, or it was damaged."""
        try:
            found = self._cache.get(key, retry=True)
        except ValueError as error:
            self._drop(key, str(error))
            return None
        if found is None:
            return None
        if not isinstance(found, bytes) or _digest(found[DIGEST:]) != found[:DIGEST]:
            self._drop(key, "it is damaged")
            return None
        return found[DIGEST:]

    def put(self, key: str, content: bytes) -> None:
        """Keep a content."""
        self._cache.set(key, _digest(content) + content, retry=True)

    def _drop(self, key: str, reason: str) -> None:
        logger.warning("%s: entry %s is dropped: %s", self.folder, key, reason)
        self._cache.delete(key, retry=True)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()
