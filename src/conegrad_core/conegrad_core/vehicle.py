"""Vehicle presets: where the sensors sit and what they are, read from ``config/vehicles``."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from conegrad_core.geometry.calibration import Calibration, mounted_calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.presets import find_preset, preset_names
from conegrad_core.settings import Config, required, setting
from conegrad_core.settings.mapping import Location, read_config
from conegrad_core.settings.yaml_file import read_yaml_file

DISTORTION_LENGTHS = {
    "none": (0,),
    "plumb_bob": (4, 5),
    "rational_polynomial": (8,),
    "equidistant": (4,),
}


@dataclass(frozen=True)
class Mounting(Config):
    """Pose of a sensor's body frame (x forward, y left, z up) in ``base_link``."""

    x: float = required("Forward of the rear axle [m]", low=-10.0, high=10.0)
    y: float = required("Left of the centre line [m]", low=-10.0, high=10.0)
    z: float = required("Above the ground [m]", low=0.0, high=10.0)
    roll: float = required("About x [rad]", low=-math.pi, high=math.pi)
    pitch: float = required("About y, positive looks down [rad]", low=-math.pi, high=math.pi)
    yaw: float = required("About z, positive looks left [rad]", low=-math.pi, high=math.pi)

    def base_from_sensor(self) -> Tensor:
        """``(4, 4)`` rigid transform from the sensor's body frame to ``base_link``."""
        place = torch.tensor([self.x, self.y, self.z], dtype=torch.float64)
        roll, pitch, yaw = torch.tensor([self.roll, self.pitch, self.yaw], dtype=torch.float64)
        return mounting_matrix(place, roll, pitch, yaw)


@dataclass(frozen=True)
class LidarPreset(Config):
    """A planar LiDAR and its place on the car."""

    mounting: Mounting
    beams: int = required("Beams per scan", low=2)
    angle_min: float = required("Angle of the first beam [rad]", low=-2 * math.pi, high=math.pi)
    angle_increment: float = required("Angle between two beams [rad]", low=1e-5, high=0.5)
    rate: float = required("Scans per second [Hz]", low=0.1, high=1000.0)
    range_min: float = required("Shortest valid range [m]", low=0.0)
    range_max: float = required("Longest valid range [m]", low=0.1)
    scan_duration: float = setting(
        0.0, "From the first to the last beam; 0: all beams at once [s]", low=0.0, high=0.5
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scan_duration > 1 / self.rate:
            fault = f"is {self.scan_duration} s at {self.rate} scans per second"
            raise self.refusal("scan_duration", f"{fault}, expected at most {1 / self.rate:g} s")

    def angles(self) -> Tensor:
        """``(beams,)`` angle of each beam, counter-clockwise, 0 ahead [rad]."""
        steps = torch.arange(self.beams, dtype=torch.float64)
        return (self.angle_min + self.angle_increment * steps).float()


@dataclass(frozen=True)
class CameraPreset(Config):
    """A camera and its place on the car; ``hfov`` or ``intrinsics`` gives its focal length."""

    mounting: Mounting
    width: int = required("Image width [px]", low=16)
    height: int = required("Image height [px]", low=16)
    rate: float = required("Images per second [Hz]", low=0.1, high=1000.0)
    distortion_model: str = required(f"One of {', '.join(DISTORTION_LENGTHS)}")
    distortion: tuple[float, ...] = required("Distortion coefficients")
    hfov: float | None = None
    intrinsics: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("distortion_model", list(DISTORTION_LENGTHS))
        lengths = DISTORTION_LENGTHS[self.distortion_model]
        if len(self.distortion) not in lengths:
            found = f"has {len(self.distortion)} values"
            raise self.refusal(
                "distortion", f"{found}, expected {lengths} for {self.distortion_model}"
            )
        if (self.hfov is None) == (self.intrinsics is None):
            found = f"is {self.hfov} and intrinsics is {self.intrinsics}"
            raise self.refusal("hfov", f"{found}, expected exactly one of them")
        if self.hfov is not None and not 0.1 <= self.hfov <= 3.0:
            raise self.refusal("hfov", f"is {self.hfov}, expected a value in [0.1, 3.0]")
        if self.intrinsics is not None and len(self.intrinsics) != 4:
            raise self.refusal(
                "intrinsics", f"is {self.intrinsics}, expected [fx, fy, cx, cy] in px"
            )

    def model(self) -> CameraModel:
        """The camera model; with ``hfov`` the principal point is the image centre."""
        fx, fy, cx, cy = self.intrinsics or self._centred_intrinsics()
        matrix = torch.tensor([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
        return CameraModel(
            self.width, self.height, matrix, torch.tensor(self.distortion), self.distortion_model
        )

    def _centred_intrinsics(self) -> tuple[float, float, float, float]:
        focal = self.width / 2 / math.tan((self.hfov or 1.0) / 2)
        return focal, focal, self.width / 2, self.height / 2


@dataclass(frozen=True)
class EvaluationPreset(Config):
    """Limits of the evaluation of this vehicle."""

    match_distance: float = required("Largest distance of a match [m]", low=0.01)
    max_range: float = required("Truth beyond this range is ignored [m]", low=0.1)


@dataclass(frozen=True)
class CloudLidarPreset(Config):
    """A 3-D LiDAR that turns all round, and its place on the car where it is fitted instead."""

    mounting: Mounting
    rings: int = required("Beams above each other", low=2)
    columns: int = required("Beams per turn and ring", low=16)
    elevation_min: float = required("Of the lowest ring [rad]", low=-1.5, high=1.5)
    elevation_max: float = required("Of the highest ring [rad]", low=-1.5, high=1.5)
    rate: float = required("Turns per second [Hz]", low=0.1, high=1000.0)
    range_min: float = required("Shortest valid range [m]", low=0.0)
    range_max: float = required("Longest valid range [m]", low=0.1)


@dataclass(frozen=True)
class ChassisPreset(Config):
    """Size and limits of a car with four wheels that steers in front and drives behind."""

    wheel_base: float = required("From the rear to the front axle [m]", low=0.05, high=10.0)
    track_width: float = required("Between the middles of two wheels [m]", low=0.05, high=5.0)
    wheel_radius: float = required("[m]", low=0.01, high=1.0)
    wheel_width: float = required("[m]", low=0.005, high=1.0)
    wheel_mass: float = required("Of one wheel [kg]", low=0.01)
    mass: float = required("Of the whole car [kg]", low=0.1)
    body_front: float = required("Nose, forward of the rear axle [m]", low=0.0, high=10.0)
    body_rear: float = required("Tail, behind the rear axle [m]", low=0.0, high=10.0)
    body_width: float = required("[m]", low=0.01, high=5.0)
    body_height: float = required("Of the body, without its clearance [m]", low=0.01, high=5.0)
    ground_clearance: float = required("Below the body [m]", low=0.0, high=1.0)
    steering_limit: float = required("Largest steering angle [rad]", low=0.01, high=1.2)
    max_speed: float = required("[m/s]", low=0.1, high=100.0)
    max_acceleration: float = required("Also of braking [m/s^2]", low=0.1, high=100.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.mass > 4 * self.wheel_mass:
            expected = f"expected more than that of four wheels, {4 * self.wheel_mass}"
            raise self.refusal("mass", f"is {self.mass}, {expected}")


@dataclass(frozen=True)
class Vehicle(Config):
    """A car with one planar LiDAR and one camera.

    ``chassis`` and ``cloud_lidar`` are needed only to simulate the car itself.
    """

    lidar: LidarPreset
    camera: CameraPreset
    evaluation: EvaluationPreset
    name: str = required("Name of the preset")
    cone_spacing_scale: float = required("Track size relative to full size", low=0.05, high=10.0)
    chassis: ChassisPreset | None = None
    cloud_lidar: CloudLidarPreset | None = None

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Vehicle":
        """A preset by its name, or the path of its file; see :func:`load_vehicle`."""
        return load_vehicle(name_or_path)

    def calibration(self) -> Calibration:
        """Where the sensors are, as the fusion takes it."""
        return mounted_calibration(
            self.camera.model(),
            self.camera_from_lidar(),
            self.lidar.mounting.base_from_sensor(),
        )

    def camera_from_base(self) -> Tensor:
        """``(4, 4)`` float64 transform from ``base_link`` into the camera's optical frame."""
        return optical_from_body(torch.float64) @ rigid_inverse(
            self.camera.mounting.base_from_sensor()
        )

    def camera_from_lidar(self) -> Tensor:
        """``(4, 4)`` rigid transform from the LiDAR frame into the camera's optical frame."""
        return camera_from_lidar(self.camera.mounting, self.lidar.mounting)

    @property
    def lidar_height(self) -> float:
        """Height of the scan plane above the ground at the LiDAR [m]."""
        return self.lidar.mounting.z


def camera_from_lidar(camera: Mounting, lidar: Mounting) -> Tensor:
    """``(4, 4)`` transform from the LiDAR frame into the optical frame of the camera."""
    camera_from_base = optical_from_body(torch.float64) @ rigid_inverse(camera.base_from_sensor())
    return (camera_from_base @ lidar.base_from_sensor()).float()


def load_vehicle(name_or_path: str | Path) -> Vehicle:
    """Read a vehicle preset by its name in ``config/vehicles`` or by the path of its YAML file.

    Raises:
        FileNotFoundError: if there is no such preset; names the places searched.
        ValueError: naming file, line, key, value and what was expected.
    """
    document = read_yaml_file(find_preset("vehicles", name_or_path))
    return read_config(Vehicle, document.content, Location(document.place))


def vehicle_names() -> list[str]:
    """Names of the presets that :func:`load_vehicle` finds."""
    return preset_names("vehicles")
