"""Metrics of fused cones against truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conegrad_core.cones import (
    CLASS_NAMES,
    COLOUR_NAMES,
    LABEL_VALUES_PER_CONE,
    ConeClass,
    Cones,
    TrueCones,
)
from conegrad_evaluation.metrics.bootstrap import Interval, f1_interval
from conegrad_evaluation.metrics.calibration import (
    Consistency,
    Reliability,
    consistency,
    reliability,
)
from conegrad_evaluation.metrics.counts import ConeCounts, count_cones, f1_counts
from conegrad_evaluation.metrics.curve import PrecisionRecall, precision_recall
from conegrad_evaluation.metrics.error_regions import ErrorRegions, error_regions, matched_nees
from conegrad_evaluation.metrics.failure_modes import (
    SOURCE_NAMES,
    FailureModes,
    count_failure_modes,
)
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.latency import Latency, latency
from conegrad_evaluation.metrics.matching import (
    Booleans,
    EvaluationConfig,
    FrameResult,
    match_frame,
)
from conegrad_evaluation.metrics.position import PositionError, matched_errors, position_error
from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of
from conegrad_evaluation.metrics.records import Records, collect


@dataclass(frozen=True)
class SubsetMetrics:
    """Counts and position error of a subset of the cones, e.g. of a range bin."""

    counts: ConeCounts
    position: PositionError


@dataclass(frozen=True)
class Evaluation:
    """All metrics of a drive.

    Attributes:
        config: settings of the metrics.
        frames: frames with truth.
        label_values: numbers of truth used: x, y and colour per counted cone.
        total: counts and position error of all cones.
        with_camera: a camera was in use; without one no cone has a colour.
        f1_interval: 95 % interval of F1, bootstrapped over frames.
        f1_colour_interval: likewise of F1 with colour.
        range_bins: by range, keys :data:`~conegrad_evaluation.metrics.range_bins.BIN_NAMES`. A
            matched cone belongs to the bin of its truth, another to the bin of its own range.
        by_source: cones by the sensors that they come from; recall is not defined and NaN.
        by_visibility: truth by the sensors that could see it ("camera", "lidar", "both");
            precision is not defined and NaN.
        by_class: truth by its class name; precision is not defined and NaN.
        confusion: ``4 x 5`` matched cones: true class in rows, most probable colour in columns.
        confusion_unseen: ``4`` of the column of unknown colours those that no camera could see;
            they count as right.
        curve: precision and recall over the existence threshold.
        curve_colour: the same, with a wrong colour counted as an error.
        reliability: calibration of the existence probability.
        consistency: calibration of the covariance.
        error_regions: what the 50 and 90 % regions of the covariances hold, by source ("all",
            "camera", "lidar", "both"), then by range bin and "all".
        failure_modes: of missed truth and false cones.
        latency: from the capture of the data to the cones.
    """

    config: EvaluationConfig
    frames: int
    label_values: int
    total: SubsetMetrics
    with_camera: bool
    f1_interval: Interval
    f1_colour_interval: Interval
    range_bins: dict[str, SubsetMetrics]
    by_source: dict[str, SubsetMetrics]
    by_visibility: dict[str, SubsetMetrics]
    by_class: dict[str, SubsetMetrics]
    confusion: tuple[tuple[int, ...], ...]
    confusion_unseen: tuple[int, ...]
    curve: PrecisionRecall
    curve_colour: PrecisionRecall
    reliability: Reliability
    consistency: Consistency
    error_regions: dict[str, dict[str, ErrorRegions]]
    failure_modes: FailureModes
    latency: Latency

    @property
    def headline(self) -> str:
        """Name of the headline metric: ``f1_colour``, or ``f1`` without a camera."""
        return "f1_colour" if self.with_camera else "f1"

    @property
    def score(self) -> float:
        """Value of the headline metric."""
        return self.f1_colour if self.with_camera else self.total.counts.f1

    @property
    def score_interval(self) -> Interval:
        """95 % interval of the headline metric."""
        return self.f1_colour_interval if self.with_camera else self.f1_interval

    @property
    def f1_colour(self) -> float:
        """F1 with a wrong colour counted as an error."""
        return self.total.counts.f1_colour

    @property
    def recall(self) -> float:
        """Share of the truth that was found, in any colour."""
        return self.total.counts.recall

    @property
    def rmse(self) -> float:
        """Root mean square of the position error [m]."""
        return self.total.position.rmse

    def to_dict(self) -> dict[str, Any]:
        """All metrics as JSON values; None where a value does not exist.

        ``bands`` and ``reasons`` are the names of ``range_bins`` and ``failure_modes`` in version
        0.1; they stay until version 0.3.
        """
        values: dict[str, Any] = to_json_values(self)
        values["total"] = _subset_dict(self.total)
        for name in ("range_bins", "by_source", "by_visibility", "by_class"):
            subsets: dict[str, SubsetMetrics] = getattr(self, name)
            values[name] = {key: _subset_dict(subset) for key, subset in subsets.items()}
        first = {
            "headline": self.headline,
            "f1": self.total.counts.f1,
            "f1_colour": self.f1_colour,
            "recall": self.recall,
            "rmse": self.rmse,
        }
        former = {"bands": values["range_bins"], "reasons": values["failure_modes"]}
        return {**{key: to_json_values(value) for key, value in first.items()}, **values, **former}


class Evaluator:
    """Matches frames one by one and computes the metrics of all.

    Attributes:
        with_camera: a camera was in use, so that the headline metric includes colour.
    """

    def __init__(self, config: EvaluationConfig | None = None) -> None:
        self.config = config or EvaluationConfig()
        self.with_camera = True
        self.frames: list[FrameResult] = []
        self.latencies: list[float] = []

    def add(self, cones: Cones, truth: TrueCones) -> FrameResult:
        """Match and keep one frame.

        Raises:
            ValueError: if a tensor has another shape or holds NaN.
        """
        self.frames.append(match_frame(cones, truth, self.config))
        return self.frames[-1]

    def add_latency(self, seconds: float) -> None:
        """Keep the latency of one frame [s]."""
        self.latencies.append(seconds)

    def result(self) -> Evaluation:
        """Metrics of all frames so far."""
        return evaluate(
            self.frames, self.config, latencies=self.latencies, with_camera=self.with_camera
        )


def evaluate(
    frames: Sequence[FrameResult],
    config: EvaluationConfig | None = None,
    *,
    latencies: Sequence[float] = (),
    with_camera: bool = True,
) -> Evaluation:
    """Compute all metrics of frames matched under the same ``config``."""
    config = config or EvaluationConfig()
    records = collect(frames, config)
    cones, true = records.cones, len(records.truth.found)
    return Evaluation(
        config=config,
        frames=len(frames),
        label_values=LABEL_VALUES_PER_CONE * true,
        total=_subset(records),
        with_camera=with_camera,
        f1_interval=_interval(records, records.cones.is_match, config),
        f1_colour_interval=_interval(records, records.cones.is_right, config),
        range_bins=_by_range(records),
        by_source=_by_source(records),
        by_visibility=_by_visibility(records),
        by_class=_by_class(records),
        confusion=_confusion(records),
        confusion_unseen=_confusion_unseen(records),
        curve=precision_recall(cones.existence, cones.is_match, true),
        curve_colour=precision_recall(cones.existence, cones.is_right, true),
        reliability=reliability(cones.existence, cones.is_match),
        consistency=consistency(matched_nees(records)),
        error_regions=error_regions(records, config, SOURCE_NAMES),
        failure_modes=count_failure_modes(frames, config),
        latency=latency(latencies),
    )


def _subset(
    records: Records, cones: Booleans | None = None, truth: Booleans | None = None
) -> SubsetMetrics:
    counts = count_cones(records, cones, truth)
    return SubsetMetrics(counts, position_error(*matched_errors(records, cones)))


def _subset_dict(subset: SubsetMetrics) -> dict[str, Any]:
    return {"counts": subset.counts.to_dict(), "position": to_json_values(subset.position)}


def _by_range(records: Records) -> dict[str, SubsetMetrics]:
    cone_bins, truth_bins = bin_of(records.cones.distances), bin_of(records.truth.distances)
    return {
        name: _subset(records, cone_bins == index, truth_bins == index)
        for index, name in enumerate(BIN_NAMES)
    }


def _by_source(records: Records) -> dict[str, SubsetMetrics]:
    no_truth = np.zeros(len(records.truth.found), dtype=np.bool_)
    return {
        name: _subset(records, records.cones.sources == source, no_truth)
        for source, name in SOURCE_NAMES.items()
    }


def _by_visibility(records: Records) -> dict[str, SubsetMetrics]:
    code = records.truth.visible_camera + 2 * records.truth.visible_lidar.astype(np.int64)
    return {name: _of_truth(records, code == sensors) for sensors, name in SOURCE_NAMES.items()}


def _by_class(records: Records) -> dict[str, SubsetMetrics]:
    return {
        name: _of_truth(records, records.truth.classes == index)
        for index, name in enumerate(COLOUR_NAMES)
    }


def _of_truth(records: Records, truth: Booleans) -> SubsetMetrics:
    cones = np.append(truth, False)[records.cones.truth]
    subset = _subset(records, cones, truth)
    counts = subset.counts
    # False cones belong to no truth: precision without them would always be 1.
    return SubsetMetrics(ConeCounts(0, counts.true, counts.matched, counts.right), subset.position)


def _confusion(records: Records) -> tuple[tuple[int, ...], ...]:
    selected = records.cones.selected & records.cones.is_match
    classes = records.truth.classes[records.cones.truth[selected]]
    pairs = classes * len(COLOUR_NAMES) + records.cones.colours[selected]
    known = pairs[classes != ConeClass.UNKNOWN]
    shape = (len(CLASS_NAMES), len(COLOUR_NAMES))
    table = np.bincount(known, minlength=shape[0] * shape[1]).reshape(shape)
    return tuple(tuple(int(cell) for cell in row) for row in table)


def _confusion_unseen(records: Records) -> tuple[int, ...]:
    cones = records.cones
    chosen = cones.selected & cones.is_match & (cones.colours == ConeClass.UNKNOWN)
    truth = cones.truth[chosen]
    classes = records.truth.classes[truth[~records.truth.visible_camera[truth]]]
    counts = np.bincount(classes, minlength=len(COLOUR_NAMES))[: len(CLASS_NAMES)]
    return tuple(int(count) for count in counts)


def _interval(records: Records, hits: Booleans, config: EvaluationConfig) -> Interval:
    return f1_interval(
        *f1_counts(records, hits),
        samples=config.bootstrap_samples,
        block=config.bootstrap_block,
    )
