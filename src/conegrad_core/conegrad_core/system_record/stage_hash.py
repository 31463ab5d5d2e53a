"""Hash of a stage: two stages with one hash compute the same outputs from the same inputs."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.stage import Stage
from conegrad_core.system_record.manifest import file_hash
from conegrad_core.weights import WEIGHTS_FOLDER

# Where the weights lie, which device runs them and whether their file is trusted are not
# properties of a system; a record holds its weights as safetensors.
OF_THE_MACHINE = ("weights", "device", "trust_pickle")


def recorded_settings(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """Every setting of a stage that belongs to the system, as plain values.

    Defaults are among them: a record keeps them when a later version has others.
    """
    values = dataclasses.asdict(pipeline.configs[name])
    return {key: _plain(v) for key, v in values.items() if key not in OF_THE_MACHINE}


def stage_hash(module: str, settings: Mapping[str, Any], weights: str) -> str:
    """The sha256 over module name, settings and weights of a stage.

    Args:
        module: name under which the stage is registered.
        settings: of the stage, plain values.
        weights: :func:`weights_hash` of its weights; empty: it has none.
    """
    text = json.dumps([module, settings, weights], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def weights_hash(path: Path) -> str:
    """The sha256 of the values in a weights file.

    Of a safetensors file only names, shapes and values count: 16-bit floats hash as the 32-bit
    floats that loading makes of them, and what the file says of its origin is left out. Of any
    other file all bytes count, and with an .xml file of OpenVINO those of the .bin beside it.

    Raises:
        OSError: naming the file, if it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return tensors_hash({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except SafetensorError:
        if path.suffix != ".xml":
            return file_hash(path)
        hashes = [file_hash(part) for part in (path, path.with_suffix(".bin"))]
        return hashlib.sha256("".join(hashes).encode()).hexdigest()


def tensors_hash(tensors: Mapping[str, Tensor]) -> str:
    """The sha256 of named tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().cpu()
        if plain.dtype in (torch.float16, torch.bfloat16):
            plain = plain.float()
        digest.update(json.dumps([name, str(plain.dtype), list(plain.shape)]).encode())
        digest.update(plain.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def stage_hashes(pipeline: Pipeline) -> dict[str, str]:
    """Hash of every stage of a pipeline, equal to that in a record of it.

    Raises:
        OSError: if a weights file cannot be read.
    """
    hashes = {}
    with TemporaryDirectory() as folder:
        for name in pipeline.order:
            stage = pipeline.stage(name)
            module = pipeline.specification.stages[name].module
            weights = _hash_of_weights(stage, Path(folder) / f"{name}_{stage.weights_file}")
            hashes[name] = stage_hash(module, recorded_settings(pipeline, name), weights)
    return hashes


def _hash_of_weights(stage: Stage, path: Path) -> str:
    """Of the weights in memory; of the file that they are from where an engine holds them."""
    if not stage.weights_file:
        return tensors_hash(stage.state_dict()) if stage.state_dict() else ""
    if next(stage.parameters(), None) is None:  # an exported engine
        given = getattr(stage.config, "weights", "")
        source = Path(given).expanduser() if given else WEIGHTS_FOLDER / stage.weights_file
        return weights_hash(source)
    stage.save(path)
    return weights_hash(path)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
