"""The perfect joining stage: everything that its inputs hold, put together without fault."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from conegrad_core.camera.image import Detections
from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones, TrueCones
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.port_truths.box_match import NONE, match_boxes, speaks
from conegrad_evaluation.port_truths.port_truth import PortTruth
from conegrad_evaluation.port_truths.scene import TrueScene, cone_outlines, moved_camera

REACH = 0.4  # [m] of a return from the axis of the cone that it is of
SURE = 10.0  # log odds of a cone that certainly exists
VARIANCE = 1e-2  # [m^2] of a perfect position
PERSISTS = 0.5  # probability of existence of a false cone that a network vouches for
CAMERA, LIDAR = 1, 2


class ConesTruth(PortTruth):
    """Every true cone that a box or a return speaks for, at its place and with the best colour.

    So does a cone that the stage finds by itself: its inputs held enough of it.

    The joining stage cannot know of a cone that none of its inputs holds, nor of the colour of one
    without a box, nor that a sure box shows no cone: such faults are those of the stages before.
    A box speaks for the cone where the given calibration projects it.
    """

    def __init__(self) -> None:
        self._boxes: dict[tuple[int, int, int], tuple[Any, Tensor]] = {}  # with what they are of

    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> Cones:
        """True cones with support, then false cones that a network vouches for."""
        truth, detections = scene.truth, inputs.get("Detections")
        returns = _cone_returns(inputs.get("SegmentedScan"))
        by_lidar = _near(truth.positions, returns, REACH)
        boxes = self._box_of_cones(scene, detections, context)
        by_camera = boxes != NONE
        made, colours = _as_made(truth, value)
        found = (by_lidar | by_camera | made).nonzero()[:, 0]
        if detections is not None and bool(by_camera.any()):
            classes = _classes(inputs, detections)[boxes[by_camera]]
            right = colours[by_camera] == truth.classes[by_camera]  # what it knows it may keep
            colours[by_camera] = torch.where(right, colours[by_camera], classes)
        source = CAMERA * by_camera.long() + LIDAR * by_lidar.long()
        perfect = _sure_cones(truth.positions[found], colours[found], source[found])
        return _joined(perfect, _persisting(scene, value, detections, returns, boxes))

    def _box_of_cones(
        self, scene: TrueScene, detections: Detections | None, context: FrameContext
    ) -> Tensor:
        """As :func:`_box_of_cones`, remembered: many sets of components share it."""
        key = (id(scene), id(detections), id(context))
        if key not in self._boxes:
            of = (scene, detections, context)  # kept, so that no other object gets its id
            self._boxes[key] = of, _box_of_cones(*of)
        return self._boxes[key][1]


def _classes(inputs: Mapping[str, Any], detections: Detections) -> Tensor:
    """``(K,)`` class of each box: by the classifier where there is one, it sees more."""
    colours = inputs.get("ConeColours")
    logits = detections.logits if colours is None else colours.logits
    return logits.detach().argmax(-1)


def _cone_returns(segmented: SegmentedScan | None) -> Tensor:
    """``(R, 2)`` returns that the network labels as cones, in the frame of the scan [m]."""
    if segmented is None:
        return torch.zeros(0, 2)
    is_cone = (segmented.logits.detach() > 0) & segmented.ranges.isfinite()
    ranges, angles = segmented.ranges[is_cone], segmented.angles[is_cone]
    points = torch.stack([ranges * angles.cos(), ranges * angles.sin()], dim=-1)
    if segmented.motions is None:
        return points
    x, y, turn = segmented.motions[is_cone].unbind(-1)
    cos, sin = turn.cos(), turn.sin()
    return torch.stack(
        [cos * points[:, 0] - sin * points[:, 1] + x, sin * points[:, 0] + cos * points[:, 1] + y],
        dim=-1,
    )


def _near(places: Tensor, others: Tensor, distance: float) -> Tensor:
    """``(N,)`` mask of places with another one near."""
    if not len(others) or not len(places):
        return torch.zeros(len(places), dtype=torch.bool)
    return torch.cdist(places.float(), others.float()).amin(1) <= distance


def _box_of_cones(scene: TrueScene, detections: Detections | None, context: FrameContext) -> Tensor:
    """``(N,)`` box of each true cone as the given calibration projects it, NONE without one."""
    calibration = context.calibration
    if detections is None or calibration is None:
        return torch.full((len(scene.truth.positions),), NONE)
    outlines = cone_outlines(
        scene.truth.positions.float(),
        scene.truth.classes,
        moved_camera(calibration.camera_from_lidar, context.motion),
        calibration.camera,
        calibration.ground_z,
        calibration.up,
    )
    return match_boxes(outlines, detections)


def _as_made(truth: TrueCones, value: Cones | None) -> tuple[Tensor, Tensor]:
    """What the stage finds by itself: ``(N,)`` mask of cones, and their colours."""
    found = torch.zeros(len(truth.positions), dtype=torch.bool)
    colours = torch.full((len(found),), int(ConeClass.UNKNOWN))
    if value is None or not len(value.source) or not len(found):
        return found, colours
    exists = value.existence_logits.detach() > 0
    apart = torch.cdist(truth.positions.float(), value.positions.detach().float())
    apart[:, ~exists] = torch.inf
    nearest, rows = apart.min(1)
    found = nearest <= REACH
    colours[found] = value.colours.detach().argmax(-1)[rows[found]]
    return found, colours


def _persisting(
    scene: TrueScene,
    value: Cones | None,
    detections: Detections | None,
    returns: Tensor,
    boxes: Tensor,
) -> Cones | None:
    """Rows of what the stage makes that are false, and that a network vouches for by itself."""
    if value is None or not len(value.existence_logits):
        return None
    exists = value.existence_logits.detach().sigmoid() >= PERSISTS
    false = exists & ~_near(value.positions.detach(), scene.truth.positions, REACH)
    vouched = _near(value.positions.detach(), returns, REACH)
    if detections is not None and len(detections.logits):
        free = torch.ones(len(detections.logits), dtype=torch.bool)
        free[boxes[boxes != NONE]] = False
        if bool((free & speaks(detections, PERSISTS)).any()):
            vouched = vouched | (value.source == CAMERA)
    kept = (false & vouched).nonzero()[:, 0]
    return value.rows(kept)


def _sure_cones(positions: Tensor, classes: Tensor, source: Tensor) -> Cones:
    count = len(positions)
    return Cones(
        positions.float(),
        (VARIANCE * torch.eye(2)).expand(count, 2, 2),
        one_hot(classes, len(COLOUR_NAMES)).float(),
        torch.full((count,), SURE),
        source,
    )


def _joined(perfect: Cones, false: Cones | None) -> Cones:
    if false is None or not len(false.source):
        return perfect
    columns = zip(perfect, false, strict=True)
    return Cones._make(
        None if a is None or b is None else torch.cat([a, b.detach().to(a)]) for a, b in columns
    )
