"""LiDAR node in training mode: the segmenter learns from gradients that come over a topic."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch
from conegrad_msgs.msg import SegmentationGradient

from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.lidar.segmenter import ScanSegmenter, save_segmenter
from conegrad_nodes.decode import stamp_ns_from_msg
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.parameters import declare_config
from conegrad_nodes.running import run
from conegrad_nodes.worker import Arrived
from conegrad_training.gradient_exchange import ExchangeConfig, GradientExchange
from conegrad_training.gradient_messages import segmentation_gradient_from_msg
from conegrad_training.gradient_service import GradientService
from conegrad_training.optimizers import OptimizerConfig, make_part_optimizer
from conegrad_training.system import FILES, LIDAR
from conegrad_training.training_mode import TrainingModeConfig, set_training


class TrainingLidarNode(LidarNode):
    """The LiDAR node, which also keeps the graph of each output and learns.

    Besides what the LiDAR node does it subscribes to ``segmentation_gradients``
    (conegrad_msgs/SegmentationGradient) and publishes ``gradient_receipts``.
    Parameters: those of the LiDAR node; ``optimizer.``, ``exchange.`` and ``training.`` with the
    fields of OptimizerConfig, ExchangeConfig and TrainingModeConfig.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._optimizer_config = declare_config(self, OptimizerConfig, "optimizer")
        self._exchange_config = declare_config(self, ExchangeConfig, "exchange")
        self._mode = declare_config(self, TrainingModeConfig, "training")
        # The only engine with gradients.
        self._segmenter_config = dataclasses.replace(self._segmenter_config, engine="torch")
        self._service: GradientService | None = None
        self._stamp_ns: int | None = None  # of the scan in the segmenter; None: a warm-up

    def load(self) -> None:
        """Load the segmenter, its optimizer, and serve gradients."""
        super().load()
        segmenter = self._loaded()
        set_training(segmenter, self._mode)
        self._exchange = GradientExchange(
            segmenter,
            make_part_optimizer(LIDAR, segmenter, self._optimizer_config),
            self._exchange_config,
            max_grad_norm=self._optimizer_config.max_grad_norm,
        )
        self._service = GradientService(
            self,
            self._exchange,
            SegmentationGradient,
            "segmentation_gradients",
            decode=segmentation_gradient_from_msg,
            save=self._save,
        )

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        if self._service is not None:
            self._service.close()
            self._service = None
        super().release()

    def warm_up(self) -> None:
        """Start the thread of the segmenter; its first run must not change the statistics."""
        segmenter = self._loaded()
        segmenter.eval()
        self._stamp_ns = None
        super().warm_up()
        set_training(segmenter, self._mode)

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the scan."""
        self._stamp_ns = stamp_ns_from_msg(arrived.msg.header.stamp)
        super().process(arrived)

    def _segment(self, scan: Scan) -> SegmentedScan:
        segmenter = self._loaded()
        if self._stamp_ns is None:
            with torch.no_grad():
                return segmenter.segment(scan)
        with self._exchange.lock:
            found = segmenter.segment(scan)
            self._exchange.remember(self._stamp_ns, (found.logits,), time.monotonic())
        return found

    def _loaded(self) -> ScanSegmenter:
        if self._segmenter is None:
            raise RuntimeError("the segmenter runs before it is loaded")
        return self._segmenter

    def _save(self) -> Path:
        segmenter, path = self._loaded(), self._mode.file(FILES[LIDAR])
        save_segmenter(segmenter.network, path, segmenter.metadata)
        return path


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_lidar_node``."""
    run([TrainingLidarNode])


if __name__ == "__main__":
    main()
