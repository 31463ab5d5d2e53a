"""Model cards: how a weights file came to be, for machines and for people."""

import dataclasses
import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conegrad_core.settings import Config

UNKNOWN = "unknown"  # revision


def training_command(module: str, config: Config) -> str:
    """The command that repeats a run: every setting that differs from its default."""
    options = [
        f"--{field.name.replace('_', '-')} {shlex.quote(str(getattr(config, field.name)))}"
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default and field.name != "output"
    ]
    return " ".join([f"python -m {module}", *options])


def git_revision() -> str:
    """Revision of the source tree this runs from, ``unknown`` outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or UNKNOWN


def write_card(stem: Path, title: str, card: Mapping[str, Any]) -> None:
    """Write ``stem.json`` and, with the same content, ``stem.md``."""
    stem.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    lines = [f"# {title}", "", f"Trained on {card['data']}.", ""]
    lines += [f"- {name}: `{card[name]}`" for name in ("command", "git_revision", "sha256")]
    for section in ("settings", "metrics"):
        lines += ["", f"## {section.capitalize()}", "", "| name | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in _flat(card[section])]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n")


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Rows of a table; nested names are joined by a dot."""
    rows = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            rows.append((prefix + name, text))
    return rows
