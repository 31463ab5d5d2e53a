"""Where the things stand that have the colours of cones and are none."""

import numpy as np

from conegrad_simulation.planar import Floats, Ints
from conegrad_simulation.scene.scene import ObstacleKind

COUNT = 12.0  # expected number at a density of 1
NEAREST, FARTHEST = 0.6, 12.0  # [m] from a cone

# Share, radius and height [m], lowest and highest.
KINDS = {
    ObstacleKind.BOLLARD: (0.3, (0.05, 0.3), (0.35, 1.2)),
    ObstacleKind.EXTINGUISHER: (0.12, (0.08, 0.1), (0.35, 0.65)),
    ObstacleKind.SHOE: (0.15, (0.12, 0.16), (0.08, 0.2)),
    ObstacleKind.FLAG: (0.13, (0.05, 0.08), (0.4, 2.2)),
    ObstacleKind.PANEL: (0.18, (0.1, 0.6), (0.3, 2.4)),
    ObstacleKind.LAMP: (0.12, (0.05, 0.1), (0.1, 0.5)),
}


def random_decoys(
    rng: np.random.Generator, anchors: Floats, density: float
) -> tuple[Floats, Floats, Ints]:
    """Obstacles ``(K, 3)``, heights and kinds around anchors ``(N, 2)`` of the map [m]."""
    count = int(rng.poisson(COUNT * density))
    shares = np.array([share for share, _, _ in KINDS.values()])
    drawn = rng.choice(len(KINDS), size=count, p=shares / shares.sum())
    limits = np.array([sizes for _, *sizes in KINDS.values()])[drawn].reshape(count, 2, 2)
    sizes = limits[..., 0] + rng.random((count, 2)) * (limits[..., 1] - limits[..., 0])
    angle, distance = rng.uniform(0, 2 * np.pi, count), rng.uniform(NEAREST, FARTHEST, count)
    offset = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = anchors[rng.integers(len(anchors), size=count)] + offset
    kinds = np.array([int(kind) for kind in KINDS], dtype=np.int64)[drawn]
    return np.column_stack([places, sizes[:, 0]]), sizes[:, 1], kinds
