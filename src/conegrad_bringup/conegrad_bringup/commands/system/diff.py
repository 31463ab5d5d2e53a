"""Show what differs between two recorded systems, side by side.

  conegrad system diff car@champion car@candidate

Weights are compared stage by stage. The exit code is 0, whether anything differs or not.
"""

import argparse
import json
import textwrap
from dataclasses import dataclass

from conegrad_bringup.commands.system.store_options import REFERENCE, StoreSettings, recorded
from conegrad_bringup.text_table import text_table
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.difference import SECTIONS, Difference, differences


@dataclass(frozen=True)
class DiffSettings(StoreSettings):
    """Settings of the command itself."""

    width: int = setting(48, "Width of a column in characters; longer values are cut", low=8)


SETTINGS = CommandSettings({"": DiffSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("first", help=REFERENCE)
    parser.add_argument("second", help=REFERENCE)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Print a table per section."""
    own = SETTINGS.read(options)[DiffSettings]
    store = own.opened()
    first, second = (recorded(name, store) for name in (options.first, options.second))
    found = differences(first, second)
    if options.json:
        print(json.dumps([difference._asdict() for difference in found], indent=2))
        return
    title = [f"{options.first} ({first.id})", f"{options.second} ({second.id})"]
    print("\n".join(_lines(found, title, own.width)))


def _lines(found: list[Difference], title: list[str], width: int) -> list[str]:
    if not found:
        return ["nothing differs"]
    rows = [("", *title)]
    for section in SECTIONS:
        of_section = [difference for difference in found if difference.section == section]
        if of_section:
            rows += [("", "", ""), (section, "", "")]
            rows += [
                (f"  {d.name}", _cut(d.first, width), _cut(d.second, width)) for d in of_section
            ]
    same = [section for section in SECTIONS if section not in {d.section for d in found}]
    return text_table(rows) + (["", f"equal: {', '.join(same)}"] if same else [])


def _cut(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder="...") if len(text) > width else text
