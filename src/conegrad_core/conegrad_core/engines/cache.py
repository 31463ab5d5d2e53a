"""Cache of exported networks: one export per weights, settings and software version."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from torch import Tensor, nn


def cache_folder() -> Path:
    """``$CONEGRAD_CACHE``, else ``~/.cache/conegrad``."""
    return Path(os.environ.get("CONEGRAD_CACHE") or Path.home() / ".cache" / "conegrad")


def exported(
    network: nn.Module, write: Callable[[Path], None], name: str, *, key: str, packages: list[str]
) -> Path:
    """File of an exported network, written on the first call.

    Safe with several processes: each exports into a folder of its own, the first rename wins.

    Args:
        network: its weights are part of the key.
        write: writes the export to the path it gets, a file called ``name``.
        name: of the file.
        key: settings of the export, and a number that is raised when the graph changes.
        packages: whose versions are part of the key.
    """
    software = "-".join(version(package) for package in packages)
    key = f"{name}-{key}-{software}-{weights_hash(network)}"
    target = cache_folder() / hashlib.sha256(key.encode()).hexdigest()[:24]
    if not (target / name).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            folder = Path(scratch) / "export"
            folder.mkdir()
            write(folder / name)
            try:
                folder.rename(target)
            except OSError:
                if not (target / name).exists():  # not a race that another process won
                    raise
    return target / name


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of every tensor of the network, names included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
