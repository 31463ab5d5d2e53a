import json
import math
from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.json_values import to_json_values


@dataclass(frozen=True)
class Inner:
    rate: float


@dataclass(frozen=True)
class Outer:
    inner: Inner
    values: np.ndarray
    names: tuple[str, ...]


def test_dataclasses_arrays_and_tuples_become_json():
    value = to_json_values(Outer(Inner(0.5), np.array([[1, 2], [3, 4]]), ("a", "b")))
    assert value == {"inner": {"rate": 0.5}, "values": [[1, 2], [3, 4]], "names": ["a", "b"]}
    assert json.loads(json.dumps(value)) == value


def test_numbers_that_are_not_finite_become_null():
    values = [math.nan, math.inf, np.float64("nan"), 1.0]
    assert to_json_values(values) == [None, None, None, 1.0]


def test_keys_become_text_and_numpy_numbers_python_numbers():
    value = to_json_values({3: np.int64(7), "flag": np.bool_(True)})
    assert value == {"3": 7, "flag": True}
    assert type(value["3"]) is int
    assert type(value["flag"]) is bool
