"""The learned scalars of the position solver: names, units and meaning."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.learned_scalars import LearnedScalars


class SolverValues(NamedTuple):
    """Values of the learned scalars in their physical units, as 0-dimensional tensors.

    Attributes:
        deviation_scale: multiplies the deviations that the keypoint network states.
        common_share: part of the deviation that all keypoints of a cone share, as shift and as
            scale; the more of it, the less does their number help.
        outlier_limit: deviations from which on a keypoint counts little.
        tilt_noise: [rad] of pitch and roll of the car against the ground.
        ground_noise: [m] of the height of the ground under a cone.
        seen_height: height of a cone by the network's keypoints, as a share of that of its class.
        seen_width: the same of its width; networks draw keypoints towards the middle.
        height_error: relative deviation of a cone's height from that.
        width_error: relative deviation of a cone's width from that.
        class_temperature: divides class logits before the softmax that gives the expected size.
        range_error: relative error of the range beyond all that.
        position_floor: [m] standard deviation that no keypoint can lower.
    """

    deviation_scale: Tensor
    common_share: Tensor
    outlier_limit: Tensor
    tilt_noise: Tensor
    ground_noise: Tensor
    seen_height: Tensor
    seen_width: Tensor
    height_error: Tensor
    width_error: Tensor
    class_temperature: Tensor
    range_error: Tensor
    position_floor: Tensor


# By the likelihood of true positions: benchmarks/camera_positions.py --fit on drives 7401 to 7403.
INITIAL_VALUES = {
    "deviation_scale": 0.923,
    "common_share": 0.303,
    "outlier_limit": 1.65,
    "tilt_noise": 0.00277,
    "ground_noise": 0.00422,
    "seen_height": 0.995,
    "seen_width": 0.914,
    "height_error": 0.0103,
    "width_error": 0.0663,
    "class_temperature": 0.222,
    "range_error": 0.00392,
    "position_floor": 0.00363,
}


class SolverScalars(LearnedScalars[SolverValues]):
    """One parameter per field of :class:`SolverValues`; all are positive."""

    def __init__(self) -> None:
        super().__init__(SolverValues, INITIAL_VALUES, owner="solver")
