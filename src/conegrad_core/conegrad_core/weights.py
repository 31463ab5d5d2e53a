"""Weights files: where those that ship lie, how they are read and written, what they must be."""

from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from conegrad_core.whole_file import write_whole

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
Former = Mapping[str, Callable[[dict[str, Tensor]], dict[str, Tensor]]]
MAX_REASON = 200  # characters
FILES = {
    "camera": "yolov5n_cones.safetensors",
    "lidar": "scan_cnn.safetensors",
    "keypoints": "keypoint_cnn.safetensors",
    "colours": "colour_cnn.safetensors",
    "standing": "standing_cnn.safetensors",
}


def default_weights(part: str) -> Path:
    """Path of the weights that ship for a part, one of :data:`FILES`.

    Raises:
        ValueError: for another part.
        FileNotFoundError: if this installation ships no such file.
    """
    if part not in FILES:
        raise ValueError(f"part is {part!r}, expected one of {sorted(FILES)}")
    path = WEIGHTS_FOLDER / FILES[part]
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: train it or set the parameter 'weights'")
    return path


def in_one_line(error: Exception) -> str:
    """What an error of torch or safetensors says, of which theirs fill a screen."""
    return " ".join(str(error).split())[:MAX_REASON] or type(error).__name__


def save_weights(
    network: nn.Module, path: Path, architecture: str, metadata: Mapping[str, str]
) -> None:
    """Write a network as safetensors; ``metadata`` states where it comes from.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    state: dict[str, Tensor] = network.state_dict()
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    write_whole(path, save(tensors, {**metadata, "architecture": architecture}))


def load_weights(
    network: nn.Module, path: Path, architecture: str, former: Former | None = None
) -> dict[str, str]:
    """Load a network from a safetensors file, and return what the file says of itself.

    Args:
        network: loaded in place.
        path: of the file.
        architecture: of the network.
        former: architectures of before, and what turns their tensors into those of today.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is of another kind or architecture, or its values are not finite.
    """
    tensors, metadata = _read_weights(path, architecture, former or {})
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit {architecture}: {in_one_line(error)}") from error
    check_finite_weights(tensors, path)
    return metadata


def _read_weights(
    path: Path, architecture: str, former: Former
) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist, expected a .safetensors weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            convert = former.get(metadata.get("architecture", ""))
            if convert is None:
                _check_architecture(path, metadata, architecture)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return convert(tensors) if convert else tensors, metadata
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({in_one_line(error)})") from error


def _check_architecture(path: Path, metadata: Mapping[str, str], expected: str) -> None:
    found = metadata.get("architecture")
    if found != expected:
        raise ValueError(f"{path} has architecture {found!r}, expected {expected!r}")


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
