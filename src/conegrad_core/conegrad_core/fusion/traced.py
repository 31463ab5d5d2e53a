"""The fusion without gradient, several times faster: its operations recorded once."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CLASS_NAMES, ConePositions, Cones
from conegrad_core.fusion.fuser import Fuser, check_rows
from conegrad_core.fusion.monocular import BoxRays, box_rays
from conegrad_core.fusion.onnx_graph import OnnxGraph
from conegrad_core.fusion.segments import SegmentBeams, group_beams
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.distortion import distortion_limit
from conegrad_core.geometry.transforms import optical_from_body
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.recorded_graph import record

# Recorded ahead: without motion, and with that of conegrad_core.geometry.odometry.sensor_motion.
MOTIONS: tuple[Tensor | None, ...] = (None, torch.eye(4))
EXAMPLE_BEAMS, EXAMPLE_HEIGHT = 64, 0.3  # of a recording ahead: beams, height of the LiDAR [m]
GEOMETRY = 5  # inputs of a graph that say where the sensors are
MAX_STRUCTURES = 8  # torch never frees a recording (8 MB); beyond, the fusion runs as it is

FIELDS = len(Cones._fields) - 1  # of the cones that a fusion makes: it gives no identities

Structure = tuple[Any, ...]  # what a recording has as constants
Graphs = dict[Structure, Any]  # recordings of one structure, by what else is given


class TracedFuser:
    """Runs a fuser as it is now: same operations on the same numbers, without Python in between.

    Some 700 operations on small tensors make a fusion; started one by one from Python they take
    three times as long as their work, and keep other threads waiting meanwhile. They are recorded
    at the first pair of a kind of camera, which takes some tenths of a second; no later pair waits.
    The numbers of a calibration are inputs of the recording, so that they may change at any pair;
    only another image size, distortion model or number of coefficients is recorded anew, and a
    LiDAR that hangs the other way up.

    Args:
        fuser: later changes of its scalars do not count.
    """

    def __init__(self, fuser: Fuser) -> None:
        self._fuser = fuser.eval()
        self._calibration: Calibration | None = None  # the latest, with what is made of it
        self._geometry: tuple[Tensor, ...] = ()
        self._graphs: Graphs | None = None  # of the latest structure; None: not recorded
        self._known: dict[Structure, Graphs] = {}

    def __call__(
        self,
        segmented: SegmentedScan | None,
        detections: Detections | None,
        calibration: Calibration | None,
        motion: Tensor | None = None,
        positions: ConePositions | None = None,
        colours: ConeColours | None = None,
    ) -> Cones:
        """As :meth:`Fuser.forward`; the results have no gradient."""
        with torch.inference_mode():
            arguments = (segmented, detections, calibration, motion, positions, colours)
            if segmented is None or detections is None or calibration is None:
                return self._as_it_is(*arguments)
            check_rows(detections, positions, colours)
            beams = group_beams(segmented, self._fuser.config)
            candidates = (*beams, *box_rays(detections, calibration.camera))
            extras = _Extras(motion, positions, colours)
            if self._calibration is not calibration:
                self._take(calibration)
                for likely in MOTIONS:
                    self._graph(calibration, candidates, extras._replace(motion=likely))
            graph = self._graph(calibration, candidates, extras)
            is_empty = not len(beams.counts) or not len(detections.logits)
            if graph is None or (is_empty and isinstance(graph, OnnxGraph)):
                return self._as_it_is(*arguments)
            return Cones(*graph(*candidates, *self._geometry, *extras.tensors()))

    def prepare(self, camera: CameraModel) -> None:
        """Record ahead for a kind of camera, with a LiDAR that does not hang upside down."""
        angles = torch.linspace(-1.0, 1.0, EXAMPLE_BEAMS)
        ranges = torch.full_like(angles, torch.nan)
        ranges[4:8], ranges[20:23] = 4.0, 7.0  # two cones
        scan = SegmentedScan(ranges, angles, torch.zeros_like(angles))
        u, v = 0.5 * camera.width, 0.6 * camera.height
        boxes = torch.tensor([[u, v, u + 20, v + 40], [u + 60, v, u + 80, v + 40]])
        detections = Detections(boxes, torch.zeros(2, len(CLASS_NAMES)))
        self(scan, detections, Calibration(camera, optical_from_body(), EXAMPLE_HEIGHT, 1.0))

    def _as_it_is(self, *arguments: Any) -> Cones:
        cones: Cones = self._fuser(*arguments)
        return cones

    def _take(self, calibration: Calibration) -> None:
        camera = calibration.camera
        limit = distortion_limit(camera.distortion, camera.distortion_model)
        like = calibration.camera_from_lidar
        self._geometry = (
            camera.intrinsics,
            camera.distortion,
            like.new_tensor(limit),
            like,
            like.new_tensor(calibration.lidar_height),
        )
        numbers = ((value.shape, value.dtype) for value in self._geometry)
        kind = (camera.width, camera.height, camera.distortion_model, calibration.up)
        structure = (*kind, *numbers)
        if structure not in self._known and len(self._known) < MAX_STRUCTURES:
            self._known[structure] = {}
        self._graphs = self._known.get(structure)
        self._calibration = calibration

    def _graph(
        self, calibration: Calibration, candidates: tuple[Tensor, ...], extras: "_Extras"
    ) -> Any:
        if self._graphs is None:
            return None
        key = extras.structure()
        if key not in self._graphs:
            fusion = _PlainFusion(self._fuser, calibration.camera, calibration.up, extras)
            inputs = (*candidates, *self._geometry, *extras.tensors())
            if self._fuser.config.engine == "onnx":
                self._graphs[key] = OnnxGraph(fusion, inputs, extras.sizes(), FIELDS)
            else:
                self._graphs[key] = record(fusion, inputs)
        return self._graphs[key]


class _Extras(NamedTuple):
    """What a pair may have and may lack."""

    motion: Tensor | None
    positions: ConePositions | None
    colours: ConeColours | None

    def tensors(self) -> tuple[Tensor, ...]:
        """All that is there, in its order."""
        motion = () if self.motion is None else (self.motion,)
        return (*motion, *(self.positions or ()), *(self.colours or ()))

    def sizes(self) -> tuple[str, ...]:
        """For each input of a graph, the name of its first dimension where that may change."""
        beams = ("beams",) * 4 + ("segments", "", "", "beams", "")
        rest = ("",) * (GEOMETRY + (self.motion is not None))
        boxes = len(self.positions or ()) + len(self.colours or ())
        return beams + ("boxes",) * len(BoxRays._fields) + rest + ("boxes",) * boxes

    def structure(self) -> Structure:
        """Which of them are there, and how: a recording serves one structure."""
        there = tuple(extra is not None for extra in self)
        return there + tuple((tensor.shape[1:], tensor.dtype) for tensor in self.tensors())

    def of(self, tensors: Sequence[Tensor]) -> "_Extras":
        """The same structure with other tensors."""
        rest = iter(tensors)
        return _Extras(
            None if self.motion is None else next(rest),
            None if self.positions is None else ConePositions(next(rest), next(rest)),
            None if self.colours is None else ConeColours(next(rest)),
        )


class _PlainFusion(nn.Module):
    """The fusion for one kind of camera and mounting, from plain tensors to plain tensors."""

    def __init__(self, fuser: Fuser, kind: CameraModel, up: float, extras: _Extras) -> None:
        super().__init__()
        self.fuser = fuser
        self._kind = kind
        self._up = up
        self._extras = extras

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """To the first :data:`FIELDS` fields of Cones.

        Args:
            inputs: fields of SegmentBeams, of BoxRays; intrinsics, distortion, its largest radius,
                ``camera_from_lidar``, height of the LiDAR; and tensors of the extras.
        """
        first, last = len(SegmentBeams._fields), len(SegmentBeams._fields) + len(BoxRays._fields)
        beams, rays = SegmentBeams(*inputs[:first]), BoxRays(*inputs[first:last])
        intrinsics, distortion, limit, camera_from_lidar, height = inputs[last : last + GEOMETRY]
        camera = self._kind._replace(intrinsics=intrinsics, distortion=distortion, max_radius=limit)
        calibration = Calibration(camera, camera_from_lidar, cast(float, height), self._up)
        extras = self._extras.of(inputs[last + GEOMETRY :])
        cones = self.fuser.fuse(beams, rays, calibration, *extras)
        return tuple(tensor for tensor in cones[:FIELDS] if tensor is not None)
