"""How the model of a node of the car learns: its graphs are kept and its gradients awaited."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from rclpy.node import Node
from torch import Tensor, nn

from conegrad_data.decode import stamp_ns_from_msg
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_training.engine.optimizers import OptimizerConfig, make_part_optimizer
from conegrad_training.remote.gradient_exchange import ExchangeConfig, GradientExchange
from conegrad_training.remote.gradient_messages import GradientTopic
from conegrad_training.remote.gradient_service import GradientService
from conegrad_training.remote.training_mode import TrainingModeConfig, set_training

T = TypeVar("T")


class ModelLearning:
    """What a node adds to the node of the car so that its model learns.

    Parameters of the node: ``optimizer.``, ``exchange.`` and ``training.`` with the fields of
    OptimizerConfig, ExchangeConfig and TrainingModeConfig.

    Attributes:
        mode: how the model learns, and where its weights go.
    """

    def __init__(
        self,
        node: Node,
        topic: GradientTopic,
        save: Callable[[], Path],
    ) -> None:
        """Declare the parameters; nothing is served before :meth:`open`.

        Args:
            node: of the model.
            topic: of the gradients; its part chooses the learning rate.
            save: writes the weights; returns where, or raises OSError or ValueError.
        """
        self._node, self._topic, self._save = node, topic, save
        self._optimizer_config = declare_config(node, OptimizerConfig, "optimizer")
        self._exchange_config = declare_config(node, ExchangeConfig, "exchange")
        self.mode = declare_config(node, TrainingModeConfig, "training")
        self._service: GradientService | None = None
        self._stamp_ns: int | None = None  # of the input in the model; None: a warm-up

    def open(self, module: nn.Module) -> None:
        """Make a model learn that was just loaded, and serve its gradients."""
        set_training(module, self.mode)
        self._exchange = GradientExchange(
            module,
            make_part_optimizer(self._topic.part, module, self._optimizer_config),
            self._exchange_config,
            max_grad_norm=self._optimizer_config.max_grad_norm,
        )
        self._service = GradientService(self._node, self._exchange, self._topic, self._save)

    def close(self) -> None:
        """Serve no longer."""
        if self._service is not None:
            self._service.close()
            self._service = None

    @contextmanager
    def warming_up(self, module: nn.Module) -> Iterator[None]:
        """The first runs of a model; they must not change its statistics."""
        module.eval()
        self._stamp_ns = None
        yield
        set_training(module, self.mode)

    def begin(self, arrived: Arrived) -> None:
        """Name the message whose content the model is about to see."""
        self._stamp_ns = stamp_ns_from_msg(arrived.msg.header.stamp)

    def forward(self, run: Callable[[], T], outputs: Callable[[T], tuple[Tensor, ...]]) -> T:
        """Run the model; the graph of its outputs is kept until their gradient comes.

        Args:
            run: the forward pass.
            outputs: what gradients come for, of the result of ``run``.
        """
        if self._stamp_ns is None:
            # Not inference mode: the head keeps tensors of its first run for those that learn.
            with torch.no_grad():
                return run()
        with self._exchange.lock:
            found = run()
            self._exchange.remember(self._stamp_ns, outputs(found), time.monotonic())
        return found
