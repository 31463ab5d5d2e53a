"""The fusion without gradient, several times faster: its operations recorded once."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.monocular import BoxRays, box_rays
from conegrad_core.fusion.segments import SegmentBeams, group_beams
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import SegmentedScan

# Recorded ahead: without motion, and with that of conegrad_core.geometry.odometry.sensor_motion.
MOTIONS: tuple[tuple[Tensor, ...], ...] = ((), (torch.eye(4),))
WARM_UP_RUNS = 2  # in which torch optimises a recording


class TracedFuser:
    """Runs a fuser as it is now: same operations on the same numbers, without Python in between.

    Some 700 operations on small tensors make a fusion; started one by one from Python they take
    three times as long as their work, and keep other threads waiting meanwhile. They are recorded
    at the first pair of a calibration, which takes some tenths of a second; no later pair waits.

    Args:
        fuser: later changes of its scalars count from the next calibration on.
    """

    def __init__(self, fuser: Fuser) -> None:
        self._fuser = fuser.eval()
        self._calibration: Calibration | None = None
        self._graphs: dict[tuple[Any, ...], Any] = {}  # by shape and type of a motion

    def __call__(
        self,
        segmented: SegmentedScan | None,
        detections: Detections | None,
        calibration: Calibration | None,
        motion: Tensor | None = None,
    ) -> Cones:
        """As :meth:`Fuser.forward`; the results have no gradient."""
        with torch.inference_mode():
            if segmented is None or detections is None or calibration is None:
                alone: Cones = self._fuser(segmented, detections, calibration, motion)
                return alone
            beams = group_beams(segmented, self._fuser.config)
            moved = () if motion is None else (motion,)
            candidates = (*beams, *box_rays(detections, calibration.camera))
            if self._calibration is not calibration:
                self._calibration, self._graphs = calibration, {}
                for likely in MOTIONS:
                    self._graph(calibration, candidates, likely)
            return Cones(*self._graph(calibration, candidates, moved)(*candidates, *moved))

    def _graph(
        self, calibration: Calibration, candidates: tuple[Tensor, ...], moved: tuple[Tensor, ...]
    ) -> Any:
        key = tuple((motion.shape, motion.dtype) for motion in moved)
        if key not in self._graphs:
            fusion = _FixedFusion(self._fuser, calibration)
            self._graphs[key] = _recorded(fusion, (*candidates, *moved))
        return self._graphs[key]


class _FixedFusion(nn.Module):
    """The fusion of one calibration, from plain tensors to plain tensors."""

    def __init__(self, fuser: Fuser, calibration: Calibration) -> None:
        super().__init__()
        self.fuser = fuser
        self._calibration = calibration

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Fields of SegmentBeams, of BoxRays, and the motion if there is one, to those of Cones."""
        first, last = len(SegmentBeams._fields), len(SegmentBeams._fields) + len(BoxRays._fields)
        motion = inputs[last] if len(inputs) > last else None
        beams, rays = SegmentBeams(*inputs[:first]), BoxRays(*inputs[first:last])
        return tuple(self.fuser.fuse(beams, rays, self._calibration, motion))


def _recorded(fusion: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about shapes, which are checked, and the tracer's age
        graph = torch.jit.freeze(torch.jit.trace(fusion.eval(), inputs, check_trace=False))
        for _ in range(WARM_UP_RUNS):
            graph(*inputs)
        return graph
