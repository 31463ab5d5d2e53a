"""Perfect boxes, keypoints and colours of the cones in a picture."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CLASS_NAMES, ConeClass
from conegrad_core.crops.matching import match_crops
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.keypoints.cone_model import (
    BOTTOM_RADII,
    HEIGHTS,
    TOP_RADII,
    keypoint_places,
)
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.port_truths.box_match import NONE, match_boxes, speaks
from conegrad_evaluation.port_truths.port_truth import PortCounts, PortTruth
from conegrad_evaluation.port_truths.scene import TrueScene, true_outlines

SURE = 6.0  # logit of what is certainly so
KEYPOINT_DEVIATION = 0.5  # [px] of a perfect keypoint
COUNTED_RANGE = 20.0  # [m], cones beyond are not counted
MIN_SIDE = 2.0  # [px], what is left of a box at the border of the image


class DetectionsTruth(PortTruth):
    """A box with a sure class for every true cone that the camera could see.

    The boxes lie where the cones are in the picture: by the refined calibration, so that a fault of
    the given one is not a fault of the detector.
    """

    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> Detections:
        """Boxes of the visible cones, from left to right of the rows of the truth."""
        boxes, rows = seen_boxes(scene)
        return Detections(boxes, class_logits(scene.truth.classes[rows]))

    def count(self, scene: TrueScene, value: Detections) -> PortCounts:
        """Boxes on visible cones within :data:`COUNTED_RANGE`, by the score of the true class."""
        outlines = true_outlines(scene)
        boxes, truth = match_boxes(outlines, value), scene.truth
        counted = truth.visible_camera & (truth.positions.norm(dim=-1) <= COUNTED_RANGE)
        found = boxes != NONE
        scores = value.logits.detach().sigmoid()
        of_class = torch.zeros(len(found))
        columns = truth.classes[found].clamp(max=ConeClass.BIG_ORANGE)
        of_class[found] = torch.where(
            truth.classes[found] == ConeClass.UNKNOWN,
            scores[boxes[found]].amax(-1),
            scores[boxes[found], columns],
        )
        made = int((found & counted).sum()) + int(speaks(value).sum()) - int(found.sum())
        return PortCounts(float(of_class[counted].sum()), made, int(counted.sum()))


class KeypointsTruth(PortTruth):
    """True keypoints of the crops that show a true cone; the others keep theirs."""

    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> Keypoints:
        """Keypoints of the given crops."""
        boxes, rows = seen_boxes(scene)
        cone = match_crops(inputs["Crops"].windows_xyxy, boxes)
        shows = cone != NONE
        if not bool(shows.any()) or scene.calibration is None:
            return Keypoints(value.positions, value.log_deviations)
        found = rows[cone[shows]]
        positions, deviations = value.positions.clone(), value.log_deviations.clone()
        positions[shows] = _keypoints(scene, found).to(positions)
        deviations[shows] = torch.tensor(KEYPOINT_DEVIATION).log().to(deviations)
        return Keypoints(positions, deviations)


class ConeColoursTruth(PortTruth):
    """The sure colour of the crops that show a true cone; the others keep theirs."""

    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> ConeColours:
        """Colours of the given crops."""
        boxes, rows = seen_boxes(scene)
        cone = match_crops(inputs["Crops"].windows_xyxy, boxes)
        logits, shows = value.logits.clone(), cone != NONE
        logits[shows] = class_logits(scene.truth.classes[rows[cone[shows]]]).to(logits)
        return ConeColours(logits)


def seen_boxes(scene: TrueScene) -> tuple[Tensor, Tensor]:
    """Boxes ``(M, 4)`` of the cones that the camera could see, cut at the image, and their rows.

    Raises:
        ValueError: if the scene has no calibration.
    """
    outlines = true_outlines(scene)
    if scene.calibration is None:
        raise ValueError("the scene has no calibration, expected one for the camera")
    camera: CameraModel = scene.calibration.camera
    low = outlines.boxes_xyxy.new_zeros(4)
    high = low.new_tensor([camera.width, camera.height, camera.width, camera.height]) - 1.0
    boxes = torch.minimum(torch.maximum(outlines.boxes_xyxy, low), high)
    is_left = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE).all(-1)
    rows = (scene.truth.visible_camera & outlines.in_front & is_left).nonzero()[:, 0]
    return boxes[rows], rows


def class_logits(classes: Tensor) -> Tensor:
    """``(N, 4)`` sure logits of classes; of an unknown one all are alike and sure of a cone."""
    logits = torch.full((len(classes), len(CLASS_NAMES)), -SURE)
    known = classes != ConeClass.UNKNOWN
    logits[~known] = SURE
    logits[known, classes[known]] = SURE
    return logits


def _keypoints(scene: TrueScene, rows: Tensor) -> Tensor:
    """``(K, 7, 2)`` keypoints of true cones in the picture [px]."""
    calibration = scene.calibration
    if calibration is None:
        raise ValueError("the scene has no calibration, expected one for the camera")
    camera_from_lidar = scene.camera_from_lidar.double()
    positions = scene.truth.positions[rows].double()
    classes = scene.truth.classes[rows].clamp(max=ConeClass.BIG_ORANGE)
    heights, bottom, top = (
        positions.new_tensor(values)[classes] for values in (HEIGHTS, BOTTOM_RADII, TOP_RADII)
    )
    eye = -(camera_from_lidar[:3, 3] @ camera_from_lidar[:3, :3])[:2]
    places = keypoint_places(positions, heights, bottom, top, eye)
    lifted = calibration.ground_z + calibration.up * places[..., 2:]
    points = torch.cat([places[..., :2], lifted], dim=-1)
    camera = calibration.camera._replace(
        intrinsics=calibration.camera.intrinsics.double(),
        distortion=calibration.camera.distortion.double(),
    )
    pixels, _ = project(points, camera_from_lidar, camera)
    return pixels
