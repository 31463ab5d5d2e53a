"""Positions of boxes that a stage before the fusion made, in place of the monocular ones."""

from conegrad_core.cones import ConePositions
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import rigid_inverse


def with_positions(camera: CameraCandidates, positions: ConePositions) -> CameraCandidates:
    """The candidates at given positions, with their covariances; all else stays that of the boxes.

    Args:
        camera: of the boxes.
        positions: of the same boxes, in the frame of the candidates.
    """
    covariances = gaussians.conditioned(gaussians.packed(positions.covariances))
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
