"""Attacks on training samples: a share of them, found anew in each step by the end loss.

The inner maximisation of adversarial training (Madry et al., ICLR 2018), by the code that measures
attacks, against the system as it is at that step. It comes before the loss of the pattern, so that
every pattern can learn from attacked samples. Draws are a pure function of the seed and the step,
so that a run can resume.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.registry import port_type
from conegrad_core.settings import Config, setting
from conegrad_data.errors import TrainingError
from conegrad_evaluation.attacks.attacked import attacked
from conegrad_evaluation.attacks.threat import Threat, read_threat
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.distributed import rank
from conegrad_training.systems.system import TrainableSystem


@dataclass(frozen=True)
class AdversarialConfig(Config):
    """Which training samples are attacked, and how."""

    adversarial: tuple[str, ...] = setting(
        (),
        "Attacks on training samples, one of them in each step: NAME, NAME:SIZE or "
        "NAME:PARAMETER=VALUE,..., several at once joined by +",
        metavar="ATTACK",
    )
    adversarial_share: float = setting(
        0.5, "Of --adversarial: share of samples that are attacked", low=0.0, high=1.0
    )
    adversarial_steps: int = setting(
        2, "Of --adversarial: steps along the gradient", low=1, high=1000
    )
    adversarial_tries: int = setting(
        8, "Of --adversarial: values tried where no gradient says what to choose", low=1, high=1000
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for word in self.adversarial:
            try:
                read_threat(word)
            except (PipelineError, ValueError) as error:
                raise self.refusal("adversarial", f"has {word!r}: {error}") from error


class AdversarialTraining:
    """Attacks the samples of a run.

    Attributes:
        threats: of which each step has one.
    """

    def __init__(
        self, config: AdversarialConfig, kinds: Sequence[str], criterion: EndLoss, seed: int
    ) -> None:
        """Choose the attacks.

        Args:
            config: which attacks.
            kinds: of the inputs of the pipeline.
            criterion: the end loss, which attacks raise.
            seed: of the draws.

        Raises:
            SettingError: for an attack on a kind of port that the pipeline does not take.
        """
        self._config, self._criterion, self._seed = config, criterion, seed
        self.threats: Sequence[Threat] = [read_threat(word) for word in config.adversarial]
        for threat in self.threats:
            if missing := sorted(threat.kinds - set(kinds)):
                raise config.refusal(
                    "adversarial",
                    f"has {threat}, which acts on {', '.join(missing)}; the pipeline has the "
                    f"inputs {', '.join(kinds)}, expected an attack on one of them",
                )

    def attacked(
        self, system: TrainableSystem, samples: Sequence[Sample], step: int
    ) -> list[Sample]:
        """The samples of a step, of which a share is attacked.

        Samples that lack a value that is attacked stay as they are. Modes, statistics and
        gradients of the system stay, too.

        Args:
            system: in training mode as the pattern wants it.
            samples: of the step.
            step: its number.

        Raises:
            TrainingError: if a gradient is not finite.
        """
        draws = np.random.default_rng((self._seed, step, rank(), 0xADE5))
        threat = self.threats[int(draws.integers(len(self.threats)))]
        chosen = draws.random(len(samples)) < self._config.adversarial_share
        places = [i for i in np.flatnonzero(chosen).tolist() if _has_ports(samples[i], threat)]
        if not places:
            return list(samples)
        try:
            found = attacked(
                system,
                [samples[place] for place in places],
                threat,
                self._criterion,
                steps=self._config.adversarial_steps,
                tries=self._config.adversarial_tries,
                seed=int(draws.integers(2**32)),
                keeps_best=False,
            )
        except ValueError as error:
            keys = "; ".join(str(samples[place].key) for place in places)
            raise TrainingError(f"one of [{keys}]: {error}; the step was refused") from error
        changed = dict(zip(places, found.samples, strict=True))
        return [changed.get(place, sample) for place, sample in enumerate(samples)]


def _has_ports(sample: Sample, threat: Threat) -> bool:
    """Whether a sample has a value of each kind that is attacked."""
    containers = [port_type(kind).container for kind in threat.kinds]
    values = list(sample.inputs.values())
    return all(any(isinstance(value, kind) for value in values) for kind in containers)
