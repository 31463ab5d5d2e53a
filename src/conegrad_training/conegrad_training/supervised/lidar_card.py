"""Weights file and model card of a trained scan network."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conegrad_core.lidar.scan_network import ARCHITECTURE, ScanNetwork
from conegrad_core.lidar.segmenter import save_segmenter
from conegrad_evaluation.metrics.beams import BeamCounts
from conegrad_training.tracking.model_card import git_revision

CARD = """# Scan network `{architecture}`

Labels each beam of a planar LiDAR scan: did it hit a cone? {weights:,} weights, any number of
beams and any angular step. Trained on {data}.

- command: `{command}`
- git revision: `{git_revision}`
- SHA-256: `{sha256}`
- settings: {settings}

Quality at probability 0.5 over beams with a return, on scans not trained on:

| scans | F1 | precision | recall |
|---|---|---|---|
{rows}
"""


def write_card(
    network: ScanNetwork,
    output: Path,
    command: str,
    settings: Mapping[str, Any],
    metrics: Mapping[str, BeamCounts],
    data: str,
) -> dict[str, Any]:
    """Write ``scan_cnn.safetensors``, ``scan_cnn.json`` and ``scan_cnn.md``; returns the card."""
    card: dict[str, Any] = {
        "command": command,
        "data": data,
        "settings": dict(settings),
        "git_revision": git_revision(),
        "metrics": {name: counts.to_dict() for name, counts in metrics.items()},
    }
    weights = output / "scan_cnn.safetensors"
    save_segmenter(network, weights, {key: json.dumps(value) for key, value in card.items()})
    card["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (output / "scan_cnn.json").write_text(json.dumps(card, indent=2) + "\n")
    (output / "scan_cnn.md").write_text(_text(network, card, metrics))
    return card


def _text(network: ScanNetwork, card: Mapping[str, Any], metrics: Mapping[str, BeamCounts]) -> str:
    rows = [
        f"| {name} | {counts.f1:.3f} | {counts.precision:.3f} | {counts.recall:.3f} |"
        for name, counts in metrics.items()
    ]
    return CARD.format(
        architecture=ARCHITECTURE,
        weights=sum(parameter.numel() for parameter in network.parameters()),
        command=card["command"],
        data=card["data"],
        git_revision=card["git_revision"],
        sha256=card["sha256"],
        settings=", ".join(f"{key} {value}" for key, value in card["settings"].items()),
        rows="\n".join(rows),
    )
