"""Hashes of the values that a stage reads."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor


def value_digest(value: Any) -> str:
    """The sha256 of a value: of arrays, tensors, plain values, and tuples and mappings of them.

    Raises:
        ValueError: for a value of another class.
    """
    digest = hashlib.sha256()
    _update(digest, value)
    return digest.hexdigest()


def _update(digest: Any, value: Any) -> None:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, Mapping):
        for key, entry in sorted(value.items()):
            digest.update(f"{key}:".encode())
            _update(digest, entry)
    elif isinstance(value, (tuple, list)):
        digest.update(f"{type(value).__name__}{len(value)}".encode())
        for entry in value:
            _update(digest, entry)
    elif value is None or isinstance(value, (bool, int, float, str, np.generic)):
        digest.update(f"{type(value).__name__}:{value!r};".encode())
    else:
        raise ValueError(
            f"a {type(value).__name__} cannot be hashed, expected tensors, arrays or plain values"
        )
