"""Metrics as JSON values."""

import dataclasses
import math
from typing import Any

import numpy as np


def to_json_values(value: Any) -> Any:
    """Turn dataclasses, arrays and numbers into dicts, lists and numbers.

    Numbers that are not finite become None: a rate without a denominator has no value.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json_values(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json_values(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return to_json_values(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_json_values(entry) for entry in value]
    if isinstance(value, np.generic):
        return to_json_values(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
