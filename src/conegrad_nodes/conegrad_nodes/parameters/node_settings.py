"""Settings of every node; below the nodes, so that tables and checks need no node for them."""

from dataclasses import dataclass

from conegrad_core.camera.detector import DetectorConfig
from conegrad_core.cone_tracks import TrackConfig
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.fusion.config import FuserConfig, SelectionConfig
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.segmenter import SegmenterConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.processes.supervision import SupervisionConfig
from conegrad_core.settings import Config, setting
from conegrad_core.timing.pairing import PairingConfig
from conegrad_data.calibration.calibration_source import CalibrationConfig

PIPELINE = "Pipeline by name or the path of its file, or a recorded system: NAME@ALIAS, NAME/7"
IMAGE_TRANSPORTS = ("raw", "compressed")
MONITOR = "File of conegrad monitor fit, or clear: frames unlike its drives are told; empty: none"
CONE_FORMATS = ("eufs", "fs", "vision")
LIDAR_INPUTS = ("scan", "points")


@dataclass(frozen=True)
class SensorNodeConfig(Config):
    """Settings of a node with one input."""

    autostart: bool = setting(True, "Configure and activate without being asked")
    reliability: str = setting("best_effort", "QoS of the input: best_effort or reliable")
    depth: int = setting(1, "QoS of the input: messages that wait at most", low=1, high=1000)
    input_timeout: float = setting(1.0, "The input counts as stopped after this [s]", low=0.01)
    stamp_tolerance: float = setting(1.0, "Stamps may be this far off the clock [s]", low=0.0)


@dataclass(frozen=True)
class CameraNodeConfig(SensorNodeConfig):
    """Settings of the camera node."""

    pipeline: str = setting(DEFAULT, PIPELINE)
    image_transport: str = setting("raw", "raw: image_raw; compressed: image_raw/compressed")
    monitor: str = setting("", MONITOR)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("image_transport", IMAGE_TRANSPORTS)


@dataclass(frozen=True)
class LidarNodeConfig(SensorNodeConfig):
    """Settings of the LiDAR node."""

    pipeline: str = setting(DEFAULT, PIPELINE)
    input: str = setting("scan", "scan: LaserScan; points: PointCloud2, reduced to a planar scan")
    monitor: str = setting("", MONITOR)
    image_wait: float = setting(
        0.02,
        "Longest wait of a scan for an image that the same process works on [s]; 0: none",
        low=0.0,
        high=0.1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("input", LIDAR_INPUTS)


@dataclass(frozen=True)
class ConeOutputConfig(SelectionConfig):
    """Which cones are published, and what they carry."""

    track_ids: bool = setting(
        False, "Cones carry an id for as long as odometry tracks them; positions stay as they are"
    )


@dataclass(frozen=True)
class FusionNodeConfig(ConeOutputConfig):
    """Settings of the fusion node."""

    pipeline: str = setting(DEFAULT, PIPELINE)
    autostart: bool = setting(True, "Configure and activate without being asked")
    reliability: str = setting("reliable", "QoS of the results of camera and LiDAR")
    depth: int = setting(10, "QoS of the results of camera and LiDAR: queue", low=1, high=1000)
    sensor_reliability: str = setting("best_effort", "QoS of camera_info and odom")
    odom_depth: int = setting(50, "QoS of odom: queue", low=1, high=10000)
    input_timeout: float = setting(1.0, "An input counts as stopped after this [s]", low=0.01)
    stamp_tolerance: float = setting(1.0, "Stamps may be this far off the clock [s]", low=0.0)


@dataclass(frozen=True)
class StageNodeConfig(SensorNodeConfig):
    """Settings of a node for any stage."""

    pipeline: str = setting(DEFAULT, PIPELINE)
    stage: str = setting("", "Name of the stage in the pipeline")
    image_transport: str = setting("raw", "Of an image: raw or compressed, as of the camera node")
    input: str = setting("scan", "Of a scan: scan or points, as of the LiDAR node")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("image_transport", IMAGE_TRANSPORTS)
        self.check_choice("input", LIDAR_INPUTS)


@dataclass(frozen=True)
class ConeConverterConfig(Config):
    """Settings of the node that publishes cones as messages of another stack."""

    format: str = setting("eufs", "eufs, fs or vision: whose messages")
    min_existence: float = setting(
        0.5, "Cones that exist less probably are left out", low=0.0, high=1.0
    )
    autostart: bool = setting(True, "Configure and activate without being asked")
    reliability: str = setting("reliable", "QoS of cones: best_effort or reliable")
    depth: int = setting(5, "QoS of cones: messages that wait at most", low=1, high=1000)
    input_timeout: float = setting(1.0, "The input counts as stopped after this [s]", low=0.01)
    stamp_tolerance: float = setting(1.0, "Stamps may be this far off the clock [s]", low=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("format", CONE_FORMATS)


@dataclass(frozen=True)
class ProgramConfig(Config):
    """Parameters of the program that runs several nodes; all nodes have them alike."""

    pipeline: str = setting(DEFAULT, PIPELINE)
    stages: str = setting(
        "composed", "Of camera and LiDAR: composed, or apart in nodes of their own"
    )
    nodes: tuple[str, ...] = setting((), "Names of the nodes to run; empty: all of the pipeline")


@dataclass(frozen=True)
class LifecycleManagerConfig(Config):
    """Settings of the lifecycle manager."""

    nodes: tuple[str, ...] = setting(
        ("camera_node", "lidar_node", "fusion_node"), "Nodes to look after, in the same namespace"
    )
    end_silent: bool = setting(True, "End the process of a silent node, for launch to restart it")
    launcher: int = setting(
        0,
        "Number of the process whose children alone are ended; 0: that which started this node",
        low=0,
    )


# Settings of each node of the perception, by the prefix of their parameters.
NODE_SETTINGS: dict[str, dict[str, type[Config]]] = {
    "camera_node": {"": CameraNodeConfig, "detector": DetectorConfig},
    "lidar_node": {
        "": LidarNodeConfig,
        "segmenter": SegmenterConfig,
        "reduction": ReductionConfig,
        "sweep": SweepConfig,
    },
    "fusion_node": {
        "": FusionNodeConfig,
        "fuser": FuserConfig,
        "pairing": PairingConfig,
        "calibration": CalibrationConfig,
        "tracks": TrackConfig,
        "consistency": ConsistencyConfig,
    },
}
# Of nodes beside the perception, which share no parameters with it.
OTHER_SETTINGS: dict[str, list[tuple[str, type[Config]]]] = {
    "stage_node": [("", StageNodeConfig)],
    "perception": [("", ProgramConfig)],
    "cone_converter": [("", ConeConverterConfig)],
    "lifecycle_manager": [("", LifecycleManagerConfig), ("", SupervisionConfig)],
}
