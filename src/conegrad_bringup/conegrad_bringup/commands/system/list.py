"""List the recorded systems of the store, or the versions of one.

conegrad system list
conegrad system list car
"""

import argparse

from conegrad_bringup.commands.system.store_options import StoreSettings
from conegrad_bringup.text_table import text_table
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore
from conegrad_core.system_record.store_index import Version

SETTINGS = CommandSettings({"": StoreSettings()})
COLUMNS = ("version", "record", "aliases", "pipeline", "pattern", "f1_colour", "created", "note")
SCORE, DATE = "f1_colour", 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", default="", help="of a system (default: all)")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Print a row per version."""
    store = SETTINGS.read(options)[StoreSettings].opened()
    names = [options.name] if options.name else store.names()
    rows = [_row(version, store) for name in names for version in store.versions(name)]
    if not rows:
        print(f"{store.folder} holds no systems; a training adds one, and 'conegrad system log'")
        return
    print("\n".join(text_table([COLUMNS, *rows])))


def _row(version: Version, store: SystemStore) -> tuple[str, ...]:
    at = store.aliases(version.name)
    aliases = ", ".join(alias for alias, number in at.items() if number == version.number)
    folder = store.record_folder(version.id)
    try:
        if folder is None:
            raise RecordError("its record is missing")
        record = SystemRecord(folder, version.id)
    except RecordError as error:
        return version.reference, version.id, aliases or "-", str(error), *["-"] * 4
    described = record.description
    score = described.metrics.get("system", {}).get(SCORE)
    return (
        version.reference,
        version.id,
        aliases or "-",
        record.entry.pipeline,
        described.pattern or "-",
        "-" if score is None else f"{score:.3f}",
        described.created[:DATE].replace("T", " "),
        described.note or "-",
    )
