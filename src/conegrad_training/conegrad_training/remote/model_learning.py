"""How the stage of a node learns: its graphs are kept and its gradients awaited."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from rclpy.node import Node

from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.stage import Stage
from conegrad_data.decode import stamp_ns_from_msg
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_training.engine.optimizers import StageOptimizerConfig, make_stage_optimizer
from conegrad_training.remote.gradient_exchange import ExchangeConfig, GradientExchange
from conegrad_training.remote.gradient_service import GradientService
from conegrad_training.remote.training_mode import TrainingModeConfig, set_training

Values = Mapping[str, Any]  # of each port


class ModelLearning:
    """What a node adds to a node of the car so that its stage learns.

    Parameters of the node: ``optimizer.``, ``exchange.`` and ``training.`` with the fields of
    StageOptimizerConfig, ExchangeConfig and TrainingModeConfig.

    Attributes:
        mode: how the stage learns, and where its weights go.
    """

    def __init__(self, node: Node, name: str) -> None:
        """Declare the parameters; nothing is served before :meth:`open`.

        Args:
            node: of the stage.
            name: of the stage in the pipeline.
        """
        self._node, self._name = node, name
        self._optimizer_config = declare_config(node, StageOptimizerConfig, "optimizer")
        self._exchange_config = declare_config(node, ExchangeConfig, "exchange")
        self.mode = declare_config(node, TrainingModeConfig, "training")
        self._service: GradientService | None = None
        self._stamp_ns: int | None = None  # of the input in the stage; None: a warm-up

    def open(self, stage: Stage, ports: Mapping[str, PortType]) -> None:
        """Make a stage learn that was just loaded, and serve its gradients.

        Args:
            stage: that learns.
            ports: type of each port that it writes.
        """
        self._ports = dict(ports)
        set_training(stage, self.mode)
        self._exchange = GradientExchange(
            stage,
            make_stage_optimizer(stage, self._optimizer_config),
            self._exchange_config,
            max_grad_norm=self._optimizer_config.max_grad_norm,
        )

        def save() -> Any:
            path = self.mode.file(stage.weights_file)
            stage.save(path)
            return path

        self._service = GradientService(self._node, self._exchange, self._name, list(ports), save)

    def close(self) -> None:
        """Serve no longer."""
        if self._service is not None:
            self._service.close()
            self._service = None

    @contextmanager
    def warming_up(self, stage: Stage) -> Iterator[None]:
        """The first runs of a stage; they must not change its statistics."""
        stage.eval()
        self._stamp_ns = None
        yield
        set_training(stage, self.mode)

    def begin(self, arrived: Arrived) -> None:
        """Name the message whose content the stage is about to get."""
        self._stamp_ns = stamp_ns_from_msg(arrived.msg.header.stamp)

    def forward(self, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run the stage; the graph of its outputs is kept until their gradient comes.

        Args:
            run: the forward pass, to values of the ports.
        """
        if self._stamp_ns is None:
            # Not inference mode: the head keeps tensors of its first run for those that learn.
            with torch.no_grad():
                return run()
        with self._exchange.lock:
            found = run()
            tensors = {port: kind.tensors(found[port]) for port, kind in self._ports.items()}
            self._exchange.remember(self._stamp_ns, tensors, time.monotonic())
        return found
