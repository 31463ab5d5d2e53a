"""The learned scalars of the fusion: names, units and meaning."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.learned_scalars import LearnedScalars


class ScalarValues(NamedTuple):
    """Values of the learned scalars in their physical units, as 0-dimensional tensors.

    "px" are pixels of an image scaled to a width of 640, so that the values hold for any camera
    whose detector sees about that width. "log odds" are natural.

    Attributes:
        cone_radius: [m] from the first return on a cone to its axis.
        range_noise: [m] standard deviation along the beam of one return at 0 m, beyond the scatter
            of its scan.
        bearing_noise: [m] standard deviation across the beam.
        position_floor: [m] standard deviation that more beams cannot average away.
        beam_gain: log odds of a cone per unit of the mean beam logit.
        coverage_gain: log odds per log of the hit fraction of the beams a cone should return.
        lidar_bias: log odds of a segment with mean logit 0.
        foot_noise: [px] of the bottom edge of a box.
        height_noise: [px] of the height of a box.
        column_noise: [px] of the centre column of a box.
        pitch_noise: [rad] of the car against the ground.
        height_error: relative error of a box height beyond its pixel noise.
        base_radius: [m] from the front edge of a cone's base to its axis.
        colour_temperature: divides class logits before the softmax.
        column_tolerance: extra standard deviation of the column match per box height.
        foot_tolerance: extra standard deviation of the foot match per box height.
        height_tolerance: standard deviation of the logarithm of the height match.
        prior_floor: share of candidates that match although their network rejects them.
        unmatched_segment: log score of a segment for matching no box.
        unmatched_box: log score of a box for matching no segment.
        camera_gain: log odds of a cone per unit of box evidence (log-sum-exp of class logits).
        camera_bias: log odds a matched box of evidence 0 adds to its segment.
        camera_alone_bias: log odds of a box of evidence 0 without a segment, inside the scan.
        camera_only_bias: log odds of a box of evidence 0 that no scan covers.
        missed_bias: log odds added where the camera should have seen a segment and did not.
        classifier_gain: weight of a classifier's logits beside the detector's class logits.
        range_growth: [1/m] growth of the noise along the beam, as a share of it.
        foot_error: error of the foot as a share of the height of its box, beyond the pixel noise.
        column_error: error of the centre column likewise.
        foot_match: [px] noise of the bottom edge in the match of boxes and segments, which has to
            bear with more than the covariances state.
        column_match: [px] likewise of the centre column.
        pitch_match: [rad] likewise of the car against the ground.
        scatter_gain: weight of the scatter of returns that is measured in each scan.
    """

    cone_radius: Tensor
    range_noise: Tensor
    bearing_noise: Tensor
    position_floor: Tensor
    beam_gain: Tensor
    coverage_gain: Tensor
    lidar_bias: Tensor
    foot_noise: Tensor
    height_noise: Tensor
    column_noise: Tensor
    pitch_noise: Tensor
    height_error: Tensor
    base_radius: Tensor
    colour_temperature: Tensor
    column_tolerance: Tensor
    foot_tolerance: Tensor
    height_tolerance: Tensor
    prior_floor: Tensor
    unmatched_segment: Tensor
    unmatched_box: Tensor
    camera_gain: Tensor
    camera_bias: Tensor
    camera_alone_bias: Tensor
    camera_only_bias: Tensor
    missed_bias: Tensor
    classifier_gain: Tensor
    range_growth: Tensor
    foot_error: Tensor
    column_error: Tensor
    scatter_gain: Tensor
    foot_match: Tensor
    column_match: Tensor
    pitch_match: Tensor


INITIAL_VALUES = {
    "cone_radius": 0.049,
    "range_noise": 0.0114,
    "bearing_noise": 0.0088,
    "position_floor": 0.0072,
    "beam_gain": 0.878,
    "coverage_gain": 1.12,
    "lidar_bias": 1.11,
    "foot_noise": 0.511,
    "height_noise": 0.971,
    "column_noise": 0.704,
    "pitch_noise": 0.00326,
    "height_error": 0.045,
    "base_radius": 0.132,
    "colour_temperature": 0.697,
    "column_tolerance": 0.106,
    "foot_tolerance": 0.188,
    "height_tolerance": 0.322,
    "prior_floor": 0.0127,
    "unmatched_segment": -4.41,
    "unmatched_box": -3.8,
    "camera_gain": 0.786,
    "camera_bias": 2.41,
    "camera_alone_bias": -1.05,
    "camera_only_bias": 1.46,
    "missed_bias": -1.99,
    "classifier_gain": 0.226,
    "range_growth": 0.0374,
    "foot_error": 0.0163,
    "column_error": 0.024,
    "scatter_gain": 1.08,
    "foot_match": 1.05,
    "column_match": 1.92,
    "pitch_match": 0.0067,
}
SIGNED = frozenset(name for name in ScalarValues._fields if name.endswith("_bias")) | {
    "unmatched_segment",
    "unmatched_box",
}  # all others are positive
ADDED_LATER = frozenset(  # absent from files of before
    {
        "camera_only_bias",
        "classifier_gain",
        "range_growth",
        "foot_error",
        "column_error",
        "scatter_gain",
        "foot_match",
        "column_match",
        "pitch_match",
    }
)


class FusionScalars(LearnedScalars[ScalarValues]):
    """One parameter per field of :class:`ScalarValues`."""

    def __init__(self) -> None:
        super().__init__(
            ScalarValues, INITIAL_VALUES, signed=SIGNED, added_later=ADDED_LATER, owner="fusion"
        )
