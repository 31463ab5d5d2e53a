"""Does the cone exist: evidence of both sensors added in log odds."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from conegrad_core.cones import CONE_HEIGHTS
from conegrad_core.fusion.association import Association
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.fusion.scalars import ScalarValues
from conegrad_core.fusion.segments import LidarCandidates, in_view
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import in_image, project

MIN_SHARE = 1e-4  # of a box left to stand alone; keeps logarithm and gradient finite


def segment_existence(
    lidar: LidarCandidates,
    camera: CameraCandidates,
    association: Association,
    should_see: Tensor,
    scalars: ScalarValues,
) -> Tensor:
    """Log odds ``(S,)`` that a segment is a cone, given both sensors.

    Args:
        lidar: the segments.
        camera: the boxes.
        association: their matches.
        should_see: ``(S,)`` 1 where the camera should have seen the segment, else 0.
        scalars: gains and biases.
    """
    evidence = scalars.camera_gain * camera.evidence + scalars.camera_bias
    seen = association.matches @ evidence
    return lidar.log_odds + seen + association.unmatched * should_see * scalars.missed_bias


def box_existence(
    camera: CameraCandidates,
    association: Association,
    segment_log_odds: Tensor,
    view: Tensor,
    scalars: ScalarValues,
) -> Tensor:
    """Log odds ``(C,)`` that a box is a cone of its own: not one of the segments.

    A box is explained only by segments that exist themselves, so a box survives a LiDAR network
    that rejects its segment. With p the camera's own belief and g the explained share the
    probability is p (1 - g); it is kept in logits throughout. p is lower where the scan covers the
    place of the box (see :func:`conegrad_core.fusion.segments.in_view`) and gave no segment.
    """
    covered = in_view(camera.positions, view)
    bias = torch.where(covered, scalars.camera_alone_bias, scalars.camera_only_bias)
    alone = scalars.camera_gain * camera.evidence + bias
    # Row by matrix: ONNX Runtime takes the wrong axis of a transposed matrix by a vector.
    explained = segment_log_odds.sigmoid() @ association.matches
    denied = (-segment_log_odds).sigmoid() @ association.matches
    unmatched = (1 - association.matches.sum(0)).clamp(min=MIN_SHARE)
    share = (unmatched + denied).clamp(max=1.0)
    against = torch.logaddexp(logsigmoid(-alone), logsigmoid(alone) + (explained + 1e-9).log())
    return logsigmoid(alone) + share.log() - against


def box_log_odds(camera: CameraCandidates, scalars: ScalarValues) -> Tensor:
    """Log odds ``(C,)`` of boxes where no LiDAR took part."""
    return scalars.camera_gain * camera.evidence + scalars.camera_only_bias


def should_be_seen(positions: Tensor, calibration: Calibration, config: FuserConfig) -> Tensor:
    """1 where the camera should see a cone at ``(S, 2)`` positions, else 0; no gradient."""
    with torch.no_grad():
        middle = calibration.ground_z + calibration.up * 0.5 * CONE_HEIGHTS[0]
        heights = torch.zeros_like(positions[:, :1]) + middle
        points = torch.cat([positions, heights], dim=-1)
        pixels, visible = project(points, calibration.camera_from_lidar, calibration.camera)
        near: Tensor = positions.norm(dim=-1) < config.camera_range
        return (visible & near & in_image(pixels, calibration.camera)).to(positions)
