"""How much of a cone is owed to the LiDAR; the rest is the camera's. There is no gradient."""

import torch
from torch import Tensor

from conegrad_core.fusion.association import Association
from conegrad_core.fusion.existence import box_log_odds
from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.fusion.scalars import ScalarValues
from conegrad_core.fusion.segments import LidarCandidates


@torch.no_grad()
def lidar_evidence(
    lidar: LidarCandidates, camera: CameraCandidates, of_boxes: Tensor, scalars: ScalarValues
) -> Tensor:
    """What the scan adds to the log odds ``(S + C,)`` of the segments, then of the boxes.

    A segment has its own log odds from it. A box would have those of the camera alone without a
    scan (:func:`conegrad_core.fusion.existence.box_log_odds`); what is missing to them is that the
    scan covers its place and has no segment there, or that a segment explains the box already.

    Args:
        lidar: the segments.
        camera: the boxes.
        of_boxes: ``(C,)`` log odds of the boxes by both sensors.
        scalars: gains and biases.
    """
    return torch.cat([lidar.log_odds, of_boxes - box_log_odds(camera, scalars)])


@torch.no_grad()
def lidar_share(lidar: LidarCandidates, covariances: Tensor, association: Association) -> Tensor:
    """Share ``(S + C,)`` of the information on each position that the LiDAR gives, in [0, 1].

    With the information ``L`` of the scan and the covariance ``P`` of the fused segment it is
    ``trace(P L) / 2``: of its two coordinates, those that the scan determines. The shares of both
    sensors sum to 1. The position of a box is a mixture of the segments that match it and of its
    own estimate; its share is that of the segments, by their weights.

    Args:
        lidar: the segments.
        covariances: ``(S, 3)`` of the fused segments, packed [m^2].
        association: matches of segments and boxes.

    Source:
        Rodgers, Inverse Methods for Atmospheric Sounding, 2000, section 2.4 (degrees of freedom).
    """
    product = covariances * lidar.information
    of_segments = (0.5 * (product[:, 0] + product[:, 2]) + product[:, 1]).clamp(0.0, 1.0)
    matched = association.matches.sum(0).clamp(min=1.0)
    # Row by matrix, as in box_existence.
    return torch.cat([of_segments, (of_segments @ association.matches) / matched])
