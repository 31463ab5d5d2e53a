"""Whole recordings to train on, and others to test on."""

from collections.abc import Sequence
from pathlib import Path

import torch

from conegrad_data.errors import ReplayError


def split_by_sequence(
    bags: Sequence[Path], test_share: float, seed: int
) -> tuple[list[Path], list[Path]]:
    """Whole recordings for training and for testing: frames of one drive are never parted.

    Args:
        bags: at least two for a share above 0.
        test_share: of the recordings, at least one of them.
        seed: of the draw.

    Raises:
        ReplayError: if nothing would be left to train on.
    """
    count = max(1, round(test_share * len(bags))) if test_share > 0 else 0
    if count >= len(bags):
        raise ReplayError(
            f"{len(bags)} bags cannot be split: expected more than {count}, frames of one "
            "drive see the same cones and are never parted"
        )
    order = torch.randperm(len(bags), generator=torch.Generator().manual_seed(seed)).tolist()
    tests = {order[place] for place in range(count)}
    return (
        [bag for place, bag in enumerate(bags) if place not in tests],
        [bag for place, bag in enumerate(bags) if place in tests],
    )
