"""What a training run has cost so far."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conegrad_training.engine.distributed import count, united


@dataclass
class Budget:
    """Cost of a run; what the patterns are compared by.

    Of processes that train together, each counts its own samples; their sum is in
    :meth:`to_dict` and :meth:`state_dict`, which all of them must call.

    Attributes:
        steps: optimizer steps.
        forward: samples that went forward, by part.
        backward: samples whose gradient went backward, by part.
        seconds: time of the steps, without reading, evaluation and checkpoints [s].
        label_values: numbers that people had to give: 3 per cone (x, y, colour); for boxes 5 per
            box, for beams 1 per beam.
    """

    steps: int = 0
    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    label_values: int = 0
    _seen: dict[str, int] = field(default_factory=dict, repr=False)  # label values by sample

    def add_step(
        self, samples: int, run: Collection[str], learned: Collection[str], seconds: float
    ) -> None:
        """Count one optimizer step.

        Args:
            samples: in the batch.
            run: parts that went forward.
            learned: parts that went backward as well.
            seconds: it took.
        """
        self.steps += 1
        self.seconds += seconds
        for counts, parts in ((self.forward, run), (self.backward, learned)):
            for part in parts:
                counts[part] = counts.get(part, 0) + samples * count()

    def knows(self, key: str) -> bool:
        """The labels of a sample are paid for already."""
        return key in self._seen

    def add_labels(self, key: str, values: int) -> None:
        """Count the labels of a sample; a sample seen again costs nothing."""
        if key not in self._seen:
            self._seen[key] = values
            self.label_values += values

    def to_dict(self) -> dict[str, Any]:
        """Plain values for reports."""
        values = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        return values | {"label_values": sum(united(self._seen).values())}

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {**self.to_dict(), "seen": dict(sorted(united(self._seen).items()))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        for name in self.to_dict():
            setattr(self, name, state[name])
        self._seen = dict(state["seen"])
