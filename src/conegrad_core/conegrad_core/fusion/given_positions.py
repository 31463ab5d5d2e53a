"""Positions of boxes that a stage before the fusion made, in place of the monocular ones."""

import torch
from torch import Tensor

from conegrad_core.cones import ConePositions
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.fusion.segments import motion_variances
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import rigid_inverse

MIN_SQUARE = 1e-4  # [m^2], nearer to the camera there is no direction


def with_positions(
    camera: CameraCandidates, positions: ConePositions, config: FuserConfig
) -> CameraCandidates:
    """The candidates at given positions, with their covariances; all else stays that of the boxes.

    The covariances of a stage before know nothing of errors of the calibration that all boxes of a
    drive share: those that are stated add to them, across the line of sight and along it.

    Args:
        camera: of the boxes.
        positions: of the same boxes, in the frame of the candidates.
        config: with the stated errors.
    """
    offsets = positions.positions - camera.origin
    square = offsets.square().sum(-1)
    stated = gaussians.oriented(
        offsets / square.clamp(min=MIN_SQUARE).sqrt()[:, None],
        config.camera_range_error**2 * square,
        config.camera_angle_error**2 * square,
    )
    covariances = gaussians.conditioned(gaussians.packed(positions.covariances) + stated)
    return camera._replace(
        positions=positions.positions,
        covariances=covariances,
        information=gaussians.inverse(covariances),
    )


def carried_positions(
    positions: ConePositions, given: Calibration, used: Calibration
) -> ConePositions:
    """Positions by one pose of the camera, as another pose of it has them.

    The cones' feet are carried as points that are rigid with the camera, and their covariances
    turned with them. They are not solved anew: a learned shift or turn about the vertical is
    right, but a learned tilt of the camera does not change a range as it would in the solver.

    Args:
        positions: in the LiDAR frame of ``given``.
        given: calibration by which the positions were made.
        used: the same with another ``camera_from_lidar``: corrected, or moved to another stamp.
    """
    used_from_given = rigid_inverse(used.camera_from_lidar) @ given.camera_from_lidar
    used_from_given = used_from_given.to(positions.positions)
    rotation = used_from_given[:2, :2]
    offset = used_from_given[:2, 3] + given.ground_z * used_from_given[:2, 2]
    return ConePositions(
        positions.positions @ rotation.mT + offset, rotation @ positions.covariances @ rotation.mT
    )


def compensated(camera: CameraCandidates, motion: Tensor, config: FuserConfig) -> CameraCandidates:
    """The candidates with what odometry may have wrong in the motion between both stamps.

    Args:
        camera: of an image that was taken at another stamp, at that of the scan.
        motion: ``(4, 4)`` or ``(3,)`` ego-motion between the stamps, as of the fusion.
        config: with the relative error of the odometry.
    """
    if motion.shape != (3,):
        yaw = torch.atan2(motion[1, 0], motion[0, 0])
        motion = torch.cat([motion[:2, 3], yaw[None]])
    variances = motion_variances(motion.to(camera.positions), camera.positions.norm(dim=-1), config)
    extra = gaussians.oriented(camera.directions, *variances.unbind(-1))
    covariances = gaussians.conditioned(camera.covariances + extra)
    return camera._replace(covariances=covariances, information=gaussians.inverse(covariances))
