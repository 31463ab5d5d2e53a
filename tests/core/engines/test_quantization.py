"""Networks in int8."""

import sys

import numpy as np
import openvino
import pytest
from openvino import opset13

from conegrad_core.engines.errors import EngineError
from conegrad_core.engines.form import EngineForm
from conegrad_core.engines.quantization import quantize
from conegrad_core.engines.runtimes import openvino_request


def convolution():
    generator = np.random.default_rng(0)
    entry = opset13.parameter([1, 3, 8, 8], np.float32, name="pixels")
    weights = opset13.constant(generator.normal(size=(8, 3, 3, 3)).astype(np.float32))
    ends = ([0, 0], [0, 0])
    made = opset13.convolution(entry, weights, [1, 1], *ends, [1, 1])
    return openvino.Model([opset13.relu(made)], [entry], "small")


def test_a_quantized_model_gives_nearly_the_same():
    examples = [
        {"pixels": np.random.default_rng(seed).random((1, 3, 8, 8), dtype=np.float32)}
        for seed in range(4)
    ]
    model = quantize(convolution(), examples)
    assert any(op.get_type_name() == "FakeQuantize" for op in model.get_ops())
    found, expected = (
        openvino_request(of, 1).infer(examples[0])[0] for of in (model, convolution())
    )
    assert np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


def test_int8_without_examples_is_refused():
    with pytest.raises(ValueError, match="no examples are given for int8"):
        quantize(convolution(), [])


def test_int8_without_nncf_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(EngineError, match="precision int8 needs the Python package nncf"):
        quantize(convolution(), [{"pixels": np.zeros((1, 3, 8, 8), dtype=np.float32)}])


def test_a_form_that_no_engine_has_is_refused():
    with pytest.raises(ValueError, match="engine is 'ncnn', expected one of openvino, onnx"):
        EngineForm("ncnn")
    with pytest.raises(ValueError, match="precision is 'bf16' for engine 'onnx'"):
        EngineForm("onnx", "bf16")
