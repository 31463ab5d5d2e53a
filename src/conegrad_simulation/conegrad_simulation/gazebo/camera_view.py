"""Which cones a camera sees: the rule of the simulated bags, without painting the picture."""

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import CameraPreset
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive_render import MIN_BOX_HEIGHT, MIN_VISIBILITY
from conegrad_simulation.render.camera import draw_things
from conegrad_simulation.render.cone_painter import project_cones
from conegrad_simulation.render.layers import Layers
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

PLAIN = World()  # of the looks nothing matters here


class CameraView:
    """Draws cones and what hides them from far to near, and counts the pixels of each cone."""

    def __init__(self, preset: CameraPreset) -> None:
        self._model, self._mounting = preset.model(), preset.mounting

    def seen(self, scene: Scene, pose: Pose) -> npt.NDArray[np.int64]:
        """Rows of the cones of which enough is visible and that are tall enough in the image."""
        view = view_from_pose(self._model, self._mounting, pose)
        cones = project_cones(scene, view, PLAIN)
        size = (self._model.height, self._model.width)
        layers = Layers(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
        covered = draw_things(layers, scene, cones, view, PLAIN)
        counts = np.bincount(layers.owners.ravel(), minlength=len(covered) + 1)
        visibility = counts[1 : len(covered) + 1] / np.maximum(covered, 1.0)
        tops, feet = cones.boxes_xyxy[:, 1], cones.boxes_xyxy[:, 3]
        heights = feet.clip(0, size[0]) - tops.clip(0, size[0])
        is_seen = (visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT)
        return np.asarray(cones.index[is_seen])
