"""Oracle bounds: what would the system score with some of its networks perfect?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conegrad_core.losses import EndLoss
from conegrad_evaluation.attribution.substitution import Substitution
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System
from conegrad_training.forecast.scores import Scores, scores_of

Components = frozenset[str]


class Oracle:
    """Scores of a system on some samples with any of its components perfect."""

    def __init__(
        self,
        system: System,
        samples: Sequence[Sample],
        criterion: EndLoss,
        config: EvaluationConfig,
        written: Mapping[str, list[Any]] | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            system: in evaluation mode.
            samples: with truth.
            criterion: the end loss.
            config: of the metric.
            written: what the networks write of the samples, by port; None: they run.
        """
        self._truths = [system.truth(sample) for sample in samples]
        self._criterion, self._config = criterion, config
        unknown = [None] * len(samples)  # velocities: stamps are not judged here
        self._system = Substitution(system, samples, unknown, written)
        self._known: dict[Components, Scores] = {}

    def scores(self, perfect: Iterable[str]) -> Scores:
        """Scores with some components perfect.

        Args:
            perfect: stages; a stage without a known truth stays as it is.
        """
        chosen = frozenset(perfect) & frozenset(self._system.players)
        if chosen not in self._known:
            cones = self._system.cones(chosen)
            self._known[chosen] = scores_of(cones, self._truths, self._criterion, self._config)
        return self._known[chosen]
