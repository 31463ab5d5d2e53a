"""The monitor: every check of a frame, and the reasons for which its cones are degraded."""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from conegrad_core.consistency.agreement import Agreement, agreement, together
from conegrad_core.consistency.carried_cones import CarriedCones
from conegrad_core.consistency.frame import ObservedFrame
from conegrad_core.consistency.ray_table import RayTable
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.repetition import Repetition
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.consistency.sides import Sides
from conegrad_core.consistency.sudden_change import SuddenChange
from conegrad_core.timing.pairing import CAMERA, LIDAR

USUAL_CONES = 4.0  # fewer cones say nothing by their number
USUAL_RETURNS = 0.05  # share of the beams
SECOND = 1e9
NEW_RUN = 2.0  # [s] back or ahead, after which everything begins anew


class ConsistencyMonitor:
    """Compares sensors with each other and with their past, frame after frame.

    Each reason has a stable name:

    - ``camera_lost``, ``lidar_lost``: the frame has no image or no scan;
    - ``odometry_lost``: there was odometry, and there is none at the stamp;
    - ``stamps_apart``: image and scan are far apart in time;
    - ``camera_frozen``, ``lidar_frozen``: the same again while the car moves;
    - ``camera_misses``, ``lidar_misses``: cones of the one are not seen by the other;
    - ``sensors_contradict``: neither confirms the other;
    - ``bearing_offset``: cones of both are apart in bearing: extrinsics or stamps are wrong;
    - ``colours_changed``: cones change their colour from frame to frame;
    - ``colours_swapped``: blue cones on the right, yellow ones on the left;
    - ``odometry_drifts``: cones do not stand still when odometry carries them on;
    - ``cones_vanished``, ``returns_vanished``: suddenly far fewer than before;

    and the alarms of the sensors' nodes (``image_unlike``, ``scan_unlike``).

    Args:
        config: thresholds.
        sensors: that are expected.
    """

    def __init__(
        self, config: ConsistencyConfig | None = None, sensors: Sequence[str] = (CAMERA, LIDAR)
    ) -> None:
        self._config, self._sensors = config or ConsistencyConfig(), tuple(sensors)
        self._rays: RayTable | None = None  # of the camera
        self.clear()

    def clear(self) -> None:
        """Begin a new run."""
        window = self._config.window
        self._images, self._scans = Repetition(), Repetition()
        self._agreements: deque[Agreement] = deque(maxlen=window)
        self._carried, self._sides = CarriedCones(window), Sides(2 * window)
        self._cone_counts = SuddenChange(USUAL_CONES)
        self._returns = SuddenChange(USUAL_RETURNS)
        self._stamp_ns: int | None = None
        self._odometry_ns: int | None = None

    def observe(self, frame: ObservedFrame) -> tuple[Reason, ...]:
        """Take a frame; why its cones are degraded, nothing if they are not."""
        if not self._config.enabled:
            return frame.alarms
        newest = self._stamp_ns
        if newest is not None and abs(frame.stamp_ns - newest) > NEW_RUN * SECOND:
            self.clear()
        self._stamp_ns = frame.stamp_ns
        self._take(frame)
        return (*self._of_presence(frame), *self._of_past(), *self._of_comparison(), *frame.alarms)

    def figures(self) -> dict[str, float]:
        """What the thresholds are compared with, by the name of the setting."""
        seen = together(self._agreements)
        return {
            "camera_confirms": seen.camera_share,
            "lidar_confirms": seen.lidar_share,
            "either_confirms": seen.better_share,
            "bearing": abs(seen.bearing),
            "colours_changed": self._carried.colours_changed,
            "colours_swapped": self._sides.wrong,
            "drift": self._carried.drift,
            "count_left": self._cone_counts.left,
            "returns_left": self._returns.left,
        }

    def _take(self, frame: ObservedFrame) -> None:
        if frame.image is not None and frame.image_ns is not None:
            boxes = frame.image.boxes_xyxy.detach().numpy()
            self._images.observe(frame.image_ns, boxes, frame.pose)
        if frame.scan is not None and frame.scan_ns is not None:
            ranges = frame.scan.ranges.numpy()
            is_return = np.isfinite(ranges)
            # Without any return nothing is compared: so it is on an open field.
            content = ranges if is_return.any() else ranges[:0]
            self._scans.observe(frame.scan_ns, content, frame.pose)
            self._returns.observe(float(is_return.mean()))
        self._compare(frame)
        self._carried.observe(frame)
        self._sides.observe(frame)
        self._cone_counts.observe(len(frame.cones.positions))
        if frame.pose is not None:
            self._odometry_ns = frame.stamp_ns

    def _compare(self, frame: ObservedFrame) -> None:
        """Compare both sensors; where one is missing, what was compared before is forgotten."""
        found = None
        if frame.calibration is not None:
            camera = frame.calibration.camera
            if self._rays is None or self._rays.camera is not camera:
                self._rays = RayTable(camera)
            found = agreement(frame, self._rays, self._config.range_max)
        if found is None:
            self._agreements.clear()
        else:
            self._agreements.append(found)

    def _of_presence(self, frame: ObservedFrame) -> Iterator[Reason]:
        """Of what is not there."""
        for sensor, given in ((CAMERA, frame.image_ns), (LIDAR, frame.scan_ns)):
            if sensor in self._sensors and given is None:
                yield Reason(f"{sensor}_lost", frame.why_alone or "it is left out")
        if frame.pose is None and self._odometry_ns is not None:
            age = (frame.stamp_ns - self._odometry_ns) / SECOND
            yield Reason("odometry_lost", f"no odometry for {age:.1f} s: motion is not corrected")
        if abs(frame.lag) > self._config.stamps_apart:
            yield Reason(
                "stamps_apart", f"image and scan are {abs(frame.lag):.2f} s apart: check clocks"
            )

    def _of_past(self) -> Iterator[Reason]:
        """Of each sensor against its own past."""
        config = self._config
        for name, content in (("camera", self._images), ("lidar", self._scans)):
            if content.is_frozen:
                text = f"it sends the same again while the car moved {content.way:.2f} m"
                yield Reason(f"{name}_frozen", text)
        if (changed := self._carried.colours_changed) > config.colours_changed:
            text = f"{100 * changed:.0f} % of the known cones changed their colour"
            yield Reason("colours_changed", text)
        if (wrong := self._sides.wrong) > config.colours_swapped:
            text = f"{100 * wrong:.0f} % of the near cones have the colour of the other side"
            yield Reason("colours_swapped", text)
        if (drift := self._carried.drift) > config.drift:
            text = f"standing cones drift by {drift:.2f} m per metre driven: check the odometry"
            yield Reason("odometry_drifts", text)
        if (left := self._cone_counts.left) < config.count_left:
            yield Reason("cones_vanished", f"{100 * left:.0f} % of the usual cones are left")
        if (left := self._returns.left) < config.returns_left:
            yield Reason("returns_vanished", f"{100 * left:.0f} % of the usual returns are left")

    def _of_comparison(self) -> Iterator[Reason]:
        """Of camera against LiDAR."""
        config, seen = self._config, together(self._agreements)
        of_lidar = f"{seen.both} of {seen.lidar} cones of the LiDAR"
        of_camera = f"{seen.both} of {seen.camera} cones of the camera"
        if seen.better_share < config.either_confirms:
            text = f"both see {of_lidar} and {of_camera}"
            yield Reason("sensors_contradict", text)
        elif seen.camera_share < config.camera_confirms:
            yield Reason("camera_misses", f"the camera sees {of_lidar}")
        elif seen.lidar_share < config.lidar_confirms:
            yield Reason("lidar_misses", f"the LiDAR sees {of_camera}")
        if abs(seen.bearing) > config.bearing:
            side = "left" if seen.bearing > 0 else "right"
            yield Reason(
                "bearing_offset",
                f"cones of the camera are {abs(seen.bearing):.1f} degrees {side} of the LiDAR's: "
                "check extrinsics and stamps",
            )
