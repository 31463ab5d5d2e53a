"""From candidates to the cones that are published."""

import numpy as np
import torch
from torch import Tensor

from conegrad_core.cones import ConeClass, Cones
from conegrad_core.fusion.config import MERGE_DISTANCE, MIN_EXISTENCE


def select_cones(
    cones: Cones, min_existence: float = MIN_EXISTENCE, merge_distance: float = MERGE_DISTANCE
) -> Cones:
    """Candidates that probably exist, each cone once, most certain first.

    Of candidates nearer to each other than ``merge_distance`` the one with the highest existence
    stays; if its colour is unknown it takes the colour of the best duplicate that knows one.

    Args:
        cones: all candidates of a frame.
        min_existence: lowest probability of existence that is kept.
        merge_distance: [m].

    Raises:
        ValueError: if ``min_existence`` is outside (0, 1) or ``merge_distance`` negative.
    """
    if not 0 < min_existence < 1:
        raise ValueError(f"min_existence is {min_existence}, expected a value between 0 and 1")
    if not merge_distance >= 0:
        raise ValueError(f"merge_distance is {merge_distance} m, expected 0 or more")
    threshold = float(np.log(min_existence) - np.log1p(-min_existence))
    logits = cones.existence_logits.detach()
    order = logits.argsort(descending=True, stable=True)
    order = order[logits[order] >= threshold]
    chosen = cones.rows(order)
    winners = _winners(chosen.positions, merge_distance)
    kept = torch.from_numpy(np.unique(winners)).to(order)
    colours, source = _known_colours(chosen, torch.from_numpy(winners).to(order), kept)
    merged = chosen.rows(kept)
    return merged._replace(colours=colours, source=source)


def _winners(positions: Tensor, merge_distance: float) -> np.ndarray:
    """Per row, sorted best first, the row that represents it."""
    points = positions.detach().cpu().numpy()
    squares = ((points[:, None] - points[None]) ** 2).sum(-1)
    near = squares < merge_distance * merge_distance
    winners = np.full(len(points), -1, dtype=np.int64)
    for row in range(len(points)):
        if winners[row] < 0:
            winners[(winners < 0) & near[row]] = row
            winners[row] = row
    return winners


def _known_colours(chosen: Cones, winners: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Colours and sources of the kept rows, unknown colours taken from their duplicates."""
    known = (chosen.colours.detach().argmax(-1) != ConeClass.UNKNOWN).tolist()
    donors = {int(row): int(row) for row in kept}
    for row, winner in enumerate(winners.tolist()):
        if known[row] and not known[donors[winner]]:
            donors[winner] = row
    rows = torch.tensor(list(donors.values()), dtype=torch.int64, device=kept.device)
    source = chosen.source[kept] | chosen.source[rows]
    return chosen.colours[rows], source
