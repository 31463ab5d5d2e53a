"""From a pair to its cones: the same for the live graph and for a run without it."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cone_tracks import ConeTracks, TrackConfig
from conegrad_core.cones import Cones, UnusableConesError, check_cones
from conegrad_core.consistency.frame import ObservedFrame
from conegrad_core.consistency.monitor import ConsistencyMonitor
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry import camera
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.mounting import Ground, ground_of
from conegrad_core.geometry.odometry import sensor_motion
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.lidar.sweep import sweep_span, with_motions
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.timing.pairing import Pair
from conegrad_data.calibration.calibration_source import CalibrationError, CalibrationSource
from conegrad_data.recording.motion import moved_cones
from conegrad_nodes.parameters.node_settings import ConeOutputConfig
from conegrad_nodes.pipeline_hosts import PipelineHosts

V = TypeVar("V")

LONG_SCAN = 0.02  # [s]; at 10 m/s a cone is then 0.2 m off where motion is not compensated
SKEWED_SCANS = 3  # one after the other, before the warning: odometry may begin later
LOST_PAIRS = 3  # likewise, of pairs whose cones cannot be tracked


class SensorResult(NamedTuple):
    """What the stages made of one message; both sides of a pair are of this kind.

    Attributes:
        stamp_ns: of capture [ns].
        frame: of the message.
        values: of the ports of this sensor that the fusion reads, such as ``detections``.
        image_size: width and height [px]; None for a scan, or where no message states it.
        arrival: ``time.perf_counter()`` when the message arrived; 0 without the live graph.
        alarms: what the node of the sensor doubts about the message.
    """

    stamp_ns: int
    frame: str
    values: Mapping[str, Any]
    image_size: tuple[int, int] | None = None
    arrival: float = 0.0
    alarms: tuple[Reason, ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """Times of the first and the last beam of a scan after its stamp [s]."""
        return next(
            (sweep_span(scan) for scan in self.values.values() if is_scan(scan)), (0.0, 0.0)
        )


class FusedPair(NamedTuple):
    """Cones of one pair.

    Attributes:
        cones: above the lowest existence, each once.
        frame: in which the cones are: of the scan, for an image alone of the newest scan, or where
            none took part yet, of the base.
        ground: in that frame.
        reasons: why the cones are degraded; empty if they are not.
    """

    cones: Cones
    frame: str
    ground: Ground
    reasons: tuple[Reason, ...] = ()


class PairFusion:
    """Looks the calibration of a pair up, checks the pair against it, and runs the fusion on it.

    Args:
        graph: the pipeline, or the part of it that the fusion node runs.
        hosts: of the pipeline.
        calibration: where the sensors are.
        output: which candidates are published, and whether they carry identities.
        tracks: how cones are tracked for these.
        consistency: settings of the monitor that says whether the cones are degraded.

    Attributes:
        camera_frame: of the newest image.
        lidar_frame: of the newest scan; cones of an image alone are in it, too. Without any scan
            they are in the frame of the base.
    """

    def __init__(
        self,
        graph: Pipeline,
        hosts: PipelineHosts,
        calibration: CalibrationSource,
        output: ConeOutputConfig,
        tracks: TrackConfig,
        consistency: ConsistencyConfig | None = None,
    ) -> None:
        self._graph, self._cones = graph, hosts.cones
        self._none = dict.fromkeys((*hosts.camera_ports, *hosts.lidar_ports))
        self._calibration = calibration
        self._output = output
        self._tracks = ConeTracks(tracks) if output.track_ids else None
        self._origin, self._lost = 0, 0
        self.camera_frame = self.lidar_frame = ""
        self._duration, self._skewed = 0.0, 0
        self._monitor = ConsistencyMonitor(consistency, hosts.sensors)

    def needed(self, *, with_camera: bool) -> tuple[Calibration | None, Tensor]:
        """Calibration of the newest frames, and ``base_from_lidar`` ``(4, 4)``.

        Raises:
            CalibrationError: naming what is missing.
        """
        return self._calibration.needed(
            self.camera_frame,
            self.lidar_frame,
            with_camera=with_camera,
            with_lidar=bool(self.lidar_frame),
        )

    def forget(self) -> None:
        """Let the monitor begin a new run."""
        self._monitor.clear()

    def figures(self) -> dict[str, float]:
        """What the thresholds of the monitor are compared with, of the newest pair."""
        return self._monitor.figures()

    def motion_warning(self) -> str:
        """Why cones are off while the car moves: the latest scans take long, without odometry."""
        if self._skewed < SKEWED_SCANS:
            return ""
        return (
            f"scans take {self._duration:.3f} s and no odometry covers them: motion within the "
            f"scan is not compensated, cones are up to {self._duration:.2f} m off for each m/s of "
            "speed; publish odom"
        )

    def identity_warning(self) -> str:
        """Why the latest cones have no identities although they are asked for; empty if they do."""
        if self._lost < LOST_PAIRS:
            return ""
        return (
            "cones have no id: track_ids is set, and no odometry covers their stamps; publish odom"
        )

    def _identities(self, cones: Cones, pair: Pair, base_from_lidar: Tensor) -> Tensor | None:
        """``(M,)`` identities of cones, 0 where no odometry covers them; None if not tracked."""
        if self._tracks is None:
            return None
        self._lost = self._lost + 1 if pair.pose is None else 0
        if pair.pose is None:
            return torch.zeros(len(cones.source), dtype=torch.int64)
        if pair.origin != self._origin:
            self._tracks.clear()
            self._origin = pair.origin
        in_base = moved_cones(cones, base_from_lidar)
        positions, covariances = in_base.positions.double(), in_base.covariances.double()
        seconds = pair.stamp_ns / 1e9
        return torch.from_numpy(
            self._tracks.add(positions.numpy(), covariances.numpy(), pair.pose, seconds)
        )

    def _watch_motion(self, scan: Scan | SegmentedScan) -> None:
        first, last = sweep_span(scan)
        self._duration = last - first
        is_skewed = scan.motions is None and self._duration >= LONG_SCAN
        self._skewed = self._skewed + 1 if is_skewed else 0

    @torch.inference_mode()
    def fuse(self, pair: Pair) -> FusedPair:
        """Cones of a pair whose sides are each a :class:`SensorResult` or None.

        Raises:
            CalibrationError: if a part of the calibration is not known, or does not fit the pair.
            UnusableConesError: if the sides do not fit together, or the result is not finite; it
                must not be published.
        """
        image, scan = pair.detections, pair.segmentation
        lidar_frame = scan.frame if scan else self.lidar_frame
        calibration, base_from_lidar = self._calibration.needed(
            image.frame if image else "",
            lidar_frame,
            with_camera=image is not None,
            with_lidar=scan is not None,
        )
        if image is not None and calibration is not None:
            check_image_size(image, calibration)
        motion = None if pair.motion is None else sensor_motion(pair.motion, base_from_lidar)
        values = self._none | dict(image.values if image else {})
        for port, value in (scan.values if scan else {}).items():
            if is_scan(value):
                value = with_motions(value, pair.path, base_from_lidar)
                self._watch_motion(value)
            values[port] = value
        given = {port: [value] for port, value in values.items()}
        context = FrameContext(calibration, motion)
        try:
            candidates: Cones = self._graph(given, [context], [self._cones])[self._cones][0]
        except ValueError as error:  # such as keypoints of other detections
            raise UnusableConesError(str(error)) from error
        if bool(candidates.existence_logits.isnan().any()):
            raise UnusableConesError("existence of cones is not finite")
        output = self._output
        cones = select_cones(candidates, output.min_existence, output.merge_distance)
        check_cones(cones)
        cones = cones._replace(ids=self._identities(cones, pair, base_from_lidar))
        frame = self._calibration.cone_frame(lidar_frame)
        seen = _observed(pair, cones, base_from_lidar, calibration, motion)
        reasons = self._monitor.observe(seen)
        return FusedPair(cones, frame, ground_of(base_from_lidar), reasons)


def _observed(
    pair: Pair,
    cones: Cones,
    base_from_lidar: Tensor,
    calibration: Calibration | None,
    motion: Tensor | None,
) -> ObservedFrame:
    """What the monitor looks at."""
    image, scan = pair.detections, pair.segmentation
    return ObservedFrame(
        pair.stamp_ns,
        cones,
        base_from_lidar.double().numpy(),
        pair.pose,
        _value_of(image, Detections),
        image.stamp_ns if image else None,
        _value_of(scan, SegmentedScan),
        scan.stamp_ns if scan else None,
        calibration,
        None if motion is None else motion.double().numpy(),
        pair.lag,
        pair.reason,
        tuple(alarm for side in (image, scan) if side for alarm in side.alarms),
    )


def _value_of(side: SensorResult | None, container: type[V]) -> V | None:
    """Value of a kind that a side has; None without one."""
    values = side.values.values() if side else ()
    return next((value for value in values if isinstance(value, container)), None)


def is_scan(value: Any) -> bool:
    """Whether a value has beams, which were measured at times of their own."""
    return isinstance(value, Scan | SegmentedScan)


def check_image_size(image: SensorResult, calibration: Calibration) -> None:
    """Refuse intrinsics of another image size: all boxes would be in the wrong place.

    Raises:
        CalibrationError: with both sizes.
    """
    if image.image_size is None:
        return
    try:
        camera.check_image_size(calibration.camera, *image.image_size)
    except ValueError as error:
        raise CalibrationError(str(error)) from error
