"""Cache of exported engines: one export per weights, input size and software version."""

import hashlib
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from torch import Tensor, nn

from conegrad_core.camera.engines.export import export_network

LAYOUT = "1"  # raised when the exported graph changes
FILES = {"onnx": "detector.onnx", "openvino": "detector.xml"}


def cache_folder() -> Path:
    """``$CONEGRAD_CACHE``, else ``~/.cache/conegrad``."""
    return Path(os.environ.get("CONEGRAD_CACHE") or Path.home() / ".cache" / "conegrad")


def exported(network: nn.Module, engine: str, input_size: tuple[int, int]) -> Path:
    """File of the exported network, written on the first call.

    Safe with several processes: each exports into a folder of its own, the first rename wins.

    Args:
        network: Ultralytics ``DetectionModel`` with the classes of the core.
        engine: ``"onnx"`` or ``"openvino"``.
        input_size: width and height [px].
    """
    target = cache_folder() / _key(network, engine, input_size)
    if not (target / FILES[engine]).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            folder = Path(scratch) / "export"
            folder.mkdir()
            export_network(network, folder / FILES[engine], input_size)
            try:
                folder.rename(target)
            except OSError:
                if not (target / FILES[engine]).exists():  # not a race that another process won
                    raise
    return target / FILES[engine]


def _key(network: nn.Module, engine: str, input_size: tuple[int, int]) -> str:
    software = "-".join([LAYOUT, version("torch"), version(engine), version("ultralytics")])
    key = f"{software}-{engine}-{input_size[0]}x{input_size[1]}-{weights_hash(network)}"
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of every tensor of the network, names included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
