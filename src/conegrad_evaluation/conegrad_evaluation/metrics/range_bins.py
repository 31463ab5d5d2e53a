"""Range bins of the metrics."""

import numpy as np
import numpy.typing as npt

BIN_EDGES = (0.0, 5.0, 10.0, 15.0, 20.0)  # [m], the last bin is open
BIN_NAMES = ("0-5 m", "5-10 m", "10-15 m", "15-20 m", "20+ m")


def bin_of(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Index into :data:`BIN_NAMES` of each distance [m]; an edge belongs to the bin above."""
    return np.searchsorted(np.array(BIN_EDGES), distances, side="right").astype(np.int64) - 1
