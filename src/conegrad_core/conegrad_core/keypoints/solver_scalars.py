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
        size_error: relative deviation of a cone's size from that of its class.
        class_temperature: divides class logits before the softmax that gives the expected size.
        range_error: relative error of the range beyond all that.
        position_floor: [m] standard deviation that no keypoint can lower.
    """

    deviation_scale: Tensor
    common_share: Tensor
    outlier_limit: Tensor
    tilt_noise: Tensor
    ground_noise: Tensor
    size_error: Tensor
    class_temperature: Tensor
    range_error: Tensor
    position_floor: Tensor


INITIAL_VALUES = {
    "deviation_scale": 1.0,
    "common_share": 0.5,
    "outlier_limit": 3.0,
    "tilt_noise": 0.004,
    "ground_noise": 0.005,
    "size_error": 0.01,
    "class_temperature": 0.7,
    "range_error": 0.005,
    "position_floor": 0.01,
}


class SolverScalars(LearnedScalars[SolverValues]):
    """One parameter per field of :class:`SolverValues`; all are positive."""

    def __init__(self) -> None:
        super().__init__(SolverValues, INITIAL_VALUES, owner="solver")
