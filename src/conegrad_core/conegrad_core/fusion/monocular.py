"""Camera candidates: where on the ground the cone of each box stands."""

from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import CONE_HEIGHTS
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.scalars import ScalarValues
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, undistort_pixels
from conegrad_core.geometry.ground import camera_rays
from conegrad_core.shapes import check_shape

REFERENCE_WIDTH = 640.0  # [px], image width in which pixel noise is expressed
MAX_DISTANCE = 80.0  # [m], horizontal rays are cut to this
MIN_HEIGHT = 1e-3  # tangent of the smallest angle a box may span
CUT_NOISE = 0.3  # [1/m], inverse-range noise of a box whose foot or top is outside the image
CUT_SLACK = 1.5  # of the logarithm of a cut box's height


class CameraCandidates(NamedTuple):
    """Cone candidates of an image (C rows) in the LiDAR frame; gradients flow to the boxes.

    Angles are those of a level camera: tilt and lens are already taken out.

    Attributes:
        origin: ``(2,)`` of the camera [m].
        camera_height: ``()`` above the ground [m].
        directions: ``(C, 2)`` unit vectors on the ground from the camera to the cones.
        positions: ``(C, 2)`` of the cones' axes [m].
        covariances: ``(C, 3)`` of the positions, packed [m^2].
        information: ``(C, 3)`` their inverse, packed [1/m^2].
        foot: ``(C,)`` tangent of the depression of the box's bottom edge.
        height: ``(C,)`` difference of the tangents of its bottom and top edge.
        cone_height: ``(C,)`` expected height of the cone by its class [m].
        slack: ``(C, 3)`` extra noise of column [rad], foot and log height: of cut boxes, and by
            the stated error of the camera's rotation.
        pixel: angle of one pixel of a 640 px wide image [rad].
        evidence: ``(C,)`` log-sum-exp of the class logits.
        colours: ``(C, 4)`` class probabilities.
    """

    origin: Tensor
    camera_height: Tensor
    directions: Tensor
    positions: Tensor
    covariances: Tensor
    information: Tensor
    foot: Tensor
    height: Tensor
    cone_height: Tensor
    slack: Tensor
    pixel: Tensor
    evidence: Tensor
    colours: Tensor


class BoxRays(NamedTuple):
    """Boxes with the rays through their ends; gradients flow to the boxes.

    Attributes:
        boxes_xyxy: ``(C, 4)`` [px].
        logits: ``(C, 4)`` of the classes.
        ends: ``(C, 2, 2)`` ideal coordinates (x/z, y/z) of the middle of bottom and top edge.
    """

    boxes_xyxy: Tensor
    logits: Tensor
    ends: Tensor


def box_rays(detections: Detections, camera: CameraModel) -> BoxRays:
    """The rays through the boxes' ends, lens distortion taken out.

    Raises:
        ValueError: if a shape is wrong.
    """
    boxes, logits = detections
    check_shape(boxes, None, 4, name="boxes_xyxy")
    check_shape(logits, len(boxes), 4, name="logits")
    left, top, right, bottom = boxes.unbind(-1)
    centre = 0.5 * (left + right)
    ends = torch.stack([centre, bottom, centre, top], dim=-1).unflatten(-1, (2, 2))
    return BoxRays(boxes, logits, undistort_pixels(ends, camera))


def camera_candidates(
    detections: Detections,
    calibration: Calibration,
    scalars: ScalarValues,
    config: FuserConfig,
    colours: ConeColours | None = None,
) -> CameraCandidates:
    """Cone candidates of an image.

    Raises:
        ValueError: if a shape is wrong or the camera not above the ground.
    """
    rays = box_rays(detections, calibration.camera)
    return box_candidates(rays, calibration, scalars, config, colours)


def box_candidates(
    box_rays: BoxRays,
    calibration: Calibration,
    scalars: ScalarValues,
    config: FuserConfig,
    colours: ConeColours | None = None,
) -> CameraCandidates:
    """Cone candidates of boxes.

    The class of a box is that of the detector's logits, joined with those of a classifier where
    there are some.

    Two estimates of the *inverse* range, in which pixel noise is close to Gaussian, are combined
    by their variance: the foot of the box on the ground plane, and its height against the
    height expected for its class. Where they disagree more than their noise, the covariance
    grows.

    Raises:
        ValueError: if the camera is not above the ground.
    """
    boxes, logits, ends = box_rays
    camera = calibration.camera
    origin, rays = camera_rays(ends, calibration.camera_from_lidar)
    camera_height = _camera_height(origin, calibration)
    reach = rays[..., :2].norm(dim=-1)
    tangents = -calibration.up * rays[..., 2] / reach  # (C, 2): depression of foot and top
    directions = rays[:, 0, :2] / reach[:, :1]
    height = (tangents[:, 0] - tangents[:, 1]).clamp(min=MIN_HEIGHT)
    probabilities = _class_probabilities(logits, colours, scalars)
    cone_height = probabilities @ probabilities.new_tensor(CONE_HEIGHTS)
    pixel = 2 * camera.width / REFERENCE_WIDTH / camera.intrinsics.diagonal()[:2].sum()
    slack, cut = _cut_slack(boxes, pixel, camera, config)
    inverse_range, noise = _inverse_range(
        tangents[:, 0], height, cone_height, camera_height, cut, pixel, scalars, config
    )
    distance = 1 / inverse_range
    square = distance * distance
    column_noise = (scalars.column_noise * pixel) ** 2 + (scalars.column_error * height) ** 2
    across = square * (column_noise + slack[:, 0] ** 2)
    floor = scalars.position_floor**2
    along = square * square * noise + config.camera_range_error**2 * square + floor
    across = across + floor
    return CameraCandidates(
        origin[:2],
        camera_height,
        directions,
        origin[:2] + distance[:, None] * directions,
        gaussians.oriented(directions, along, across),
        gaussians.oriented(directions, 1 / along, 1 / across),
        tangents[:, 0],
        height,
        cone_height,
        slack,
        pixel,
        logits.logsumexp(-1),
        probabilities,
    )


def _class_probabilities(
    logits: Tensor, colours: ConeColours | None, scalars: ScalarValues
) -> Tensor:
    joined = logits / scalars.colour_temperature
    if colours is not None:
        joined = joined + scalars.classifier_gain * colours.logits
    return joined.softmax(-1)


def _camera_height(origin: Tensor, calibration: Calibration) -> Tensor:
    camera_height = calibration.up * origin[2] + calibration.lidar_height
    height = float(camera_height.detach())
    if not height > 0:
        raise ValueError(
            f"camera is {height:.3f} m above the ground, expected a height above 0: "
            "check camera_from_lidar and lidar_height"
        )
    return camera_height


def _cut_slack(
    boxes: Tensor, pixel: Tensor, camera: CameraModel, config: FuserConfig
) -> tuple[Tensor, Tensor]:
    """Extra noise ``(C, 3)`` of boxes cut by the image border, and the mask of cut ranges.

    The stated error of the camera's rotation is part of that of column and foot of every box.
    A box cut at the left or right has its centre anywhere within its width; one cut at the
    bottom or top shows neither foot nor height.
    """
    scale = camera.width / REFERENCE_WIDTH
    margin = config.border * scale
    fixed = boxes.detach()
    low = fixed[:, :2] <= margin
    high = fixed[:, 2:] >= fixed.new_tensor([camera.width - margin, camera.height - margin])
    cut = low | high
    width = (fixed[:, 2] - fixed[:, 0]) * (pixel.detach() / scale)
    beside, above = cut[:, 0] * (0.5 * width), cut[:, 1] * CUT_SLACK
    bottom = high[:, 1] * (fixed[:, 3] - fixed[:, 1]) * (pixel.detach() / scale)
    stated = config.camera_angle_error**2
    beside, bottom = (beside * beside + stated).sqrt(), (bottom * bottom + stated).sqrt()
    return torch.stack([beside, bottom, above], dim=-1), cut[:, 1]


def _inverse_range(
    foot: Tensor,
    height: Tensor,
    cone_height: Tensor,
    camera_height: Tensor,
    cut: Tensor,
    pixel: Tensor,
    scalars: ScalarValues,
    config: FuserConfig,
) -> tuple[Tensor, Tensor]:
    """Inverse distance from the camera to the cone's axis ``(C,)`` [1/m], and its variance.

    The foot of the box is the front edge of the base, ``base_radius`` before the axis; its top is
    the tip on the axis. With distance x, camera height Z, cone height H, base radius b:
    foot = Z / (x - b), height = Z / (x - b) - (Z - H) / x, each solved for x.
    """
    base = scalars.base_radius
    below = foot.clamp(min=1 / MAX_DISTANCE * camera_height.detach())
    by_foot = below / (camera_height + base * below)
    half = cone_height + base * height
    root = (half * half + 4 * base * height * (camera_height - cone_height)).clamp(min=1e-8).sqrt()
    by_height = 2 * height / (half + root)
    cut_variance = cut.to(foot) * CUT_NOISE**2
    foot_variance = (scalars.foot_noise * pixel) ** 2 + (scalars.foot_error * height) ** 2
    foot_variance = foot_variance + scalars.pitch_noise**2 + config.camera_angle_error**2
    foot_variance = foot_variance / camera_height**2 + cut_variance
    height_variance = (scalars.height_noise * pixel / cone_height) ** 2 + cut_variance
    height_variance = height_variance + (scalars.height_error * by_height) ** 2
    total = foot_variance + height_variance
    inverse = (by_foot * height_variance + by_height * foot_variance) / total
    disagreement = (by_foot - by_height) ** 2 / total
    variance = foot_variance * height_variance / total * disagreement.clamp(min=1.0)
    return inverse.clamp(min=1 / MAX_DISTANCE), variance
