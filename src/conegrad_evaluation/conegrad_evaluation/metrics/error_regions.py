"""Do the regions that covariances state hold the share of the errors that they claim to hold?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.bootstrap import Interval, ratio_intervals
from conegrad_evaluation.metrics.calibration import nees
from conegrad_evaluation.metrics.matching import Booleans, EvaluationConfig, Floats
from conegrad_evaluation.metrics.position import matched_errors
from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of
from conegrad_evaluation.metrics.records import Records

# Quantiles of the chi-squared distribution, 2 degrees of freedom: -2 log(1 - share).
CHI2_50, CHI2_90 = 1.3862943611198906, 4.605170185988092
ALL = "all"


@dataclass(frozen=True)
class ErrorRegions:
    """Matched cones whose error lies within the region of a share, by covariance of cone and truth.

    Attributes:
        count: matched cones with a positive definite covariance.
        mean_nees: 2 expected.
        inside_50: share within the 50 % region; NaN without cones.
        inside_50_interval: its 95 % interval, bootstrapped over frames.
        inside_90: share within the 90 % region.
        inside_90_interval: likewise.
    """

    count: int
    mean_nees: float
    inside_50: float
    inside_50_interval: Interval
    inside_90: float
    inside_90_interval: Interval


def matched_nees(records: Records, mask: Booleans | None = None) -> Floats:
    """NEES ``(N,)`` of the matched cones at the operating point, as :func:`matched_errors`.

    The covariance of an error is that of the cone and that of the truth itself together.
    """
    selected = records.cones.selected & records.cones.is_match
    selected = selected if mask is None else selected & mask
    errors, _ = matched_errors(records, mask)
    of_truth = records.truth.variances[records.cones.truth[selected]]
    return nees(errors, records.cones.covariances[selected] + of_truth[:, None, None] * np.eye(2))


def error_regions(
    records: Records, config: EvaluationConfig, sources: Mapping[int, str]
) -> dict[str, dict[str, ErrorRegions]]:
    """Error regions by source and range.

    Args:
        records: of all frames.
        config: settings of the bootstrap.
        sources: names of the values of ``Cones.source``.

    Returns:
        By source, those of ``sources`` and :data:`ALL`, then by range bin and :data:`ALL`.
    """
    cones = records.cones
    chosen = cones.selected & cones.is_match
    values, frames = matched_nees(records), cones.frames[chosen]
    valid = ~np.isnan(values)
    bins, of_source = bin_of(cones.distances[chosen]), cones.sources[chosen]
    by_source = {ALL: valid} | {name: valid & (of_source == s) for s, name in sources.items()}
    by_range = {name: bins == index for index, name in enumerate(BIN_NAMES)}
    by_range[ALL] = np.ones(len(bins), dtype=np.bool_)
    masks = [source & of_range for source in by_source.values() for of_range in by_range.values()]
    made = iter(_regions(values, frames, masks, records.frame_count, config))
    return {source: {of_range: next(made) for of_range in by_range} for source in by_source}


def _regions(
    values: Floats,
    frames: np.ndarray,
    masks: Sequence[Booleans],
    frame_count: int,
    config: EvaluationConfig,
) -> list[ErrorRegions]:
    def per_frame(hits: Booleans) -> np.ndarray:
        return np.bincount(frames[hits], minlength=frame_count)

    with np.errstate(invalid="ignore"):
        inside = values <= CHI2_50, values <= CHI2_90
    hits = np.stack([per_frame(mask & within) for mask in masks for within in inside], axis=1)
    totals = np.stack([per_frame(mask) for mask in masks for _ in inside], axis=1)
    intervals = ratio_intervals(
        hits, totals, samples=config.bootstrap_samples, block=config.bootstrap_block
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = (hits.sum(axis=0) / totals.sum(axis=0)).tolist()
    return [
        ErrorRegions(
            count := int(mask.sum()),
            float(values[mask].mean()) if count else float("nan"),
            shares[2 * place],
            intervals[2 * place],
            shares[2 * place + 1],
            intervals[2 * place + 1],
        )
        for place, mask in enumerate(masks)
    ]
