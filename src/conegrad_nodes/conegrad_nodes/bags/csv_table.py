"""Opens tables that people write: CSV with commas, with or without a byte-order mark."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conegrad_nodes.bags.types import BagError


@contextmanager
def csv_rows(path: str | Path) -> Iterator["csv.DictReader[str]"]:
    """The rows of a table by column name, inside a ``with`` block.

    Raises:
        BagError: if its columns are separated by semicolons, or it is no text.
        OSError: if it cannot be opened.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = csv.DictReader(file, skipinitialspace=True)
            names = rows.fieldnames or ()
            if len(names) == 1 and ";" in names[0]:
                raise BagError(f"{path}, line 1: {names[0]!r} has semicolons, expected commas")
            yield rows
        except UnicodeDecodeError as error:
            raise BagError(f"{path} is no text in UTF-8 ({error})") from error
