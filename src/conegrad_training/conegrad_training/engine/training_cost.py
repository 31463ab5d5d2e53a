"""What a training run has cost so far."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conegrad_training.engine.distributed import count, united


@dataclass
class TrainingCost:
    """Cost of a run; what the patterns are compared by.

    Of processes that train together, each counts its own samples; their sum is in
    :meth:`to_dict` and :meth:`state_dict`, which all of them must call.

    Attributes:
        steps: optimizer steps.
        forward: samples that went forward, by stage.
        backward: samples whose gradient went backward, by stage.
        seconds: time of the steps, without reading, evaluation and checkpoints [s].
    """

    steps: int = 0
    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    # label values by who needs them, then by sample
    _seen: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    def add_step(
        self, samples: int, run: Collection[str], learned: Collection[str], seconds: float
    ) -> None:
        """Count one optimizer step.

        Args:
            samples: in the batch.
            run: stages that went forward.
            learned: stages that went backward as well.
            seconds: it took.
        """
        self.steps += 1
        self.seconds += seconds
        for counts, stages in ((self.forward, run), (self.backward, learned)):
            for stage in stages:
                counts[stage] = counts.get(stage, 0) + samples * count()

    def knows(self, needed_by: str, sample: str) -> bool:
        """The labels of a sample are counted already."""
        return (needed_by, sample) in self._seen

    def add_labels(self, needed_by: str, sample: str, values: int) -> None:
        """Count the labels of a sample; a sample seen again costs nothing.

        Args:
            needed_by: ``end``, or the stage of a supervised loss.
            sample: its name.
            values: numbers that people had to give.
        """
        self._seen.setdefault((needed_by, sample), values)

    @property
    def label_values(self) -> int:
        """Numbers that people had to give for the samples of this process.

        They are 3 per cone (x, y, colour) for the end loss, and for a supervised loss as many as
        its stage says.
        """
        return sum(self._seen.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for reports."""
        values = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        by_need: dict[str, int] = {}
        for (needed_by, _), of_sample in sorted(united(self._seen).items()):
            by_need[needed_by] = by_need.get(needed_by, 0) + of_sample
        return values | {
            "label_values": sum(by_need.values()),
            "label_values_by_need": by_need,
        }

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        seen = [[*key, values] for key, values in sorted(united(self._seen).items())]
        return {**self.to_dict(), "seen": seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        for name in ("steps", "forward", "backward", "seconds"):
            setattr(self, name, state[name])
        self._seen = {(needed_by, sample): values for needed_by, sample, values in state["seen"]}
