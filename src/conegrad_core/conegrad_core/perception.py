"""The public face: a picture and a scan in, the cones on the ground out.

from conegrad_core import Perception, Vehicle

perception, car = Perception.load(), Vehicle.load("formula_student")
cones = perception(image, scan, car)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import Cones
from conegrad_core.fusion.config import MERGE_DISTANCE, MIN_EXISTENCE
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import check_image_size
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.build import DEFAULT, Settings, load_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.vehicle import Vehicle


class Perception:
    """A pipeline from at most an image and a scan to cones.

    Attributes:
        pipeline: that runs.

    Raises:
        PipelineError: if the pipeline takes something else, or gives no cones.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        specification = pipeline.specification
        ports = {kind: port for port, kind in specification.inputs.items()}
        if len(ports) < len(specification.inputs) or not ports.keys() <= {"Image", "Scan"}:
            found = ", ".join(f"{port}: {kind}" for port, kind in specification.inputs.items())
            raise PipelineError(
                f"{specification.source} has the inputs {found}, expected an Image and a Scan "
                "at most"
            )
        cones = [p for p in specification.outputs.values() if pipeline.ports[p].name == "Cones"]
        if len(cones) != 1:
            raise PipelineError(
                f"{specification.source} has {len(cones)} outputs of kind Cones, expected one"
            )
        self._image, self._scan, self._cones = ports.get("Image"), ports.get("Scan"), cones[0]

    @classmethod
    def load(
        cls,
        pipeline: str | Path = DEFAULT,
        weights: Mapping[str, str | Path] | None = None,
        settings: Settings | None = None,
    ) -> "Perception":
        """Load a pipeline with the weights that ship, or with others.

        Args:
            pipeline: by its name, or the path of its YAML file.
            weights: weights file of a stage, by the name of the stage.
            settings: further settings of stages, by the name of the stage.

        Raises:
            FileNotFoundError: if there is no such pipeline, or a weights file does not exist.
            PipelineError: naming file, line, stage and port.
            ValueError: if weights are of another kind.
        """
        merged: dict[str, Any] = dict(settings or {})
        for stage, path in (weights or {}).items():
            merged[stage] = {**merged.get(stage, {}), "weights": str(path)}
        loaded = load_pipeline(pipeline, merged)
        loaded.accelerate()
        return cls(loaded)

    @torch.inference_mode()
    def __call__(
        self,
        image: RgbImage | None,
        scan: Scan | None,
        car: Vehicle | Calibration,
        motion: Tensor | None = None,
        *,
        min_existence: float = MIN_EXISTENCE,
        merge_distance: float = MERGE_DISTANCE,
    ) -> Cones:
        """The cones that probably exist, each once, most certain first; without gradient.

        Args:
            image: ``(height, width, 3)`` uint8 RGB, or None: the LiDAR alone.
            scan: planar scan, or None: the camera alone.
            car: where the sensors are.
            motion: ego-motion ``lidar_at_scan_from_lidar_at_image``, see
                :meth:`conegrad_core.fusion.fuser.Fuser.forward`.
            min_existence: lowest probability of existence.
            merge_distance: cones nearer to each other are one [m].

        Raises:
            ValueError: if both inputs are None, a shape is wrong, or the image is not of the size
                that the intrinsics are for.
        """
        candidates = self.candidates(image, scan, car, motion)
        return select_cones(candidates, min_existence, merge_distance)

    def candidates(
        self,
        image: RgbImage | None,
        scan: Scan | None,
        car: Vehicle | Calibration,
        motion: Tensor | None = None,
    ) -> Cones:
        """All candidates of one frame, differentiable where the engines are; as a call.

        Raises:
            ValueError: if both inputs are None, a shape is wrong, or the image is not of the size
                that the intrinsics are for.
        """
        if image is None and scan is None:
            raise ValueError("image and scan are None, expected one of them at least")
        values: dict[str, list[Any]] = {}
        for name, port, value in (("image", self._image, image), ("scan", self._scan, scan)):
            if port is not None:
                values[port] = [value]
            elif value is not None:
                source = self.pipeline.specification.source
                raise ValueError(f"{name} is given, expected None: {source} does not take it")
        calibration = car.calibration() if isinstance(car, Vehicle) else car
        if image is not None and image.ndim == 3:  # all else is refused by the pipeline
            check_image_size(calibration.camera, image.shape[1], image.shape[0])
        context = FrameContext(calibration, motion)
        cones: Cones = self.pipeline(values, [context], [self._cones])[self._cones][0]
        return cones
