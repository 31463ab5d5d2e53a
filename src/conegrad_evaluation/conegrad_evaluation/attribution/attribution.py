"""What every component of a system costs on a drive, and which cones it costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from conegrad_core.settings import Config, setting
from conegrad_evaluation.attribution.calibration_errors import measure_errors
from conegrad_evaluation.attribution.gradient_share import gradient_shares
from conegrad_evaluation.attribution.outcomes import Outcome, faulty_cones, outcome, repaired
from conegrad_evaluation.attribution.reference import SHIPPED, Reference, loss_of_quality
from conegrad_evaluation.attribution.refinement import Refinement
from conegrad_evaluation.attribution.shapley import Coalition, shapley_shares
from conegrad_evaluation.attribution.substitution import CALIBRATION, TIME, Substitution
from conegrad_evaluation.attribution.trace import TracedCone, trace_cones
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_truths.port_truth import PortCounts
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

NONE: Coalition = frozenset()


@dataclass(frozen=True)
class AttributionConfig(Config):
    """Settings of an attribution."""

    frames: int = setting(100, "Frames that are evaluated, spread evenly", low=1)
    gradient_frames: int = setting(3, "Frames of the gradient shares; 0: none", low=0)


@dataclass(frozen=True)
class Attribution:
    """Where a system loses its cones.

    Attributes:
        score: F1 with colour of the system as it is.
        perfect: with every component perfect.
        shares: what each component costs; their sum is ``perfect - score``.
        alone: score with this component alone perfect.
        refinement: errors of mounting and stamps that the drive shows.
        qualities: how much of what each network writes is right by itself, in [0, 1].
        traces: cause of every faulty cone.
        gradients: share of each network in the gradient of each term of the end loss.
        stage_runs: forward passes of each stage over the drive.
        seconds: processor time of each step [s]: ``decode``, ``networks`` and ``join``, one
            evaluation of the drive; ``fit``, ``subsets`` and ``gradient``, what attribution adds.
        frames: number of frames.
        reference: what the system is compared with.
        before: evaluation of the system as it is.
        outputs: what the networks write, by kind of port, one per frame.
    """

    score: float
    perfect: float
    shares: Mapping[str, float]
    alone: Mapping[str, float]
    refinement: Refinement
    qualities: Mapping[str, float]
    traces: Sequence[TracedCone]
    gradients: Mapping[str, Mapping[str, float]]
    stage_runs: Mapping[str, int]
    seconds: Mapping[str, float]
    frames: int
    reference: Reference
    before: Outcome = field(repr=False)
    outputs: Mapping[str, Sequence[Any]] = field(repr=False)

    @property
    def gap(self) -> float:
        """What perfect components would gain."""
        return self.perfect - self.score

    @property
    def cost(self) -> float:
        """Processor time of the whole, in evaluations of the drive."""
        seconds = self.seconds
        once = seconds.get("decode", 0.0) + seconds["networks"] + seconds["join"]
        return sum(seconds.values()) / once


def attribute(
    system: System,
    samples: Sequence[Sample],
    twists: Sequence[Tensor | None],
    evaluation: EvaluationConfig,
    config: AttributionConfig | None = None,
    *,
    reference: Reference = SHIPPED,
    decode_seconds: float = 0.0,
) -> Attribution:
    """Replace the components of a system by perfect ones and see what it gains.

    Args:
        system: is left in evaluation mode.
        samples: of a drive, with truth.
        twists: ``(3,)`` velocity of the LiDAR in each sample: x, y [m/s], yaw [rad/s]; None where
            it is not known: then delays of stamps are not measured.
        evaluation: settings of the metrics.
        config: of the attribution.
        reference: the same system on a drive that is known to be good.
        decode_seconds: that reading the samples took, for the cost [s].

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("samples is empty, expected at least one to attribute")
    config = config or AttributionConfig()
    system.eval()
    clock = _Clock(decode_seconds)
    substitution = Substitution(system, samples, twists)
    outputs = substitution.networks_outputs()
    clock.stop("networks")
    truths = [scene.truth for scene in substitution.given_scenes]
    before = outcome(substitution.cones(NONE), truths, evaluation)
    clock.stop("join")
    refinement = measure_errors(substitution.given_scenes, outputs, twists)
    substitution.refine(refinement)
    qualities = {name: _quality(counts) for name, counts in substitution.qualities().items()}
    clock.stop("fit")
    known: dict[Coalition, Outcome] = {NONE: before}

    def of(perfect: Coalition) -> Outcome:
        key = substitution.distinct(perfect)
        if key not in known:
            known[key] = outcome(substitution.cones(key), truths, evaluation)
        return known[key]

    players = substitution.players
    shares = shapley_shares(players, lambda perfect: of(perfect).counts.f1_colour)
    faults = faulty_cones(before, evaluation)
    repairs: dict[Coalition, Any] = {}

    def repaired_by(perfect: Coalition) -> Any:
        key = substitution.distinct(perfect)
        if key not in repairs:
            repairs[key] = repaired(faults, of(key), evaluation)
        return repairs[key]

    costs = {name: float(share) for name, share in shares.items()}
    rates = error_rates(qualities, refinement, reference)
    traces = trace_cones(faults, shapley_shares(players, repaired_by), rates)
    clock.stop("subsets")
    gradients = _gradients(system, samples, substitution, config.gradient_frames)
    clock.stop("gradient")
    return Attribution(
        score=before.counts.f1_colour,
        perfect=of(frozenset(players)).counts.f1_colour,
        shares=costs,
        alone={name: of(frozenset({name})).counts.f1_colour for name in players},
        refinement=refinement,
        qualities=qualities,
        traces=traces,
        gradients=gradients,
        stage_runs=substitution.stage_runs,
        seconds=clock.seconds,
        frames=len(samples),
        reference=reference,
        before=before,
        outputs=outputs,
    )


def error_rates(
    qualities: Mapping[str, float], refinement: Refinement, reference: Reference
) -> dict[str, float]:
    """How much oftener each component goes wrong by itself than it should, in [0, 1]."""
    rates = {name: 1.0 - quality for name, quality in qualities.items()}
    for name in rates.keys() & reference.qualities.keys():
        rates[name] = max(loss_of_quality(name, qualities, reference), 0.0)
    rates[CALIBRATION] = float(bool(refinement.mounting))
    rates[TIME] = float(bool(refinement.time))
    return rates


def _quality(counts: Sequence[PortCounts]) -> float:
    """Of all frames together."""
    return PortCounts(*(sum(values) for values in zip(*counts, strict=True))).quality


def _gradients(
    system: System, samples: Sequence[Sample], substitution: Substitution, count: int
) -> dict[str, dict[str, float]]:
    """Gradient shares of some frames, spread evenly."""
    count = min(count, len(samples))
    rows = [index * len(samples) // count for index in range(count)]
    if not rows:
        return {}
    outputs = {
        port: [values[row] for row in rows]
        for port, values in substitution.network_values().items()
    }
    if any(value is None for values in outputs.values() for value in values):
        return {}
    return gradient_shares(system, [samples[row] for row in rows], outputs)


class _Clock:
    """Seconds of the steps of an attribution."""

    def __init__(self, decode_seconds: float) -> None:
        self.seconds = {"decode": decode_seconds}
        self._started = time.process_time()

    def stop(self, step: str) -> None:
        now = time.process_time()
        self.seconds[step] = now - self._started
        self._started = now
