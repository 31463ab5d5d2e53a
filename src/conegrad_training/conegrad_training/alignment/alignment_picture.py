"""Picture of a map that was aligned with a drive."""

from pathlib import Path

import numpy as np

from conegrad_core.cones import ConeClass
from conegrad_evaluation.report.figure_style import class_handles, colour_hex
from conegrad_training.alignment.map_alignment import Alignment, ConeMap, SeenCones, moved


def draw_alignment(survey: ConeMap, seen: SeenCones, fit: Alignment, picture: Path) -> None:
    """Draw the map (rings), the seen cones (dots), and what does not fit (crosses) as PNG."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    placed = moved(survey.positions, fit.odom_from_map)
    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.add_subplot(xlabel="x of the odometry [m]", ylabel="y [m]", aspect="equal")
    axes.set_facecolor("0.85")
    axes.plot(*seen.poses[:, :2].T, color="0.3", linewidth=1)
    for colour in np.unique(np.concatenate([survey.classes, seen.classes])):
        shown = colour_hex(ConeClass(colour))
        on_map, sighted = placed[survey.classes == colour], seen.positions[seen.classes == colour]
        axes.scatter(
            on_map[:, 0], on_map[:, 1], s=70, facecolors="none", edgecolors=shown, linewidths=1.5
        )
        axes.scatter(sighted[:, 0], sighted[:, 1], s=16, color=shown)
    lost = seen.positions[fit.matches < 0]
    axes.scatter(lost[:, 0], lost[:, 1], s=90, marker="x", color="red")
    axes.set_title(
        f"{fit.inliers:.0%} of {len(fit.matches)} seen cones fit, {fit.residual:.2f} m RMS; "
        f"{fit.coverage:.0%} of the map along the drive was seen"
    )
    marks = [
        Line2D([], [], color="0.3", linewidth=1, label="path of the car"),
        Line2D([], [], marker="o", linestyle="", markerfacecolor="none", color="0.3",
               markersize=9, label="on the map"),
        Line2D([], [], marker="o", linestyle="", color="0.3", markersize=4, label="seen"),
        Line2D([], [], marker="x", linestyle="", color="red", markersize=9,
               label="seen, not on the map"),
    ]  # fmt: skip
    figure.legend(handles=[*marks, *class_handles(7)], loc="outside lower center", ncols=5)
    figure.savefig(picture, dpi=110)
