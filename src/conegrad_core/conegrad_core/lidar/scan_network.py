"""The 1D convolutional network over the beams of a scan."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from conegrad_core.lidar.beam_features import CHANNELS, beam_features
from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.shapes import check_shape

ARCHITECTURE = "scan_cnn_32x6_profile"
PLANAR_ARCHITECTURE = "scan_cnn_32x6"  # of weights that know no profile
WIDTH = 32
DILATIONS = (1, 2, 4, 8, 16, 32)
KERNEL = 3


class ResidualBlock(nn.Module):
    """A dilated convolution and a pointwise one, added to their input."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.reach = dilation * (KERNEL // 2)
        self.across = nn.Conv1d(width, width, KERNEL, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, features: Tensor, wraps: bool) -> Tensor:
        """``(B, width, N)`` to the same shape; on a full turn the ends are neighbours."""
        padded = pad_beams(features, self.reach, wraps)
        change: Tensor = self.mix(torch.relu(self.norm(self.across(padded))))
        return features + change


class ScanNetwork(nn.Module):
    """Cone logits of the beams of planar scans, for any number of beams and any angular step.

    Architecture: metric neighbourhood of each beam (:mod:`beam_features`) and, of a cloud, the
    height profile of its return, a pointwise encoder, dilated residual blocks for the context
    along the scan, a pointwise head.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv1d(CHANNELS + PROFILE_CHANNELS, 2 * WIDTH, 1, bias=False),
            nn.BatchNorm1d(2 * WIDTH),
            nn.ReLU(),
            nn.Conv1d(2 * WIDTH, WIDTH, 1),
        )
        self.blocks = nn.ModuleList([ResidualBlock(WIDTH, dilation) for dilation in DILATIONS])
        self.head = nn.Conv1d(WIDTH, 1, 1)

    def forward(
        self,
        ranges: Tensor,
        angle_step: Tensor,
        wraps: bool = False,
        profile: Tensor | None = None,
    ) -> Tensor:
        """Label every beam; differentiable in the weights, in the ranges and in the profile.

        Args:
            ranges: ``(B, N)`` [m]; NaN, inf and 0 mean no return.
            angle_step: ``()`` or ``(B, 1)`` angle between two beams [rad].
            wraps: the scan covers a full turn, so that its ends are neighbours.
            profile: ``(B, PROFILE_CHANNELS, N)`` of scans made of clouds, as
                :mod:`conegrad_core.lidar.height_profile` describes it; None of planar LiDARs.

        Returns:
            ``(B, N)`` log-odds that the beam hit a cone; mean nothing without a return.
        """
        check_shape(ranges, None, None, name="ranges")
        if profile is None:
            profile = ranges.new_zeros(ranges.shape[0], PROFILE_CHANNELS, ranges.shape[1])
        check_shape(profile, *ranges.shape[:1], PROFILE_CHANNELS, ranges.shape[1], name="profile")
        features: Tensor = self.encode(torch.cat([beam_features(ranges, angle_step), profile], 1))
        for block in self.blocks:
            features = block(features, wraps)
        logits: Tensor = self.head(torch.relu(features))
        return logits[:, 0]


def with_profile(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of :data:`PLANAR_ARCHITECTURE` as those of today, which ignore the profile."""
    encoder = "encode.0.weight"
    return {**weights, encoder: functional.pad(weights[encoder], (0, 0, 0, PROFILE_CHANNELS))}


def pad_beams(features: Tensor, reach: int, wraps: bool) -> Tensor:
    """Append ``reach`` beams to both ends: the other end on a full turn, else zeros."""
    if wraps and features.shape[-1] >= reach:
        return functional.pad(features, (reach, reach), mode="circular")
    return functional.pad(features, (reach, reach))
