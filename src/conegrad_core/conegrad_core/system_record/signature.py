"""Signature of a record: who holds the public key can tell who released it.

Ed25519 over the manifest, by the library cryptography. Keys are PEM files, as ``openssl genpkey
-algorithm ed25519`` writes them.
"""

import os
from pathlib import Path
from typing import Any

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import MANIFEST, SIGNATURE, verify
from conegrad_core.whole_file import write_whole

VARIABLE = "CONEGRAD_SYSTEM_KEY"  # environment: public key that every record has to be signed by


def sign(folder: Path, key: Path) -> None:
    """Sign a record; an older signature is replaced.

    Args:
        folder: of the record, which is verified first.
        key: PEM file of a private Ed25519 key without password.

    Raises:
        FileNotFoundError: if there is no such key or record.
        RecordError: if the record was changed, or the file holds another kind of key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    verify(folder)
    private = _read(key, lambda content: load_pem_private_key(content, None), Ed25519PrivateKey)
    signature: bytes = private.sign((folder / MANIFEST).read_bytes())
    write_whole(folder / SIGNATURE, (signature.hex() + "\n").encode())


def check_signature(folder: Path, key: Path) -> None:
    """Refuse a record that the holder of a key did not sign.

    Args:
        folder: of the record, whose files are verified elsewhere.
        key: PEM file of a public Ed25519 key.

    Raises:
        FileNotFoundError: if there is no such key.
        RecordError: if the record has no signature, or one of another key or another manifest.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public = _read(key, load_pem_public_key, Ed25519PublicKey)
    path = folder / SIGNATURE
    if not path.is_file():
        raise RecordError(f"{folder} is not signed, expected a signature of the key {key}")
    try:
        signature = bytes.fromhex(path.read_text("ascii").strip())
        public.verify(signature, (folder / MANIFEST).read_bytes())
    except (InvalidSignature, ValueError) as error:
        raise RecordError(f"{path} is not a signature of this record by the key {key}") from error


def check_demanded_signature(folder: Path) -> None:
    """As :func:`check_signature`, with the key of the environment; without one all is well."""
    if key := os.environ.get(VARIABLE):
        check_signature(folder, Path(key).expanduser())


def _read(path: Path, load: Any, kind: type) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    expected = f"expected a PEM file of an {kind.__name__} without password"
    try:
        key = load(path.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RecordError(f"{path} is not a key: {error}; {expected}") from error
    if not isinstance(key, kind):
        raise RecordError(f"{path} holds a {type(key).__name__}, {expected}")
    return key
