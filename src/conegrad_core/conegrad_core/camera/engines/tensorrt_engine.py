"""Engine that runs a TensorRT .engine file, exported by Ultralytics, on an NVIDIA GPU."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from conegrad_core.camera.class_order import class_order
from conegrad_core.camera.engines.engine import EngineError, ExportedEngine
from conegrad_core.camera.head import RawDetections
from conegrad_core.camera.image import RgbImage
from conegrad_core.camera.letterbox import inputs_from_pixels


class TensorRtEngine(ExportedEngine):
    """Runs through Ultralytics' ``AutoBackend``; scores become logits again.

    Raises:
        EngineError: if there is no CUDA device or no TensorRT.
        ValueError: if the file has other classes.
    """

    def __init__(self, path: Path, device: str) -> None:
        check_tensorrt(path, device)
        from ultralytics.nn.autobackend import AutoBackend

        backend: Any = AutoBackend(str(path), device=torch.device(device))
        names = [str(backend.names[index]) for index in sorted(backend.names)]
        super().__init__(class_order(names, str(path)))
        self._backend, self._device = backend, device

    def infer_one(self, pixels: RgbImage) -> RawDetections:
        """Raw detections (B = 1) of a letterboxed image ``(H, W, 3)``."""
        output = self._backend(inputs_from_pixels(pixels, self._device))
        return self.raw([(output[0] if isinstance(output, (list, tuple)) else output).float()])


def check_tensorrt(path: Path, device: str) -> None:
    """Refuse to load an engine file where it cannot run.

    Raises:
        EngineError: saying what is missing.
    """
    if not device.startswith("cuda") or not torch.cuda.is_available():
        found = "no CUDA device" if not torch.cuda.is_available() else f"device {device!r}"
        raise EngineError(f"{path} is a TensorRT engine: found {found}, expected device 'cuda'")
    if find_spec("tensorrt") is None:
        raise EngineError(f"{path} is a TensorRT engine: the Python package tensorrt is missing")
