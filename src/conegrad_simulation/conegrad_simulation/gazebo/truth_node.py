"""Truth node: the poses of Gazebo's world in, the true cones around the car out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_msgs.msg import TruthCones
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, LaserScan, PointCloud2
from std_msgs.msg import Header

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.recording.base_odometry import BaseOdometry
from conegrad_nodes.encode import truth_to_msg
from conegrad_nodes.node_base.input_watch import InputWatch
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.qos import RESULTS, input_qos
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.static_transforms import TF_STATIC
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_simulation.gazebo.moved_cones import moved_cones_from_msg
from conegrad_simulation.gazebo.true_frames import TrueFrames
from conegrad_simulation.scene.scene_file import load_scene

SENSORS: dict[str, tuple[str, Any]] = {
    "planar": ("scan", LaserScan),
    "cloud": ("points", PointCloud2),
}
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class TruthNodeConfig(Config):
    """Settings of the truth node."""

    scene: str = setting("", "scene.json of the exported world; has to be given")
    vehicle: str = setting("formula_student", "Vehicle preset by name, or a YAML file")
    lidar: str = setting("planar", "LiDAR that the car carries: planar or cloud")
    input_timeout: float = setting(1.0, "An input counts as stopped after this [s]", low=0.01)
    stamp_tolerance: float = setting(1.0, "Stamps may be this far off the clock [s]", low=0.0)


class TruthNode(Node):
    """Publishes the true cones at the stamp of each image and of each scan or cloud.

    Subscribes: ``truth/odom`` (nav_msgs/Odometry, the true pose of the car), ``truth/cone_poses``
    (tf2_msgs/TFMessage, where tf2_msgs is installed; cones that were moved), ``camera_info``
    (sensor_msgs/CameraInfo), ``scan`` (sensor_msgs/LaserScan) or ``points``
    (sensor_msgs/PointCloud2) for their stamps.
    Publishes: ``truth`` (conegrad_msgs/TruthCones), in the frame of the LiDAR; ``/diagnostics``.
    Parameters: the fields of :class:`TruthNodeConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("truth_node", **node_options)
        config = declare_config(self, TruthNodeConfig)
        if not config.scene:
            raise ValueError("parameter scene of truth_node is empty, expected a path")
        scene = load_scene(Path(config.scene).expanduser())
        self._frames = TrueFrames(scene, load_vehicle(config.vehicle), config.lidar)
        self._base = BaseOdometry.of_frames(StaticFrames(()))
        self._publisher = self.create_publisher(TruthCones, "truth", RESULTS)
        self._inputs = InputWatch(self, self._declared_inputs(config))

    def _declared_inputs(self, config: TruthNodeConfig) -> list[Input]:
        qos = input_qos("best_effort", 10)
        limits: dict[str, Any] = {
            "timeout": config.input_timeout,
            "stamp_tolerance": config.stamp_tolerance,
        }
        sensor, msgtype = SENSORS[config.lidar]
        inputs = [
            Input(self, Odometry, "truth/odom", self._on_pose, qos, **limits),
            Input(self, CameraInfo, "camera_info", self._on_camera, qos, **limits),
            Input(self, msgtype, sensor, self._on_lidar, qos, **limits),
        ]
        if TF_STATIC is None:
            self.get_logger().warning("tf2_msgs is not installed: moved cones are not tracked")
            return inputs
        moved = {**limits, "is_optional": True, "is_latched": True}  # silent while cones stand
        return [*inputs, Input(self, TF_STATIC, "truth/cone_poses", self._on_cones, qos, **moved)]

    def start(self) -> None:
        """Do nothing: the node works from the first message on."""

    def _on_camera(self, msg: CameraInfo, arrival: float) -> None:
        self._frames.request(stamp_ns_from_msg(msg.header.stamp), "camera")

    def _on_lidar(self, msg: Any, arrival: float) -> None:
        self._frames.request(stamp_ns_from_msg(msg.header.stamp), "lidar")

    def _on_pose(self, msg: Odometry, arrival: float) -> None:
        self._frames.add_pose(stamp_ns_from_msg(msg.header.stamp), self._base.pose(msg))
        for stamp_ns, truth in self._frames.take_ready():
            header = Header(frame_id="lidar")
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, NANOSECONDS)
            ground_z = -self._frames.mounting.z
            self._publisher.publish(truth_to_msg(truth, header, ground_z))

    def _on_cones(self, msg: Any, arrival: float) -> None:
        for cone in moved_cones_from_msg(msg):
            try:
                self._frames.move_cone(cone.row, cone.position, cone.rotation)
            except IndexError as error:
                raise DecodeError(str(error)) from error


def main() -> None:
    """Entry point of ``ros2 run conegrad_simulation truth_node``."""
    run([TruthNode])


if __name__ == "__main__":
    main()
