"""Settings of a stage as a record holds them."""

import dataclasses
from typing import Any

from conegrad_core.pipeline.graph import Pipeline

# Where the weights lie, which device runs them and whether their file is trusted are not
# properties of a system; a record holds its weights as safetensors.
OF_THE_MACHINE = ("weights", "device", "trust_pickle")


def recorded_settings(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """Every setting of a stage that belongs to the system, as plain values.

    Defaults are among them: a record keeps them when a later version has others.
    """
    values = dataclasses.asdict(pipeline.configs[name])
    return {key: _plain(v) for key, v in values.items() if key not in OF_THE_MACHINE}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
