"""Where the weights that ship with the package lie."""

from pathlib import Path

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
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
