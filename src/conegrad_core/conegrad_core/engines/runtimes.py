"""ONNX Runtime and OpenVINO: files written, opened and set up for low latency."""

import functools
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

OPSET = 17
PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


def write_onnx(
    graph: nn.Module,
    inputs: dict[str, Tensor],
    outputs: list[str],
    path: Path,
    *,
    metadata: dict[str, str] | None = None,
    dynamic: dict[str, dict[int, str]] | None = None,
) -> None:
    """Write a module as ONNX.

    Args:
        graph: called with the inputs in their order.
        inputs: an example of each, by name.
        outputs: names.
        path: of the file.
        metadata: custom properties of the file.
        dynamic: for an input or output, the dimensions whose size is free, with a name.
    """
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about shapes that are static here
        torch.onnx.export(
            graph,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )
    if metadata:
        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, metadata)
        onnx.save(model, str(path))


def onnx_session(path: Path, threads: int) -> Any:
    """Session of ONNX Runtime on the CPU.

    Args:
        path: of an .onnx file.
        threads: CPU threads; with 1 it runs in the calling thread; 0: the choice of the runtime.

    Raises:
        ValueError: if the file is not readable.
    """
    # Its telemetry would start a thread and look up names on the network of the car.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen classes without a common base
        raise ValueError(f"{path} is not a readable ONNX model: {error}") from error


def openvino_model(path: Path) -> Any:
    """Model of an .xml or .onnx file, not compiled yet; the file may change afterwards.

    Raises:
        ValueError: if the file is not readable.
    """
    try:
        return _openvino_core().read_model(path)
    except RuntimeError as error:
        raise ValueError(f"{path} is not a readable OpenVINO model: {error}") from error


def openvino_request(model: Any, threads: int, precision: str = "fp32") -> Any:
    """Inference request of a model compiled for the CPU.

    Args:
        model: of :func:`openvino_model`.
        threads: CPU threads; 0: the choice of OpenVINO.
        precision: ``fp32``, ``bf16`` or ``fp16``; without this hint OpenVINO takes bf16 by itself
            on some processors.
    """
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": PRECISION_HINTS[precision],
        # A pinned thread waits for its core while another one is idle: twice the latency as soon
        # as anything else runs.
        "ENABLE_CPU_PINNING": False,
    }
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    return _openvino_core().compile_model(model, "CPU", options).create_infer_request()


@functools.cache
def _openvino_core() -> Any:
    """The one core of this process, which is never dropped.

    The CPU plugin of OpenVINO (seen with 2026.4) gives the thread that loads it an alternate stack
    for signals, and frees that stack with the last core. Where another thread drops it, the first
    thread keeps the freed stack, and its next signal, such as that of Ctrl-C or of a child process
    that ended, ends the process with SIGSEGV.
    """
    import openvino

    core = openvino.Core()
    # The weights would stay in the file, and end the process if somebody cuts that short.
    core.set_property({"ENABLE_MMAP": False})
    return core
