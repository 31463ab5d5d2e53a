"""Backward passes of a model whose loss is computed elsewhere, keyed by the stamp of its input."""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from conegrad_core.settings import Config, setting


class GradientRefusedError(ValueError):
    """A gradient cannot be used; names its stamp and why. The weights stay as they were."""


@dataclass(frozen=True)
class ExchangeConfig(Config):
    """How long graphs wait for their gradient."""

    graphs: int = setting(8, "Graphs kept at most; a new one replaces the oldest", low=1)
    timeout: float = setting(30.0, "A graph without gradient is dropped after this [s]", low=1e-3)


class Graph(NamedTuple):
    """Outputs that still know how they came about, and since when [s]."""

    outputs: tuple[Tensor, ...]
    since: float


class GradientExchange:
    """Keeps the autograd graph of each output until its gradient comes, then goes backward.

    An optimizer step follows the last gradient of a step. It makes all other graphs stale: they
    belong to weights that are no more. A gradient that comes twice is answered twice and used once.

    Attributes:
        lock: hold it from the forward pass until :meth:`remember`, as weights must not change
            in between; :meth:`apply` and :meth:`expire` take it themselves.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: Optimizer,
        config: ExchangeConfig | None = None,
        *,
        max_grad_norm: float = 5.0,
    ) -> None:
        """Begin without graphs.

        Args:
            module: learns in place.
            optimizer: of its weights.
            config: bounds of memory and time.
            max_grad_norm: longest gradient of a step.
        """
        self._module, self._optimizer = module, optimizer
        self._config, self._max_grad_norm = config or ExchangeConfig(), max_grad_norm
        self._graphs: OrderedDict[int, Graph] = OrderedDict()
        self._used: OrderedDict[tuple[int, int], bool] = OrderedDict()
        self._step, self._gathered, self._since = -1, 0, 0.0
        self.lock = threading.RLock()

    def __len__(self) -> int:
        """Graphs that wait."""
        return len(self._graphs)

    def remember(self, stamp_ns: int, outputs: tuple[Tensor, ...], now: float) -> None:
        """Keep the graph of the outputs for the input of a stamp.

        Args:
            stamp_ns: of the input; a graph of the same stamp is replaced.
            outputs: attached to their graph.
            now: of a clock that never goes back [s].
        """
        with self.lock:
            self._graphs.pop(stamp_ns, None)
            self._graphs[stamp_ns] = Graph(outputs, now)
            while len(self._graphs) > self._config.graphs:
                self._graphs.popitem(last=False)

    def apply(
        self, stamp_ns: int, gradients: Sequence[Tensor], *, step: int, parts: int, now: float
    ) -> bool:
        """Go backward from the outputs of a stamp; step if the step is complete.

        Args:
            stamp_ns: of the input.
            gradients: of the loss, one per output and of its shape (flat is fine as well).
            step: optimizer step it belongs to; another one than before drops what was gathered.
            parts: gradients that make up the step.
            now: as in :meth:`remember`.

        Returns:
            Whether the weights changed.

        Raises:
            GradientRefusedError: if the graph is gone, or the gradient does not fit or is not
                finite; of a step with such a gradient nothing is used.
        """
        with self.lock:
            self.expire(now)
            if (stamp_ns, step) in self._used:
                return self._used[stamp_ns, step]
            shaped = self._shaped(stamp_ns, gradients)
            if step != self._step:
                self._begin(step, now)
            outputs = self._graphs.pop(stamp_ns).outputs
            pairs = [pair for pair in zip(outputs, shaped, strict=True) if pair[0].requires_grad]
            if pairs:  # else there was no detection at all, and nothing to learn
                torch.autograd.backward([pair[0] for pair in pairs], [pair[1] for pair in pairs])
            self._gathered += 1
            has_stepped = self._gathered >= parts and self._finish(stamp_ns)
            self._note(stamp_ns, step, has_stepped)
            return has_stepped

    def expire(self, now: float) -> int:
        """Drop graphs, and a step in part, whose gradients are overdue; how many graphs."""
        with self.lock:
            oldest = now - self._config.timeout
            late = [stamp for stamp, graph in self._graphs.items() if graph.since < oldest]
            for stamp in late:
                del self._graphs[stamp]
            if self._gathered and self._since < oldest:
                self._begin(-1, now)
            return len(late)

    def _shaped(self, stamp_ns: int, gradients: Sequence[Tensor]) -> list[Tensor]:
        if stamp_ns not in self._graphs:
            raise GradientRefusedError(
                f"stamp {stamp_ns} ns has no graph: it was replaced (exchange.graphs), overdue "
                "(exchange.timeout), made with weights that have changed since, or never seen"
            )
        outputs = self._graphs[stamp_ns].outputs
        sizes = [output.numel() for output in outputs]
        found = [gradient.numel() for gradient in gradients]
        if found != sizes:
            raise GradientRefusedError(
                f"the gradient of stamp {stamp_ns} ns has {found} values, expected {sizes}"
            )
        if not all(bool(gradient.isfinite().all()) for gradient in gradients):
            self._begin(-1, 0.0)
            raise GradientRefusedError(
                f"the gradient of stamp {stamp_ns} ns is not finite, its step is dropped"
            )
        return [
            gradient.to(output).reshape(output.shape)
            for output, gradient in zip(outputs, gradients, strict=True)
        ]

    def _begin(self, step: int, now: float) -> None:
        self._optimizer.zero_grad()
        self._step, self._gathered, self._since = step, 0, now

    def _finish(self, stamp_ns: int) -> bool:
        weights = [weight for weight in self._module.parameters() if weight.grad is not None]
        norm = float(clip_grad_norm_(weights, self._max_grad_norm))
        if not math.isfinite(norm):
            self._begin(-1, 0.0)
            raise GradientRefusedError(
                f"the gradient of the weights is {norm} after stamp {stamp_ns} ns, its step is "
                "dropped"
            )
        self._optimizer.step()
        self._begin(-1, 0.0)
        self._graphs.clear()
        return True

    def _note(self, stamp_ns: int, step: int, has_stepped: bool) -> None:
        self._used[stamp_ns, step] = has_stepped
        while len(self._used) > self._config.graphs:
            self._used.popitem(last=False)
