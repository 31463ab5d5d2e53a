"""Visible cones of a camera, by the rule of the simulated bags, without a full image."""

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import CameraPreset
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive_render import MIN_BOX_HEIGHT, MIN_VISIBILITY
from conegrad_simulation.render.camera import draw_objects
from conegrad_simulation.render.cone_painter import project_cones
from conegrad_simulation.render.layers import Layers
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

DEFAULT_WORLD = World()  # appearance has no effect on visibility


class CameraView:
    """Draws cones and obstacles from far to near, and counts the pixels of each cone."""

    def __init__(self, preset: CameraPreset) -> None:
        self._model, self._mounting = preset.model(), preset.mounting

    def visible_cones(self, scene: Scene, pose: Pose) -> npt.NDArray[np.int64]:
        """Rows of the cones that are visible enough and tall enough in the image.

        Raises:
            ValueError: if there are more than 250 cones in the image.
        """
        view = view_from_pose(self._model, self._mounting, pose)
        cones = project_cones(scene, view, DEFAULT_WORLD)
        size = (self._model.height, self._model.width)
        layers = Layers(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
        covered = draw_objects(layers, scene, cones, view, DEFAULT_WORLD)
        counts = np.bincount(layers.instances.ravel(), minlength=len(covered) + 1)
        visibility = counts[1 : len(covered) + 1] / np.maximum(covered, 1.0)
        tops, feet = cones.boxes_xyxy[:, 1], cones.boxes_xyxy[:, 3]
        heights = feet.clip(0, size[0]) - tops.clip(0, size[0])
        is_visible = (visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT)
        return np.asarray(cones.index[is_visible])
