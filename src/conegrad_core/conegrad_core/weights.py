"""Where the weights that ship with the package lie, and what all weights must be."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
MAX_REASON = 200  # characters
FILES = {"camera": "yolov5n_cones.safetensors", "lidar": "scan_cnn.safetensors"}


def default_weights(sensor: str) -> Path:
    """Path of the weights shipped for ``"camera"`` or ``"lidar"``.

    Raises:
        ValueError: for another sensor.
        FileNotFoundError: if this installation ships no such file.
    """
    if sensor not in FILES:
        raise ValueError(f"sensor is {sensor!r}, expected one of {sorted(FILES)}")
    path = WEIGHTS_FOLDER / FILES[sensor]
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: train it or set the parameter 'weights'")
    return path


def in_one_line(error: Exception) -> str:
    """What an error of torch or safetensors says, of which theirs fill a screen."""
    return " ".join(str(error).split())[:MAX_REASON] or type(error).__name__


def check_finite_weights(tensors: Mapping[str, Tensor], source: str | Path) -> None:
    """Refuse weights with which every output would be NaN.

    Args:
        tensors: by name.
        source: the file, for the message.

    Raises:
        ValueError: naming the file and the first such tensor.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            count = int((~tensor.isfinite()).sum())
            raise ValueError(
                f"weights {source} hold {count} values in {name} that are not finite (NaN or "
                "infinite): train them anew, or take an older checkpoint"
            )
