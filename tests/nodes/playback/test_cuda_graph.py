"""The live graph with its networks on a GPU; skipped without one."""

import numpy as np
import pytest

from conegrad_data.bags.reader import BagReader
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.result_tracker import ResultCounts

pytestmark = [pytest.mark.ros, pytest.mark.gpu]


def positions(path):
    """Rows (x, y) of each fused pair, in the order of the recording."""
    with BagReader(path) as bag:
        return [
            np.array([[cone.position.x, cone.position.y] for cone in msg.cones]).reshape(-1, 2)
            for _, _, msg in bag.messages(["/cones"])
        ]


def test_the_composed_graph_gives_the_cones_of_the_cpu(drive, parameters, tmp_path):
    on_gpu = parameters | {
        "detector.device": "cuda",
        "segmenter.device": "cuda",
        "segmenter.engine": "torch",
    }
    found = {}
    for name, chosen in (("cpu", parameters), ("cuda", on_gpu)):
        path = tmp_path / name
        result = perceive_bag(drive, path, PerceiveOptions(parameters=chosen))
        assert result.fusions == ResultCounts(sent=6, received=6, lost=0)
        assert result.reasons == []
        found[name] = positions(path)
    # Not all of them: which boxes of a random network are duplicates hangs on the last bits.
    for one, other in zip(found["cuda"], found["cpu"], strict=True):
        gaps = np.linalg.norm(one[:, None] - other[None], axis=-1).min(axis=1)
        assert len(gaps) >= 3
        assert np.median(gaps) < 0.05
