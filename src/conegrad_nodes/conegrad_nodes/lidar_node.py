"""LiDAR node: scans or point clouds in, per-beam evidence of cones out."""

from typing import Any

import numpy as np
import torch

from conegrad_core.lidar.ground_plane import find_ground
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_data.decode import stamp_ns_from_msg
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.hosted_part import HostedPart
from conegrad_nodes.node_base.image_in_flight import wait_for_image
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import LidarNodeConfig
from conegrad_nodes.parameters.pipeline_settings import known_to_nodes
from conegrad_nodes.pipeline_hosts import LIDAR_NODE, pipeline_hosts
from conegrad_nodes.port_messages.registry import port_message
from conegrad_nodes.port_messages.scan import SCAN

WARM_UP_BEAMS = 1081
WARM_UP_RUNS = 3
FLAT_GROUND = np.array([[x, y, -0.5] for x in range(1, 9) for y in range(-4, 5)], dtype=np.float64)


class LidarNode(SensorNode):
    """Publishes what the stages that only need the scan make of the latest one.

    For the car that is the stage ``segmenter`` with the cone evidence of each beam.

    Subscribes: ``scan`` (sensor_msgs/LaserScan) or ``points`` (sensor_msgs/PointCloud2).
    Publishes: each port that other stages read or that is a result, with the header of the scan,
    such as ``segmentation`` (conegrad_msgs/ScanSegmentation);
    ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds);
    ``/diagnostics``.
    Parameters: the fields of :class:`LidarNodeConfig`; the name of each stage and the fields of its
    settings, such as ``segmenter.`` and those of
    :class:`conegrad_core.lidar.segmenter.SegmenterConfig`; ``reduction.`` and those of
    :class:`conegrad_core.lidar.reduction.ReductionConfig`; ``sweep.`` and those of
    :class:`conegrad_core.lidar.sweep.SweepConfig`.

    Raises:
        PipelineError: if the pipeline cannot be used, or has no such stage.
    """

    watched = "Scan"

    def __init__(self, **node_options: Any) -> None:
        super().__init__(LIDAR_NODE, **node_options)
        self._config: LidarNodeConfig = declare_config(self, LidarNodeConfig)
        hosts = pipeline_hosts(self._config.pipeline)
        self.hosted = HostedPart(self._config.pipeline, hosts.lidar, LIDAR_NODE)
        self.declare_stages()
        published = hosts.crossing(hosts.lidar)
        self._published = {port: port_message(hosts.kinds[port]) for port in published}
        self._reader = ScanReader(
            declare_config(self, ReductionConfig, "reduction"),
            declare_config(self, SweepConfig, "sweep"),
        )
        self._warnings: tuple[str, ...] = ()  # of the latest message
        self._finds_car = self._config.input == "points"
        self._is_car_told = False
        self.subscribe_to(SCAN.sources[self._config.input], self._config.input)

    def known_parameters(self) -> list[str] | None:
        """Those of all nodes of the pipeline."""
        return known_to_nodes(self._config.pipeline)

    def load(self) -> None:
        """Load the stages and create the outputs."""
        super().load()
        self.watch_domain(self._config.monitor)
        self.open_outputs(self._published)

    def warm_up(self) -> None:
        """Run the models on something plain, then wait for real messages."""
        if self._config.input == "points":
            find_ground(FLAT_GROUND)
        angles = torch.linspace(-2.35, 2.35, WARM_UP_BEAMS)
        for _ in range(WARM_UP_RUNS):
            self.run_stages({"scan": Scan(torch.full((WARM_UP_BEAMS,), 5.0), angles)})
        self.start_worker()

    def check(self) -> list[PartStatus]:
        """Further: doubts about the latest message, the own car."""
        found = super().check()
        if self._finds_car and self._reader.car is not None:
            is_found = self._reader.car.outline is not None
            cause = "found" if is_found else "not found yet"
            found.append(PartStatus("own car", Level.OK, cause, str(self._reader.car)))
        if self._warnings:
            found.append(PartStatus("scan", Level.WARN, "doubtful", "; ".join(self._warnings)))
        return found

    def process(self, arrived: Arrived) -> None:
        """Publish what the stages make of a scan or of a cloud."""
        wait_for_image(self.context, self._config.image_wait)
        scan, details, self._warnings = SCAN.received(self._reader.read(arrived.msg))
        self._tell_car()
        self.deliver(arrived, self.run_stages({"scan": scan}), arrived.msg.header, details)
        self._domain.observe(scan, stamp_ns_from_msg(arrived.msg.header.stamp))

    def _tell_car(self) -> None:
        """Log once where the own car is."""
        car = self._reader.car
        if self._finds_car and not self._is_car_told and car is not None and car.outline:
            self._is_car_told = True
            self.get_logger().info(f"{car}; reduction.find_car: false keeps them")


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes lidar_node``."""
    run([LidarNode])
