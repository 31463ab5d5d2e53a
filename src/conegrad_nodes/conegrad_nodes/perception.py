"""All three nodes in one process."""

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.running import run


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes perception``."""
    run([CameraNode, LidarNode, FusionNode])


if __name__ == "__main__":
    main()
