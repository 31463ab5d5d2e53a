"""Backward passes of a model whose loss is computed elsewhere, keyed by the stamp of its input."""

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from conegrad_core.settings import Config, setting

MOST_PORTS = 8  # of a stage, whose gradients are recognised when they come again


class GradientRefusedError(ValueError):
    """A gradient cannot be used; names its stamp and why. The weights stay as they were."""


@dataclass(frozen=True)
class ExchangeConfig(Config):
    """How long graphs wait for their gradient."""

    graphs: int = setting(8, "Graphs kept at most; a new one replaces the oldest", low=1)
    timeout: float = setting(30.0, "A graph without gradient is dropped after this [s]", low=1e-3)


class Graph(NamedTuple):
    """Tensors of each port that are still attached to their graph, and since when [s]."""

    ports: dict[str, tuple[Tensor, ...]]
    since: float


class GradientExchange:
    """Keeps the autograd graph of each output until its gradient comes, then goes backward.

    A graph has the tensors of one port or of several. An optimizer step follows the last gradient
    of a step. It makes all other graphs stale: they belong to weights that have changed. A gradient
    that comes twice gets two receipts and is used once.

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
        self._used: OrderedDict[tuple[int, str, int], bool] = OrderedDict()
        self._step, self._gathered, self._since = -1, 0, 0.0
        self.lock = threading.RLock()

    def __len__(self) -> int:
        """Graphs that wait."""
        return len(self._graphs)

    def remember(self, stamp_ns: int, ports: Mapping[str, tuple[Tensor, ...]], now: float) -> None:
        """Keep the graph of the outputs for the input of a stamp.

        Args:
            stamp_ns: of the input; a graph of the same stamp is replaced.
            ports: tensors of each port, attached to their graph.
            now: of a clock that never goes back [s].
        """
        with self.lock:
            self._graphs.pop(stamp_ns, None)
            self._graphs[stamp_ns] = Graph(dict(ports), now)
            while len(self._graphs) > self._config.graphs:
                self._graphs.popitem(last=False)

    def apply(
        self,
        stamp_ns: int,
        port: str,
        gradients: Sequence[Tensor],
        *,
        step: int,
        parts: int,
        now: float,
    ) -> bool:
        """Go backward from the tensors of a port; step if the step is complete.

        Args:
            stamp_ns: of the input.
            port: that the gradients are of.
            gradients: of the loss, one per tensor and of its shape (flat is fine as well).
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
            key = (stamp_ns, port, step)
            if key in self._used:
                return self._used[key]
            shaped = self._shaped(stamp_ns, port, gradients)
            if step != self._step:
                self._begin(step, now)
            ports = self._graphs[stamp_ns].ports
            outputs = ports.pop(port)
            pairs = [pair for pair in zip(outputs, shaped, strict=True) if pair[0].requires_grad]
            if pairs:  # else there was no detection at all, and nothing to learn
                torch.autograd.backward(
                    [pair[0] for pair in pairs],
                    [pair[1] for pair in pairs],
                    retain_graph=bool(ports),
                )
            if not ports:
                del self._graphs[stamp_ns]
            self._gathered += 1
            has_stepped = self._gathered >= parts and self._step_optimizer(stamp_ns)
            self._note(key, has_stepped)
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

    def _shaped(self, stamp_ns: int, port: str, gradients: Sequence[Tensor]) -> list[Tensor]:
        graph = self._graphs.get(stamp_ns)
        if graph is None or port not in graph.ports:
            raise GradientRefusedError(
                f"stamp {stamp_ns} ns has no graph of {port}: it was replaced (exchange.graphs), "
                "overdue (exchange.timeout), made with weights that have changed since, or never "
                "seen"
            )
        outputs = graph.ports[port]
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

    def _step_optimizer(self, stamp_ns: int) -> bool:
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

    def _note(self, key: tuple[int, str, int], has_stepped: bool) -> None:
        self._used[key] = has_stepped
        while len(self._used) > self._config.graphs * MOST_PORTS:
            self._used.popitem(last=False)
