"""Engine that runs an OpenVINO IR (or an .onnx file) on the CPU."""

import logging
from pathlib import Path
from typing import Any

import torch
import yaml

from conegrad_core.camera.class_order import class_names_of, class_order
from conegrad_core.camera.engines.engine import ExportedEngine, check_output_shapes, float_planes
from conegrad_core.camera.engines.onnx_engine import static_size
from conegrad_core.camera.head import RawDetections
from conegrad_core.camera.image import RgbImage
from conegrad_core.engines.processor import computes, native_precision
from conegrad_core.engines.runtimes import openvino_model, openvino_request

logger = logging.getLogger(__name__)

METADATA = "conegrad"  # section of the IR's run-time information


class OpenVinoEngine(ExportedEngine):
    """One IR exported by ConeGrad or by Ultralytics (with its metadata.yaml beside it).

    Args:
        path: the .xml file or the folder that holds exactly one.
        threads: CPU threads; 0 leaves the choice to OpenVINO.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``; ``auto``: as the file says and the
            processor can, else fp32.

    Raises:
        ValueError: if the file is not readable, has other classes, outputs or a dynamic shape.
    """

    def __init__(self, path: Path, threads: int = 0, precision: str = "auto") -> None:
        import openvino

        path = ir_file(path)
        model = openvino_model(path)
        names = ir_class_names(model, path)
        super().__init__(class_order(names, str(path)))
        shapes = [_fixed(output.partial_shape) for output in model.outputs]
        check_output_shapes(shapes, len(names), str(path))
        self._takes_pixels = model.input().element_type == openvino.Type.u8
        shape = _fixed(model.input().partial_shape)
        self.input_size = static_size(shape, self._takes_pixels, str(path))
        if precision == "auto":
            precision = ir_precision(model, path)
        self._request = openvino_request(model, threads, precision)
        self._outputs = range(len(shapes))

    def infer_one(self, pixels: RgbImage) -> RawDetections:
        """Raw detections (B = 1) of a letterboxed image ``(H, W, 3)``."""
        values = pixels[None] if self._takes_pixels else float_planes(pixels)
        self._request.infer([values], share_inputs=True)
        # The request reuses its output memory: copy.
        outputs = [self._request.get_output_tensor(index).data.copy() for index in self._outputs]
        return self.raw([torch.from_numpy(output) for output in outputs])


def ir_precision(model: Any, path: Path) -> str:
    """Precision that a file asks for; fp32 where it says nothing, or the processor lacks it.

    An int8 file holds its own int8 operations; what is left of it is computed in bf16.
    """
    stated = [METADATA, "precision"]
    wanted = model.get_rt_info(stated).astype(str) if model.has_rt_info(stated) else "fp32"
    if wanted != "int8":
        return native_precision(wanted)
    if not computes("int8"):
        logger.warning(
            "%s is an int8 export, but this processor has no instructions for int8: "
            "the weights of torch may be faster here", path,
        )  # fmt: skip
    return native_precision("bf16")


def _fixed(shape: Any) -> list[int]:
    """Dimensions with -1 for a dynamic one."""
    return [size.get_length() if size.is_static else -1 for size in shape]


def ir_file(path: Path) -> Path:
    """The .xml file itself, or the only one in a folder.

    Raises:
        ValueError: if the folder does not hold exactly one.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.xml"))
    if len(found) != 1:
        raise ValueError(f"{path} holds {len(found)} .xml files, expected exactly one OpenVINO IR")
    return found[0]


def ir_class_names(model: Any, path: Path) -> list[str]:
    """Class names out of the IR (ConeGrad) or the metadata.yaml beside it (Ultralytics).

    Raises:
        ValueError: if neither names classes.
    """
    if model.has_rt_info([METADATA, "class_names"]):
        text = model.get_rt_info([METADATA, "class_names"]).astype(str)
        return class_names_of(text, str(path))
    beside = path.parent / "metadata.yaml"
    names = (yaml.safe_load(beside.read_text()) or {}).get("names") if beside.exists() else None
    if not isinstance(names, dict):
        raise ValueError(f"{path} names no classes, expected 'class_names' inside or {beside.name}")
    return [str(names[index]) for index in sorted(names)]
