"""Networks in int8 by NNCF: weights and activations quantized after training."""

import contextlib
import io
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_core.engines.errors import EngineError

Feed = Mapping[str, npt.NDArray[np.generic]]  # values of the inputs by name


def quantize(model: Any, examples: Sequence[Feed]) -> Any:
    """A model with convolutions and products in int8, ranges of activations from examples.

    Weights are symmetric per channel, activations asymmetric, biases corrected. The range of an
    activation holds that of every example, not the mean of theirs: else examples in dim light cost
    boxes in bright light. Operations that NNCF leaves alone keep their precision.

    Args:
        model: ``openvino.Model`` or ``onnx.ModelProto``; it may be changed.
        examples: inputs as they occur; some dozens are enough.

    Raises:
        EngineError: if NNCF is not installed.
        ValueError: without examples.

    Source:
        NNCF, post-training quantization, https://github.com/openvinotoolkit/nncf
    """
    if not examples:
        raise ValueError("no examples are given for int8, expected some inputs as they occur")
    nncf = _nncf()
    dataset = nncf.Dataset([dict(example) for example in examples])
    # It draws progress bars of its own.
    with contextlib.redirect_stdout(io.StringIO()):
        return nncf.quantize(
            model,
            dataset,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(examples),
            advanced_parameters=_ranges_of_all(),
        )


def _ranges_of_all() -> Any:
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    extremes = RangeEstimatorParametersSet.MINMAX
    return AdvancedQuantizationParameters(activations_range_estimator_params=extremes)


def _nncf() -> Any:
    os.environ.setdefault("NNCF_CI", "1")  # no telemetry: it would use the network of the car
    try:
        import nncf
    except ImportError as error:
        raise EngineError(
            f"precision int8 needs the Python package nncf, which cannot be imported ({error}): "
            "pip install nncf"
        ) from error
    nncf.set_log_level(logging.ERROR)
    return nncf
