"""A drive that is known to be good, to compare an attribution with."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Reference(NamedTuple):
    """What a system costs and how good its networks are where nothing is wrong.

    Attributes:
        shares: what each component costs.
        qualities: how much of what each network writes is right by itself, in [0, 1].
        source: where they come from, for people.
    """

    shares: Mapping[str, float]
    qualities: Mapping[str, float]
    source: str


# Mean over three simulated drives (clear weather, seeds 101 to 103), with the weights that ship.
SHIPPED = Reference(
    shares={"detector": 0.024, "segmenter": 0.017, "fuser": 0.017},
    qualities={"detector": 0.515, "segmenter": 0.908},
    source="simulated drives of the weights that ship",
)


def read_reference(path: str | Path) -> Reference:
    """The reference of ``attribution.json`` of a good drive.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is another kind of file; names it.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        content = json.loads(text)
        tables = [
            {str(name): float(value) for name, value in content[key].items() if value is not None}
            for key in ("shares", "qualities")
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} is not the attribution.json of a drive, expected shares and qualities by "
            f"component ({error})"
        ) from error
    return Reference(tables[0], tables[1], str(path))


def loss_of_quality(name: str, qualities: Mapping[str, float], reference: Reference) -> float:
    """Part of its quality in the reference that a network lacks; NaN where one does not say."""
    good, now = reference.qualities.get(name), qualities.get(name)
    if not good or now is None:
        return math.nan
    return (good - now) / good
