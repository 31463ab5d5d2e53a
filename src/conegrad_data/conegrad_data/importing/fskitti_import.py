"""Imports a folder in the layout of FSKITTI (KITTI-like, FST Lisboa) into a bag."""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from conegrad_data.bags import messages
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_data.importing.fskitti_frames import FskittiFrame, read_frames, read_json
from conegrad_data.importing.label_error import (
    LabelledCloud,
    measured_label_error,
    returns_on,
)
from conegrad_data.importing.pictures import IMAGE_FORMATS, check_picture

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.cones import TrueCones
    from conegrad_core.geometry.camera import CameraModel

logger = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

GROUND_CLOUDS = 30  # clouds are enough to tell how the LiDAR is mounted
LABEL_CLOUDS = 60  # clouds are enough to tell how exact labels are
POINT_COLUMNS = 5  # x, y, z, intensity, time
LABEL_FIELDS = 14  # at least; some rows lack the unused last one
BOX_FIELDS = slice(4, 8)  # left, top, right, bottom [px]
POSITION_FIELDS = slice(11, 14)  # x, y, z [m], LiDAR frame
CLASS_OF_LABEL = {
    "blue_cone": "BLUE",
    "yellow_cone": "YELLOW",
    "orange_cone": "SMALL_ORANGE",
    "large_orange_cone": "BIG_ORANGE",
    "unknown_cone": "UNKNOWN",
}


def import_fskitti(
    folder: Path,
    output: Path,
    *,
    lidar_height: float | None = None,
    label_error: float | None = None,
    rows: slice = slice(None),
    progress: Callable[[Iterable[FskittiFrame], int], Iterable[FskittiFrame]] | None = None,
) -> None:
    """Write the clouds, images, labels and poses of a sequence into a new bag.

    ``base_link`` is put on the ground below the LiDAR: the file's poses are those of the LiDAR.
    Height and tilt of the LiDAR are measured in the ground returns of the clouds.

    Args:
        folder: holds ``points``, ``labels``, ``images`` and ``metadata.json`` as published, or
            ``odometry.json`` in its place; the images' calibration is in ``calibration.json``,
            which is not published: without it images have no camera_info, which is reported.
        output: the bag to create.
        lidar_height: height of the LiDAR above the ground [m], if not to be measured; the LiDAR
            then counts as level.
        label_error: standard deviation of x and of y of the labels [m], if not to be measured by
            the returns of the clouds.
        rows: frames to write, in the order of time; the mounting is measured in all of them.
        progress: wraps the frames to show progress; given them and their number.

    Raises:
        BagError: if a file is missing or holds something else, or no frame is chosen.
    """
    frames = read_frames(folder)
    written = frames[rows]
    if not written:
        raise BagError(
            f"{folder} has {len(frames)} frames, none of them from {rows.start} to {rows.stop}"
        )
    pictures = [frame.image for frame in written if frame.image is not None]
    camera = _read_calibration(folder, len(pictures))
    for picture in pictures:
        check_picture(picture, _camera_model(camera))
    if lidar_height is None:
        base_from_lidar = measured_mounting(folder, frames)
    else:
        base_from_lidar = np.eye(4)
        base_from_lidar[2, 3] = lidar_height
    if label_error is None:
        label_error = measured_label_error(_labelled_clouds(frames))
    with BagWriter(output, removed_by=BaseException) as bag:
        _write_transforms(bag, written[0].stamp_ns, camera, base_from_lidar)
        stream = iter(written)
        for frame in progress(stream, len(written)) if progress else stream:
            _write_frame(bag, frame, camera, float(base_from_lidar[2, 3]), label_error)


def _labelled_clouds(frames: list[FskittiFrame]) -> Iterator[LabelledCloud]:
    """Labels and clouds of some frames of a sequence."""
    labelled = [frame for frame in frames if frame.labels is not None]
    for frame in labelled[:: max(1, len(labelled) // LABEL_CLOUDS)]:
        points = read_points(frame.points)[:, :3]
        if frame.labels is not None:
            positions = read_labels(frame.labels, points).positions.double().numpy()
            yield LabelledCloud(positions, points)


def measured_mounting(folder: Path, frames: list[FskittiFrame]) -> Array:
    """``(4, 4)`` ``base_from_lidar``: height, roll and pitch by the ground of the clouds.

    Single frames differ as the car pitches; the median over the sequence is the mounting.

    Raises:
        BagError: if no cloud shows the ground.
    """
    from conegrad_core.lidar.ground_plane import find_ground

    planes, reason = [], ""
    for frame in frames[:: max(1, len(frames) // GROUND_CLOUDS)]:
        points = read_points(frame.points)[:, :3]
        try:
            planes.append(find_ground(points))
        except ValueError as error:
            reason = f"{frame.name}: {error}"
    if not planes:
        raise BagError(f"{folder}: no cloud shows the ground ({reason}); give the LiDAR's height")
    normal = np.median([plane.normal for plane in planes], axis=0)
    height = float(np.median([plane.sensor_height for plane in planes]))
    logger.info("the LiDAR is %.3f m above the ground, which has the normal %s", height, normal)
    return _mounting(normal / np.linalg.norm(normal), height)


def _mounting(up: Array, height: float) -> Array:
    """The frame above the ground whose z is ``up`` and whose x is that of the LiDAR, levelled."""
    ahead = np.array([1.0, 0.0, 0.0]) - up[0] * up
    ahead /= np.linalg.norm(ahead)
    base_from_lidar = np.eye(4)
    base_from_lidar[:3, :3] = [ahead, np.cross(up, ahead), up]
    base_from_lidar[2, 3] = height
    return base_from_lidar


def read_labels(path: Path, points: Array) -> "TrueCones":
    """True cones of one frame in the LiDAR frame; rows without a position are left out.

    Args:
        path: label file.
        points: ``(N, 3)`` cloud of the frame, which decides what the LiDAR could see [m].

    Raises:
        BagError: if a row has other fields or an unknown class.
    """
    import torch

    from conegrad_core.cones import ConeClass, TrueCones

    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        if len(row) < LABEL_FIELDS or row[0] not in CLASS_OF_LABEL:
            raise BagError(f"{path}: row {' '.join(row)!r}, expected 14 fields and a cone class")
    rows = [row for row in rows if any(float(v) != 0 for v in row[POSITION_FIELDS])]
    positions = np.array([[float(v) for v in row[POSITION_FIELDS]] for row in rows]).reshape(-1, 3)
    has_box = [any(float(v) != 0 for v in row[BOX_FIELDS]) for row in rows]
    return TrueCones(
        positions=torch.tensor(positions[:, :2], dtype=torch.float32),
        classes=torch.tensor([ConeClass[CLASS_OF_LABEL[row[0]]] for row in rows]).long(),
        visible_camera=torch.tensor(has_box, dtype=torch.bool),
        visible_lidar=torch.tensor([has_returns(p[:2], points) for p in positions]).bool(),
    )


def has_returns(position: Array, points: Array) -> bool:
    """Whether returns of the cloud stand on the ground where a cone is labelled.

    Args:
        position: ``(2,)`` x, y of the label [m].
        points: ``(N, 3)`` cloud [m].
    """
    return len(returns_on(position, points)) > 0


def _write_frame(
    bag: BagWriter,
    frame: FskittiFrame,
    camera: dict[str, Any] | None,
    lidar_height: float,
    label_error: float,
) -> None:
    stamp = frame.stamp_ns
    cloud = read_points(frame.points)
    odometry = messages.odometry_msg(stamp, frame.pose)
    bag.write("/odom", "nav_msgs/msg/Odometry", stamp, odometry)
    if frame.image is not None:
        _write_image(bag, stamp, frame.image, camera)
    points = messages.points_msg(stamp, "lidar", cloud[:, :4])
    bag.write("/points", "sensor_msgs/msg/PointCloud2", stamp, points)
    if frame.labels is not None:
        truth = read_labels(frame.labels, cloud[:, :3])
        deviations = truth.positions.new_full(truth.positions.shape[:1], label_error)
        truth = truth._replace(deviations=deviations)
        msg = messages.truth_msg(stamp, "lidar", truth, -lidar_height)
        bag.write("/truth", "conegrad_msgs/msg/TruthCones", stamp, msg)


def _write_image(bag: BagWriter, stamp: int, picture: Path, camera: dict[str, Any] | None) -> None:
    if camera is not None:
        info = messages.camera_info_msg(
            stamp, "camera_optical", tuple(camera["image_size"]), np.array(camera["K"]), (), "none"
        )
        bag.write("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, info)
    image_format = IMAGE_FORMATS[picture.suffix.lower()]
    data = picture.read_bytes()
    image = messages.compressed_image_msg(stamp, "camera_optical", data, image_format)
    bag.write("/image_raw/compressed", "sensor_msgs/msg/CompressedImage", stamp, image)


def _write_transforms(
    bag: BagWriter, stamp: int, camera: dict[str, Any] | None, base_from_lidar: Array
) -> None:
    transforms = [("base_link", "lidar", base_from_lidar)]
    if camera is not None:
        camera_from_lidar = np.vstack([camera["camera_optical_from_lidar"], [0, 0, 0, 1]])
        transforms.append(("lidar", "camera_optical", np.linalg.inv(camera_from_lidar)))
    msg = messages.transforms_msg(stamp, transforms)
    bag.write("/tf_static", "tf2_msgs/msg/TFMessage", stamp, msg)


def _camera_model(calibration: dict[str, Any] | None) -> "CameraModel | None":
    import torch

    from conegrad_core.geometry.camera import CameraModel

    if calibration is None:
        return None
    width, height = calibration["image_size"]
    return CameraModel(width, height, torch.tensor(calibration["K"]), torch.zeros(0), "none")


def _read_calibration(folder: Path, images: int) -> dict[str, Any] | None:
    path = folder / "calibration.json"
    if not path.exists():
        if images:
            logger.warning(
                "%s is missing: %d images are imported without camera_info and without the place "
                "of the camera. Write it with image_size (width, height), K (3x3) and "
                "camera_optical_from_lidar (3x4) and import again, or give a vehicle file to the "
                "commands that read the bag (--vehicle FILE)",
                path,
                images,
            )
        return None
    calibration = read_json(path)
    expected = {"image_size": (2,), "K": (3, 3), "camera_optical_from_lidar": (3, 4)}
    for key, shape in expected.items():
        actual = np.shape(calibration.get(key, ()))
        if actual != shape:
            raise BagError(f"{path}: {key} has shape {actual}, expected {shape}")
    return dict(calibration) if images else None


def read_points(path: Path) -> Array:
    """``(N, 5)`` x, y, z [m], intensity and time of the points of a cloud.

    Raises:
        BagError: if the file holds something else.
    """
    values = np.fromfile(path, dtype=np.float32)
    if values.size == 0 or values.size % POINT_COLUMNS:
        raise BagError(f"{path}: {values.size} float32 values, expected rows of {POINT_COLUMNS}")
    return values.reshape(-1, POINT_COLUMNS).astype(np.float64)
