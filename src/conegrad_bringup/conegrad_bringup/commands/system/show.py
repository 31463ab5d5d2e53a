"""Show a recorded system: what it is made of, where it comes from, how good it is.

  conegrad system show car@champion
  conegrad system show car/7 -o car7.html

The page has the lineage as a graph: what it started from, and what each step changed.
"""

import argparse
import json
from pathlib import Path

from conegrad_bringup.commands.system.store_options import REFERENCE, KeySettings, recorded
from conegrad_bringup.option_parser import add_renamed
from conegrad_bringup.text_table import text_table
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.lineage import lineage, names_of
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore

SETTINGS = CommandSettings({"": KeySettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("system", help=REFERENCE)
    parser.add_argument(
        "-o", "--output", type=Path, help="page with the lineage to write (HTML) (default: none)"
    )
    add_renamed(parser, "--html", "--output", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Print what the record says."""
    own = SETTINGS.read(options)[KeySettings]
    store = own.opened()
    record = recorded(options.system, store)
    own.check(record.folder)
    if options.json:
        print(json.dumps(json.loads(record.entry.content), indent=2))
    else:
        print("\n".join(as_text(record, store)))
    if options.output is not None:
        from conegrad_evaluation.report.system_page import write_system_page

        write_system_page(record, lineage(record, store), options.output)
        print(f"page: {options.output}")


def as_text(record: SystemRecord, store: SystemStore) -> list[str]:
    """Lines for people."""
    described, entry = record.description, record.entry
    size = sum(file.size for file in record.manifest.files.values()) / 1e6
    rows = [
        ("system", record.name),
        ("versions", ", ".join(names_of(record.id, store)) or "-"),
        ("record", f"{record.id}, {size:.1f} MB in {record.folder}"),
        ("pipeline", f"{entry.pipeline}: {entry.integration}"),
        ("pattern", described.pattern or "-"),
        ("parents", ", ".join(_named(parent, store) for parent in described.parents) or "-"),
        ("seeds", ", ".join(map(str, described.seeds)) or "-"),
        ("created", described.created),
        ("source tree", f"{described.git_revision or '-'}, ConeGrad {entry.version}"),
        ("command", described.command or "-"),
        *(("bag", f"{b.name} ({b.role}), {b.sha256[:12] or 'no hash'}") for b in described.bags),
        ("calibration", "in the record" if record.calibration else "-"),
        ("note", described.note or "-"),
    ]
    lines = text_table(rows)
    stages = [(name, s.module, s.hash[:12], s.weights or "-") for name, s in entry.stages.items()]
    lines += ["", *text_table([("stage", "module", "hash", "weights"), *stages])]
    metrics = [
        (part, name, f"{value:.4f}")
        for part, values in described.metrics.items()
        for name, value in values.items()
    ]
    return lines + (["", *text_table([("part", "metric", "value"), *metrics])] if metrics else [])


def _named(record_id: str, store: SystemStore) -> str:
    names = names_of(record_id, store)
    return f"{record_id} ({', '.join(names)})" if names else record_id
