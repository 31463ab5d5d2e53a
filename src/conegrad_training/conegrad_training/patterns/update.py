"""What one step of a training does."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

END, SUPERVISED, BRANCHES, NONE = "end", "supervised", "branches", "none"  # losses
NOTHING: Mapping[str, float] = MappingProxyType({})


class Update(NamedTuple):
    """What one step does.

    Attributes:
        stages: that learn.
        loss: ``end``, the end loss; ``supervised``, the loss of each stage; ``branches``, the
            losses of branches of a fork; ``none``, no loss.
        adapts: stages whose batch-norm statistics follow the data whatever the settings say.
        waits: networks that learn in other steps. Where statistics follow the data, they normalise
            by the batch in this one as well, and keep their statistics.
        terms: of ``branches``: weights of terms of the end loss; the others do not count.
        supervised: of ``branches``: weights of the supervised losses of stages. Their gradient
            goes on into the stages that they read from.
        copy: branch whose copy of the shared model learns; empty: there are no copies.
        averages: the copies are averaged after this step.
    """

    stages: frozenset[str]
    loss: str
    adapts: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    terms: Mapping[str, float] = NOTHING
    supervised: Mapping[str, float] = NOTHING
    copy: str = ""
    averages: bool = False

    @property
    def supervised_stages(self) -> frozenset[str]:
        """Stages that learn from losses of their own."""
        return self.stages if self.loss == SUPERVISED else frozenset(self.supervised)

    @property
    def uses_end_loss(self) -> bool:
        """Some term of the end loss counts."""
        return self.loss == END or bool(self.terms)
