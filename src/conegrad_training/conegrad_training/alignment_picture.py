"""Picture of a map that was aligned with a drive."""

from pathlib import Path

import numpy as np

from conegrad_core.cones import COLOUR_NAMES, ConeClass
from conegrad_core.drawing import COLOURS_RGB
from conegrad_training.map_alignment import Alignment, ConeMap, SeenCones, moved


def draw_alignment(survey: ConeMap, seen: SeenCones, fit: Alignment, picture: Path) -> None:
    """Draw the map (rings), the seen cones (dots), and what does not fit (crosses) as PNG."""
    from matplotlib.figure import Figure

    placed = moved(survey.positions, fit.odom_from_map)
    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.add_subplot(xlabel="x of the odometry [m]", ylabel="y [m]", aspect="equal")
    axes.set_facecolor("0.85")
    axes.plot(*seen.poses[:, :2].T, color="0.3", linewidth=1, label="path of the car")
    for colour in np.unique(np.concatenate([survey.classes, seen.classes])):
        red, green, blue = COLOURS_RGB[ConeClass(colour)]
        rgb = (red / 255, green / 255, blue / 255)
        on_map, sighted = placed[survey.classes == colour], seen.positions[seen.classes == colour]
        axes.scatter(
            on_map[:, 0], on_map[:, 1], s=70, facecolors="none", edgecolors=[rgb], linewidths=1.5
        )
        axes.scatter(sighted[:, 0], sighted[:, 1], s=16, color=[rgb], label=COLOUR_NAMES[colour])
    lost = seen.positions[fit.matches < 0]
    axes.scatter(
        lost[:, 0], lost[:, 1], s=90, marker="x", color="red", label="seen, not on the map"
    )
    axes.set_title(
        f"{fit.inliers:.0%} of {len(fit.matches)} seen cones fit, {fit.residual:.2f} m RMS; "
        f"{fit.coverage:.0%} of the map along the drive was seen"
    )
    axes.legend()
    figure.savefig(picture, dpi=110)
