"""Metrics of fused cones against truth: the one implementation, used everywhere."""

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
    nees,
    reliability,
)
from conegrad_evaluation.metrics.counts import Counts, count
from conegrad_evaluation.metrics.curve import PrecisionRecall, precision_recall
from conegrad_evaluation.metrics.failure_modes import SOURCE_NAMES, Reasons, explain
from conegrad_evaluation.metrics.json_values import to_plain
from conegrad_evaluation.metrics.latency import Latency, latency
from conegrad_evaluation.metrics.matching import (
    Booleans,
    EvaluationConfig,
    FrameResult,
    match_frame,
)
from conegrad_evaluation.metrics.position import PositionError, matched_errors, position_error
from conegrad_evaluation.metrics.range_bins import BAND_NAMES, band_of
from conegrad_evaluation.metrics.records import Records, collect


@dataclass(frozen=True)
class Group:
    """Counts and position error of a part of the cones, e.g. a range band."""

    counts: Counts
    position: PositionError


@dataclass(frozen=True)
class Evaluation:
    """All metrics of a drive.

    Attributes:
        config: the settings they hold for.
        frames: frames with truth.
        label_values: numbers of truth used: x, y and colour per counted cone.
        total: counts and position error of everything.
        with_camera: a camera took part; without one no cone has a colour.
        f1_interval: 95 % interval of F1, bootstrapped over frames.
        f1_colour_interval: likewise of F1 with colour.
        bands: by range, keys :data:`~conegrad_evaluation.metrics.range_bins.BAND_NAMES`. A matched
            cone belongs to the band of its truth, another to its own.
        by_source: cones by the sensors that made them; recall has no meaning here and is NaN.
        by_visibility: truth by the sensors that could see it ("camera", "lidar", "both");
            precision has no meaning here and is NaN.
        by_class: truth by its class name; precision has no meaning here and is NaN.
        confusion: ``4 x 5`` matched cones: true class in rows, most probable colour in columns.
        curve: precision and recall over the existence threshold.
        curve_colour: the same counting a wrong colour as wrong.
        reliability: calibration of the existence probability.
        consistency: calibration of the covariance.
        reasons: why truth was missed and cones are false.
        latency: from the capture of the data to the cones.
    """

    config: EvaluationConfig
    frames: int
    label_values: int
    total: Group
    with_camera: bool
    f1_interval: Interval
    f1_colour_interval: Interval
    bands: dict[str, Group]
    by_source: dict[str, Group]
    by_visibility: dict[str, Group]
    by_class: dict[str, Group]
    confusion: tuple[tuple[int, ...], ...]
    curve: PrecisionRecall
    curve_colour: PrecisionRecall
    reliability: Reliability
    consistency: Consistency
    reasons: Reasons
    latency: Latency

    @property
    def headline(self) -> str:
        """Name of the figure that comes first: ``f1_colour``, or ``f1`` without a camera."""
        return "f1_colour" if self.with_camera else "f1"

    @property
    def score(self) -> float:
        """The headline's value."""
        return self.f1_colour if self.with_camera else self.total.counts.f1

    @property
    def score_interval(self) -> Interval:
        """The headline's 95 % interval."""
        return self.f1_colour_interval if self.with_camera else self.f1_interval

    @property
    def f1_colour(self) -> float:
        """F1 counting a wrong colour as wrong."""
        return self.total.counts.f1_colour

    @property
    def recall(self) -> float:
        """Share of the truth that was found, whatever its colour."""
        return self.total.counts.recall

    @property
    def rmse(self) -> float:
        """Root mean square of the position error [m]."""
        return self.total.position.rmse

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values; None where a value does not exist."""
        plain: dict[str, Any] = to_plain(self)
        plain["total"] = _group_dict(self.total)
        for name in ("bands", "by_source", "by_visibility", "by_class"):
            plain[name] = {key: _group_dict(group) for key, group in getattr(self, name).items()}
        first = {
            "headline": self.headline,
            "f1": self.total.counts.f1,
            "f1_colour": self.f1_colour,
            "recall": self.recall,
            "rmse": self.rmse,
        }
        return {**{key: to_plain(value) for key, value in first.items()}, **plain}


class Evaluator:
    """Collects frames until the metrics are asked for.

    Attributes:
        with_camera: a camera took part, so that colours are judged in the headline.
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
    errors, _ = matched_errors(records)
    covariances = cones.covariances[cones.selected & cones.is_match]
    return Evaluation(
        config=config,
        frames=len(frames),
        label_values=LABEL_VALUES_PER_CONE * true,
        total=_group(records),
        with_camera=with_camera,
        f1_interval=_interval(records, records.cones.is_match, config),
        f1_colour_interval=_interval(records, records.cones.is_right, config),
        bands=_by_band(records),
        by_source=_by_source(records),
        by_visibility=_by_visibility(records),
        by_class=_by_class(records),
        confusion=_confusion(records),
        curve=precision_recall(cones.existence, cones.is_match, true),
        curve_colour=precision_recall(cones.existence, cones.is_right, true),
        reliability=reliability(cones.existence, cones.is_match),
        consistency=consistency(nees(errors, covariances)),
        reasons=explain(frames, config),
        latency=latency(latencies),
    )


def _group(records: Records, cones: Booleans | None = None, truth: Booleans | None = None) -> Group:
    return Group(count(records, cones, truth), position_error(*matched_errors(records, cones)))


def _group_dict(group: Group) -> dict[str, Any]:
    return {"counts": group.counts.to_dict(), "position": to_plain(group.position)}


def _by_band(records: Records) -> dict[str, Group]:
    cone_bands, truth_bands = band_of(records.cones.distances), band_of(records.truth.distances)
    return {
        name: _group(records, cone_bands == band, truth_bands == band)
        for band, name in enumerate(BAND_NAMES)
    }


def _by_source(records: Records) -> dict[str, Group]:
    no_truth = np.zeros(len(records.truth.found), dtype=np.bool_)
    return {
        name: _group(records, records.cones.sources == source, no_truth)
        for source, name in SOURCE_NAMES.items()
    }


def _by_visibility(records: Records) -> dict[str, Group]:
    code = records.truth.visible_camera + 2 * records.truth.visible_lidar.astype(np.int64)
    return {name: _of_truth(records, code == sensors) for sensors, name in SOURCE_NAMES.items()}


def _by_class(records: Records) -> dict[str, Group]:
    return {
        name: _of_truth(records, records.truth.classes == index)
        for index, name in enumerate(COLOUR_NAMES)
    }


def _of_truth(records: Records, truth: Booleans) -> Group:
    cones = np.append(truth, False)[records.cones.truth]
    group = _group(records, cones, truth)
    counts = group.counts
    # False cones belong to no truth: without them, precision would look perfect.
    return Group(Counts(0, counts.true, counts.matched, counts.right), group.position)


def _confusion(records: Records) -> tuple[tuple[int, ...], ...]:
    chosen = records.cones.selected & records.cones.is_match
    classes = records.truth.classes[records.cones.truth[chosen]]
    pairs = classes * len(COLOUR_NAMES) + records.cones.colours[chosen]
    known = pairs[classes != ConeClass.UNKNOWN]
    shape = (len(CLASS_NAMES), len(COLOUR_NAMES))
    table = np.bincount(known, minlength=shape[0] * shape[1]).reshape(shape)
    return tuple(tuple(int(cell) for cell in row) for row in table)


def _interval(records: Records, hits: Booleans, config: EvaluationConfig) -> Interval:
    cones, frames = records.cones, records.frame_count
    predicted = np.bincount(cones.frames[cones.selected], minlength=frames)
    right = np.bincount(cones.frames[cones.selected & hits], minlength=frames)
    true = np.bincount(records.truth.frames, minlength=frames)
    return f1_interval(
        right,
        predicted + true,
        samples=config.bootstrap_samples,
        block=config.bootstrap_block,
    )
