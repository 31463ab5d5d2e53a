"""What differs between two records, side by side."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from conegrad_core.settings.yaml_file import read_yaml_file
from conegrad_core.system_record.location import PIPELINE
from conegrad_core.system_record.record import CALIBRATION, SystemRecord
from conegrad_core.system_record.stage_hash import weights_hash

ABSENT = "-"
SECTIONS = (
    "origin", "code", "data", "stages", "weights", "scalars", "calibration", "settings", "metrics",
)  # fmt: skip
SHOWN = 12  # digits of a hash

Values = dict[str, Any]


class Difference(NamedTuple):
    """A value that two records have differently.

    Attributes:
        section: one of :data:`SECTIONS`.
        name: of the value.
        first: of the first record; :data:`ABSENT` where it has none.
        second: of the second record.
    """

    section: str
    name: str
    first: str
    second: str


def differences(first: SystemRecord, second: SystemRecord) -> list[Difference]:
    """Values that differ, section by section."""
    sides = _sections(first), _sections(second)
    trained = [_flat({"training": dict(r.description.settings)}) for r in (first, second)]
    if all(trained):
        for side, values in zip(sides, trained, strict=True):
            side["settings"] |= values
    elif any(trained):  # nothing to compare the settings of the other one with
        for side, values in zip(sides, trained, strict=True):
            side["settings"]["training"] = f"{len(values)} settings" if values else ABSENT
    found = []
    for section in SECTIONS:
        one, other = (side[section] for side in sides)
        for name in dict.fromkeys([*one, *other]):
            if one.get(name, ABSENT) != other.get(name, ABSENT):
                pair = [side.get(name, ABSENT) for side in (one, other)]
                shown = [_shown(value) for value in pair]
                if shown[0] == shown[1]:  # they differ in digits that are not shown
                    shown = [str(value) for value in pair]
                found.append(Difference(section, name, *shown))
        if section == "weights":
            found += _weight_distances(first, second)
    return found


def _sections(record: SystemRecord) -> dict[str, Values]:
    entry, described = record.entry, record.description
    pipeline = read_yaml_file(record.folder / PIPELINE).content
    calibration = record.folder / CALIBRATION
    return {
        "origin": {
            "pattern": described.pattern,
            "seeds": list(described.seeds),
            "parents": list(described.parents),
            "command": described.command,
            "created": described.created,
            "note": described.note,
        },
        "code": {
            "git revision": described.git_revision,
            "ConeGrad": entry.version,
        },
        "data": {
            f"{bag.role} {bag.name}": bag.sha256[:SHOWN] or "unknown" for bag in described.bags
        },
        "stages": {
            "integration": entry.integration,
            **{name: stage.module for name, stage in entry.stages.items()},
            **_flat({"inputs": pipeline["inputs"], "outputs": pipeline["outputs"]}),
            **_connections(pipeline["stages"]),
        },
        "weights": {
            name: weights_hash(record.folder / stage.weights)[:SHOWN]
            for name, stage in entry.stages.items()
            if stage.weights
        },
        "scalars": _flat({name: dict(s.scalars) for name, s in entry.stages.items() if s.scalars}),
        "calibration": _flat(read_yaml_file(calibration).content) if calibration.exists() else {},
        "settings": _flat({name: _settings(s) for name, s in pipeline["stages"].items()}),
        "metrics": _flat({part: dict(values) for part, values in described.metrics.items()}),
    }


def _connections(stages: Mapping[str, Any]) -> Values:
    return {
        f"{name} {side}": stage[side]
        for name, stage in stages.items()
        for side in ("inputs", "outputs")
    }


def _settings(stage: Mapping[str, Any]) -> Values:
    """Settings of a stage without the place of its weights in the record."""
    given = stage.get("settings") or {}
    return {name: value for name, value in given.items() if name != "weights"}


def _weight_distances(first: SystemRecord, second: SystemRecord) -> list[Difference]:
    """How far the weights of each stage that both have are from each other."""
    found = []
    for name, stage in first.entry.stages.items():
        other = second.entry.stages.get(name)
        if other is None or not stage.weights or not other.weights or stage.hash == other.hash:
            continue
        one, two = _tensors(first, stage.weights), _tensors(second, other.weights)
        if one is None or two is None or not _are_alike(one, two):
            continue
        moved = torch.stack([(two[key] - one[key]).norm() for key in one]).norm()
        size = torch.stack([value.norm() for value in one.values()]).norm()
        share = float(moved / size.clamp(min=1e-12))
        changed = sum(not torch.equal(one[key], two[key]) for key in one)
        if changed:
            text = f"moved by {share:.2g} of their length in {changed} of {len(one)} tensors"
            found.append(Difference("weights", f"{name} distance", ABSENT, text))
    return found


def _are_alike(one: Mapping[str, Tensor], two: Mapping[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(one[key].shape == two[key].shape for key in one)


def _tensors(record: SystemRecord, file: str) -> dict[str, Tensor] | None:
    try:
        with safe_open(record.folder / file, framework="pt") as weights:
            return {key: weights.get_tensor(key).double() for key in weights.keys()}  # noqa: SIM118
    except SafetensorError:
        return None


def _flat(values: Mapping[str, Any], prefix: str = "") -> Values:
    found: Values = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return value or ABSENT
    if isinstance(value, list) and value and all(isinstance(v, float) for v in value):
        return "[" + ", ".join(f"{v:.4g}" for v in value) + "]"
    return json.dumps(value, default=str)
