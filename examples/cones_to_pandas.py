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

COLUMNS = ("stamp", "x", "y", "existence", "colour", "id", "lidar_evidence", "lidar_share")


def read_cones(bag: Path, topic: str = "/cones") -> pd.DataFrame:
    """Table with :data:`COLUMNS`: stamp [s], x, y [m], existence (0 to 1), and as in Cone.msg.

    ``id`` is 0 where cones were not tracked (``track_ids``); the last two are NaN in bags recorded
    before the message had them.
    """
    tables = [pd.DataFrame(columns=COLUMNS)]
    with BagReader(bag) as reader:
        for _, _, msg in reader.messages([topic]):
            cones = cones_from_msg(msg)
            x, y = cones.positions.T.tolist()
            table = pd.DataFrame(
                {"x": x, "y": y, "existence": cones.existence_logits.sigmoid().numpy()}
            )
            table["stamp"] = stamp_ns_from_msg(msg.header.stamp) * 1e-9
            table["colour"] = [COLOUR_NAMES[row] for row in cones.colours.argmax(dim=-1).tolist()]
            table["id"] = 0 if cones.ids is None else cones.ids.numpy()
            for name in ("lidar_evidence", "lidar_share"):
                values = getattr(cones, name)
                table[name] = float("nan") if values is None else values.numpy()
            tables.append(table[list(COLUMNS)])
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def main(bag: Path) -> pd.DataFrame:
    """Print how many cones of each colour there are, and how far away they are seen."""
    table = read_cones(bag)
    table["distance"] = (table.x**2 + table.y**2) ** 0.5
    print(table.groupby("colour").distance.describe()[["count", "mean", "max"]].round(2))
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))
