"""Opens tables that people write: CSV with commas, with or without a byte-order mark."""

import csv
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conegrad_data.bags.types import BagError


@contextmanager
def csv_rows(path: str | Path) -> Iterator["csv.DictReader[str]"]:
    """The rows of a table by column name, inside a ``with`` block.

    Raises:
        BagError: if its columns are separated by semicolons, or it is not text, or not a table.
        OSError: if it cannot be opened.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        try:
            names = rows.fieldnames or ()
            if len(names) == 1 and ";" in names[0]:
                raise BagError(
                    f"{path}, line 1: {reprlib.repr(names[0])} has semicolons, expected commas"
                )
            yield rows
        except csv.Error as error:
            raise BagError(f"{path}, line {rows.line_num + 1}: not a table ({error})") from error
        except UnicodeDecodeError as error:
            raise BagError(f"{path} is not text in UTF-8 ({error})") from error
