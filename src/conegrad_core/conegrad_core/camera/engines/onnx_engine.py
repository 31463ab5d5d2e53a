"""Engine that runs an .onnx file with ONNX Runtime on the CPU."""

import ast
from collections.abc import Sequence
from pathlib import Path

import torch

from conegrad_core.camera.class_order import class_names_of, class_order
from conegrad_core.camera.engines.engine import ExportedEngine, check_output_shapes, float_planes
from conegrad_core.camera.head import RawDetections
from conegrad_core.camera.image import RgbImage
from conegrad_core.engines.runtimes import onnx_session


class OnnxEngine(ExportedEngine):
    """One file exported by ConeGrad or by Ultralytics.

    Raises:
        ValueError: if the file is not readable, has other classes, outputs or a dynamic shape.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        session = onnx_session(path, threads)
        names = onnx_class_names(session.get_modelmeta().custom_metadata_map, str(path))
        super().__init__(class_order(names, str(path)))
        check_output_shapes([o.shape for o in session.get_outputs()], len(names), str(path))
        self._session = session
        self._input = session.get_inputs()[0]
        self._takes_pixels = self._input.type == "tensor(uint8)"
        self.input_size = static_size(self._input.shape, self._takes_pixels, str(path))

    def infer_one(self, pixels: RgbImage) -> RawDetections:
        """Raw detections (B = 1) of a letterboxed image ``(H, W, 3)``."""
        values = pixels[None] if self._takes_pixels else float_planes(pixels)
        outputs = self._session.run(None, {self._input.name: values})
        return self.raw([torch.from_numpy(output) for output in outputs])


def onnx_class_names(metadata: dict[str, str], source: str) -> list[str]:
    """Class names out of the metadata of ConeGrad (JSON) or Ultralytics (a dict as text).

    Raises:
        ValueError: if the metadata holds neither.
    """
    if "class_names" in metadata:
        return class_names_of(metadata["class_names"], source)
    try:
        names = ast.literal_eval(metadata["names"])
        return [str(names[index]) for index in range(len(names))]
    except (KeyError, TypeError, ValueError, SyntaxError) as error:
        raise ValueError(
            f"{source} names no classes, expected metadata 'class_names' or 'names'"
        ) from error


def static_size(
    shape: Sequence[int | str | None], takes_pixels: bool, source: str
) -> tuple[int, int]:
    """Width and height of a fixed input shape.

    Raises:
        ValueError: if the shape is dynamic or not that of one image.
    """
    height, width = (shape[1], shape[2]) if takes_pixels else (shape[2], shape[3])
    if shape[0] != 1 or not isinstance(height, int) or not isinstance(width, int):
        raise ValueError(f"{source} has the input shape {list(shape)}, expected one fixed image")
    return width, height
