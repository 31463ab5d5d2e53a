"""Cones of a bag as a pandas table, one row per cone and frame.

conegrad simulate -o drive --track random --seed 7 --seconds 5
conegrad perceive drive -o drive_cones
python examples/cones_to_pandas.py drive_cones
"""

import sys
from pathlib import Path

import pandas as pd

from conegrad_core.cones import COLOUR_NAMES
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import cones_from_msg, stamp_ns_from_msg


def read_cones(bag: Path, topic: str = "/cones") -> pd.DataFrame:
    """Table with the columns stamp [s], x, y [m], existence (0 to 1) and colour."""
    rows = []
    with BagReader(bag) as reader:
        for _, _, msg in reader.messages([topic]):
            cones = cones_from_msg(msg)
            stamp = stamp_ns_from_msg(msg.header.stamp) * 1e-9
            colours = cones.colours.argmax(dim=-1).tolist()
            for (x, y), existence, colour in zip(
                cones.positions.tolist(),
                cones.existence_logits.sigmoid().tolist(),
                colours,
                strict=True,
            ):
                rows.append((stamp, x, y, existence, COLOUR_NAMES[colour]))
    return pd.DataFrame(rows, columns=["stamp", "x", "y", "existence", "colour"])


def main(bag: Path) -> pd.DataFrame:
    """Print how many cones of each colour there are, and how far away they are seen."""
    table = read_cones(bag)
    table["distance"] = (table.x**2 + table.y**2) ** 0.5
    print(table.groupby("colour").distance.describe()[["count", "mean", "max"]].round(2))
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))
