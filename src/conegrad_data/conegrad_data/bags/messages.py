"""Makes the messages that importers and the simulator write into bags, without ROS."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rosbags.serde import SerdeError

from conegrad_data.bags.types import BagError, default_typestore

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.cones import TrueCones

FloatArray = npt.NDArray[np.floating[Any]]

NANOSECONDS = 1_000_000_000
POINT_FIELD_UINT16 = 4
POINT_FIELD_FLOAT32 = 7  # sensor_msgs/PointField.FLOAT32
# Name of a distortion model in the core, and in sensor_msgs/CameraInfo. A camera without
# distortion is a plumb_bob one with zeros, as its drivers publish it.
CAMERA_INFO_MODELS = {"none": "plumb_bob"}


def make(msgtype: str, **fields: Any) -> Any:
    """A message of the default types, every field given."""
    return default_typestore().types[msgtype](**fields)


def deserialized(data: bytes, msgtype: str) -> Any:
    """The message object of CDR bytes of one of the default types.

    Raises:
        BagError: if the bytes do not fit the type.
    """
    try:
        return default_typestore().deserialize_cdr(data, msgtype)
    except (SerdeError, ValueError, IndexError) as error:
        raise BagError(f"{len(data)} bytes do not fit {msgtype} ({error})") from error


def time_msg(stamp_ns: int) -> Any:
    """builtin_interfaces/Time of a stamp [ns]."""
    seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
    return make("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)


def header_msg(stamp_ns: int, frame: str) -> Any:
    """std_msgs/Header."""
    return make("std_msgs/msg/Header", stamp=time_msg(stamp_ns), frame_id=frame)


def compressed_image_msg(stamp_ns: int, frame: str, data: bytes, image_format: str) -> Any:
    """sensor_msgs/CompressedImage of an encoded picture; format is ``jpeg`` or ``png``."""
    return make(
        "sensor_msgs/msg/CompressedImage",
        header=header_msg(stamp_ns, frame),
        format=image_format,
        data=np.frombuffer(data, dtype=np.uint8),
    )


def image_msg(stamp_ns: int, frame: str, image: npt.NDArray[np.uint8]) -> Any:
    """sensor_msgs/Image, rgb8, of a ``(height, width, 3)`` picture."""
    height, width, channels = image.shape
    return make(
        "sensor_msgs/msg/Image",
        header=header_msg(stamp_ns, frame),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=width * channels,
        data=np.ascontiguousarray(image).reshape(-1),
    )


def camera_info_msg(
    stamp_ns: int,
    frame: str,
    size: tuple[int, int],
    intrinsics: FloatArray,
    distortion: Sequence[float],
    model: str,
) -> Any:
    """sensor_msgs/CameraInfo of an unrectified camera.

    Args:
        stamp_ns: stamp of the image [ns].
        frame: optical frame.
        size: width and height [px].
        intrinsics: ``(3, 3)`` camera matrix K [px].
        distortion: coefficients of the model; empty for ``none``.
        model: ``none``, ``plumb_bob``, ``rational_polynomial`` or ``equidistant``.
    """
    k = np.asarray(intrinsics, dtype=np.float64)
    projection = np.hstack([k, np.zeros((3, 1))])
    return make(
        "sensor_msgs/msg/CameraInfo",
        header=header_msg(stamp_ns, frame),
        height=size[1],
        width=size[0],
        distortion_model=CAMERA_INFO_MODELS.get(model, model),
        d=np.asarray(distortion if len(distortion) else [0.0] * 5, dtype=np.float64),
        k=k.reshape(9),
        r=np.eye(3).reshape(9),
        p=projection.reshape(12),
        binning_x=0,
        binning_y=0,
        roi=make(
            "sensor_msgs/msg/RegionOfInterest",
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        ),
    )


def scan_msg(
    stamp_ns: int,
    frame: str,
    ranges: FloatArray,
    *,
    angle_min: float,
    angle_increment: float,
    range_min: float,
    range_max: float,
    scan_time: float,
    duration: float = 0.0,
) -> Any:
    """sensor_msgs/LaserScan; a beam without a return (NaN here) becomes +inf, as REP-117 asks.

    The last beam is measured ``duration`` [s] after the stamp, which is that of the first.
    """
    return make(
        "sensor_msgs/msg/LaserScan",
        header=header_msg(stamp_ns, frame),
        angle_min=angle_min,
        angle_max=angle_min + angle_increment * (len(ranges) - 1),
        angle_increment=angle_increment,
        time_increment=duration / max(1, len(ranges) - 1),
        scan_time=scan_time,
        range_min=range_min,
        range_max=range_max,
        ranges=np.where(np.isnan(ranges), np.inf, ranges).astype(np.float32),
        intensities=np.zeros(0, dtype=np.float32),
    )


def points_msg(
    stamp_ns: int,
    frame: str,
    points: FloatArray,
    rings: npt.NDArray[np.integer] | None = None,
    times: FloatArray | None = None,
) -> Any:
    """sensor_msgs/PointCloud2 of ``(N, 3)`` points x, y, z [m], or ``(N, 4)`` with intensity.

    With ``(N,)`` rings and ``(N,)`` times after the stamp [s] it has the fields ring and time too.
    """
    columns = dict(zip(("x", "y", "z", "intensity"), points.T, strict=False))
    columns |= {} if rings is None else {"ring": rings}
    columns |= {} if times is None else {"time": times}
    kinds = {name: np.uint16 if name == "ring" else np.float32 for name in columns}
    records = np.empty(len(points), dtype=list(kinds.items()))
    for name, values in columns.items():
        records[name] = values
    sizes = [np.dtype(kind).itemsize for kind in kinds.values()]
    offsets = np.cumsum([0, *sizes[:-1]]).tolist()
    types = {np.uint16: POINT_FIELD_UINT16, np.float32: POINT_FIELD_FLOAT32}
    fields = [
        make("sensor_msgs/msg/PointField", name=name, offset=offset, datatype=types[kind], count=1)
        for (name, kind), offset in zip(kinds.items(), offsets, strict=True)
    ]
    step = records.dtype.itemsize
    return make(
        "sensor_msgs/msg/PointCloud2",
        header=header_msg(stamp_ns, frame),
        height=1,
        width=len(records),
        fields=fields,
        is_bigendian=False,
        point_step=step,
        row_step=step * len(records),
        data=records.view(np.uint8).reshape(-1),
        is_dense=bool(np.isfinite(np.asarray(points)).all()),
    )


def odometry_msg(
    stamp_ns: int,
    pose: tuple[float, float, float],
    *,
    speed: float = 0.0,
    yaw_rate: float = 0.0,
    frame: str = "odom",
    child_frame: str = "base_link",
) -> Any:
    """nav_msgs/Odometry of a planar pose (x, y [m], yaw [rad]) of the child in the frame."""
    x, y, yaw = pose
    twist = make(
        "geometry_msgs/msg/Twist",
        linear=_vector(speed, 0.0, 0.0),
        angular=_vector(0.0, 0.0, yaw_rate),
    )
    position = make("geometry_msgs/msg/Point", x=x, y=y, z=0.0)
    quaternion = (0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))
    return make(
        "nav_msgs/msg/Odometry",
        header=header_msg(stamp_ns, frame),
        child_frame_id=child_frame,
        pose=make(
            "geometry_msgs/msg/PoseWithCovariance",
            pose=make(
                "geometry_msgs/msg/Pose", position=position, orientation=_quaternion(quaternion)
            ),
            covariance=np.zeros(36),
        ),
        twist=make("geometry_msgs/msg/TwistWithCovariance", twist=twist, covariance=np.zeros(36)),
    )


def transforms_msg(stamp_ns: int, transforms: Sequence[tuple[str, str, FloatArray]]) -> Any:
    """tf2_msgs/TFMessage of rigid transforms.

    Args:
        stamp_ns: stamp [ns].
        transforms: parent frame, child frame and ``(4, 4)`` ``parent_from_child``.
    """
    return make(
        "tf2_msgs/msg/TFMessage",
        transforms=[
            make(
                "geometry_msgs/msg/TransformStamped",
                header=header_msg(stamp_ns, parent),
                child_frame_id=child,
                transform=make(
                    "geometry_msgs/msg/Transform",
                    translation=_vector(*(float(v) for v in matrix[:3, 3])),
                    rotation=_quaternion(quaternion_from_rotation(matrix[:3, :3])),
                ),
            )
            for parent, child, matrix in transforms
        ],
    )


def truth_msg(stamp_ns: int, frame: str, truth: "TrueCones", ground_z: float) -> Any:
    """conegrad_msgs/TruthCones; ``ground_z`` is the height of the ground in the frame [m]."""
    from conegrad_core.cones import ConeClass

    deviations = truth.variances().sqrt()
    rows = zip(*(column.tolist() for column in (*truth[:4], deviations)), strict=True)
    return make(
        "conegrad_msgs/msg/TruthCones",
        header=header_msg(stamp_ns, frame),
        cones=[
            make(
                "conegrad_msgs/msg/TruthCone",
                position=make("geometry_msgs/msg/Point", x=x, y=y, z=ground_z),
                colour=colour_number(ConeClass(cone_class).name),
                visible_camera=visible_camera,
                visible_lidar=visible_lidar,
                deviation=deviation,
            )
            for (x, y), cone_class, visible_camera, visible_lidar, deviation in rows
        ],
    )


def colour_number(name: str) -> int:
    """Constant of conegrad_msgs/Cone by its name, such as ``BLUE``."""
    return int(getattr(default_typestore().types["conegrad_msgs/msg/Cone"], name))


def quaternion_from_rotation(rotation: FloatArray) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w) of a ``(3, 3)`` rotation matrix."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = (float(v) for v in Rotation.from_matrix(rotation).as_quat())
    return x, y, z, w


def _vector(x: float, y: float, z: float) -> Any:
    return make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)


def _quaternion(xyzw: tuple[float, float, float, float]) -> Any:
    x, y, z, w = xyzw
    return make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
