"""LiDAR node: scans or point clouds in, per-beam evidence of cones out."""

from typing import Any

import numpy as np
import torch

from conegrad_core.lidar.ground_plane import find_ground
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import SegmenterConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.pipeline.build import DEFAULT
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.hosted_stage import HostedStage
from conegrad_nodes.node_base.qos import RESULTS
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import LidarNodeConfig
from conegrad_nodes.port_messages.scan import SCAN
from conegrad_nodes.port_messages.segmented_scan import SEGMENTED_SCAN

WARM_UP_BEAMS = 1081
WARM_UP_RUNS = 3
FLAT_GROUND = np.array([[x, y, -0.5] for x in range(1, 9) for y in range(-4, 5)], dtype=np.float64)


class LidarNode(SensorNode):
    """Publishes the cone evidence of each beam of the latest scan: the stage ``segmenter``.

    Subscribes: ``scan`` (sensor_msgs/LaserScan) or ``points`` (sensor_msgs/PointCloud2).
    Publishes: ``segmentation`` (conegrad_msgs/ScanSegmentation) with the header of the scan;
    ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds);
    ``/diagnostics``.
    Parameters: the fields of :class:`LidarNodeConfig`; ``segmenter.`` and the fields of
    :class:`conegrad_core.lidar.segmenter.SegmenterConfig`; ``reduction.`` and those of
    :class:`conegrad_core.lidar.reduction.ReductionConfig`; ``sweep.`` and those of
    :class:`conegrad_core.lidar.sweep.SweepConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("lidar_node", **node_options)
        self.hosted = HostedStage(DEFAULT, "segmenter")
        self._config: LidarNodeConfig = declare_config(self, LidarNodeConfig)
        self.declare_loaded(SegmenterConfig, "segmenter")
        self._reader = ScanReader(
            declare_config(self, ReductionConfig, "reduction"),
            declare_config(self, SweepConfig, "sweep"),
        )
        self._warnings: tuple[str, ...] = ()  # of the latest message
        self.subscribe_to(SCAN.sources[self._config.input], self._config.input)

    def load(self) -> None:
        """Load the segmenter and create the output."""
        super().load()
        self._output = self.create_lifecycle_publisher(
            SEGMENTED_SCAN.msgtype, "segmentation", RESULTS
        )

    def warm_up(self) -> None:
        """Run the models on something plain, then wait for real messages."""
        if self._config.input == "points":
            find_ground(FLAT_GROUND)
        angles = torch.linspace(-2.35, 2.35, WARM_UP_BEAMS)
        for _ in range(WARM_UP_RUNS):
            self.run_stage({"scan": Scan(torch.full((WARM_UP_BEAMS,), 5.0), angles)})
        self.start_worker()

    def release(self) -> None:
        """Drop the segmenter and the output."""
        if self.hosted.is_loaded:
            self.hosted.release()
            self.destroy_lifecycle_publisher(self._output)

    def check(self) -> list[PartStatus]:
        """Further: what is probably wrong with the latest message."""
        found = super().check()
        if self._warnings:
            found.append(PartStatus("scan", Level.WARN, "doubtful", "; ".join(self._warnings)))
        return found

    def process(self, arrived: Arrived) -> None:
        """Publish the segmentation of a scan or of a cloud."""
        scan, details, self._warnings = SCAN.received(self._reader.read(arrived.msg))
        segmented = self.run_stage({"scan": scan})["segmentation"]
        msg = SEGMENTED_SCAN.encode(segmented, arrived.msg.header, details)
        self.deliver(self._output, arrived, msg, segmented)


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes lidar_node``."""
    run([LidarNode])
