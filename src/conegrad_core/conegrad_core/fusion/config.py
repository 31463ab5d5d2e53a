"""Settings of the fusion that are not learned, and of the selection after it."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting

ENGINES = ("auto", "torch", "onnx")
MIN_EXISTENCE = 0.5  # probability of existence from which on a candidate counts as a cone
MERGE_DISTANCE = 0.3  # [m], closer than this no two cones of a track stand


@dataclass(frozen=True)
class SelectionConfig(Config):
    """Which candidates are published."""

    min_existence: float = setting(
        MIN_EXISTENCE, "Lowest probability of existence that is published", low=0.001, high=0.999
    )
    merge_distance: float = setting(
        MERGE_DISTANCE, "Cones nearer to each other are one [m]", low=0.0
    )


@dataclass(frozen=True)
class FuserConfig(Config):
    """Settings of the fusion; the learned scalars are in :mod:`conegrad_core.fusion.scalars`."""

    weights: str = setting("", "Path of fusion.safetensors; empty for the built-in values")
    engine: str = setting(
        "auto", "auto, torch or onnx: what runs the fusion without gradient; auto: torch"
    )
    min_range: float = setting(0.3, "Returns nearer than this are ignored [m]", low=0.0)
    max_range: float = setting(25.0, "Returns beyond this range are ignored [m]", low=1.0)
    gap: float = setting(0.12, "Gap between neighbouring returns that splits at 0 m [m]", low=0.0)
    gap_slope: float = setting(0.012, "Growth of the gap per metre of range", low=0.0)
    max_missing_beams: int = setting(4, "More beams without return than this split", low=0)
    max_extent: float = setting(0.5, "Segments wider than this are no cones [m]", low=0.05)
    split_extent: float = setting(
        0.3, "Wider segments are also split where the cone probability crosses 0.5 [m]", low=0.0
    )
    max_segments: int = setting(96, "Candidates kept per scan, by mean beam logit", low=1)
    weight_floor: float = setting(
        0.02, "Weight of a beam with cone probability 0 in a segment's position", low=1e-6
    )
    cone_width: float = setting(0.13, "Width of a cone at the height of the scan [m]", low=0.01)
    camera_range: float = setting(
        15.0, "Nearer than this the camera should see every cone in its view [m]", low=0.0
    )
    rounds: int = setting(8, "Rounds of the optimal transport", low=1)
    camera_angle_error: float = setting(
        0.003,
        "Standard deviation of the stated rotation between camera and LiDAR, and of the stated "
        "tilt of the camera; 0: exact, as in a simulation [rad]",
        low=0.0,
        high=0.1,
    )
    camera_range_error: float = setting(
        0.02,
        "Standard deviation of the camera's scale of ranges, relative: focal length, height of the "
        "camera, size of the cones; 0: exact",
        low=0.0,
        high=0.5,
    )
    odometry_error: float = setting(
        0.02,
        "Standard deviation of the odometry's speed and yaw rate, relative: of the motion that is "
        "compensated between stamps and within a scan",
        low=0.0,
        high=1.0,
    )
    border: float = setting(
        2.0, "Boxes nearer than this to the image border count as cut [px at width 640]", low=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("engine", ENGINES)
