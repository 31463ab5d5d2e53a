"""Trainer of gradients over topics: samples out to the model nodes, gradients back to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.settings import Config, setting
from conegrad_data.errors import TrainingError
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.playback.graph_process import GraphError
from conegrad_nodes.playback.this_machine import check_discovery
from conegrad_training.action.goal_run import USER_ERRORS
from conegrad_training.action.goal_settings import goal_data, read_goal_settings
from conegrad_training.data.sample_stream import SampleBatches, evenly, stream
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.optimizers import make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import plain_settings
from conegrad_training.patterns.patterns import ATTRIBUTION, make_pattern
from conegrad_training.remote.gradient_link import GradientLink
from conegrad_training.remote.gradient_service import WROTE
from conegrad_training.remote.topic_training import train_over_topics
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import stage_settings
from conegrad_training.tracking.run_record import record_run, run_description
from conegrad_training.tracking.tracked_run import log_system, tracked

SAVE_TIMEOUT = 30.0  # [s] for a node to write its weights


@dataclass(frozen=True)
class TopicTrainerConfig(Config):
    """Settings of the trainer."""

    bags: tuple[str, ...] = setting(("",), "Bags to learn from")
    config: str = setting("", "YAML file of settings, as of the action Train")
    output: str = setting("runs/topics", "Folder for the weights of stages that join")
    retry: float = setting(2.0, "A message without answer is sent again after this [s]", low=0.01)
    timeout: float = setting(60.0, "A node without answer is lost after this [s]", low=0.01)


class TopicTrainer(Node):  # type: ignore[misc]
    """Trains model nodes in other processes from the end loss on bags.

    The stages that join run in this process, the networks in their nodes.

    Publishes: the inputs of the pipeline, and ``PORT/gradients`` (conegrad_msgs/PortGradient) of
    each port that a network writes.
    Subscribes: these ports, and ``gradient_receipts``.
    Parameters: the fields of :class:`TopicTrainerConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("topic_trainer", **node_options)
        self._config = declare_config(self, TopicTrainerConfig)
        path = Path(self._config.config).expanduser() if self._config.config else None
        self._settings = read_goal_settings(path)
        self._bags = [Path(bag).expanduser() for bag in self._config.bags if bag]
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self)

    def train(self) -> None:
        """Take all steps, then have everything written.

        Raises:
            ReplayError: if a bag cannot be learned from.
            TrainingError: if a step was refused or a node is lost.
        """
        system = load_system(self._settings.training.system)
        link = GradientLink(
            self, system, self.spin, retry=self._config.retry, timeout=self._config.timeout
        )
        system.learns_calibration = self._settings.training.pattern.learn_calibration
        output = Path(self._config.output).expanduser()
        training, names = self._settings.training, [bag.name for bag in self._bags]
        with tracked(training, names, output, self._settings.tracking) as tracker:
            steps = self._steps(link, system)
            for report in tracker.watch(steps) if tracker else steps:
                terms = ", ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
                self.get_logger().info(f"step {report.step + 1}: {terms}")
            weights = self._save_joins(system, output)
            files = dict(weights)
            for model_node, stage in link.model_nodes().items():
                files[stage] = self._save(model_node)
            self._record(files, output)
            if tracker is not None:
                tracker.finish({}, weights)
                if not tracker.is_lost:
                    self.get_logger().info(tracker.how_to_look())
                log_system(output, self._settings.tracking, tracker)

    def spin(self, seconds: float) -> None:
        """Serve what comes in, for at most a time [s]."""
        self._executor.spin_once(seconds)

    def _steps(self, link: GradientLink, system: TrainableSystem) -> Iterator[StepReport]:
        training = self._settings.training
        run = training.run
        if training.pattern.schedule == ATTRIBUTION:
            fault = f"is {ATTRIBUTION}, which needs the networks in the trainer; expected another"
            raise training.pattern.refusal("schedule", fault)
        if training.disturbance.disturbances:
            words = " ".join(training.disturbance.disturbances)
            fault = f"is {words}; samples that cross topics are not disturbed, expected none"
            raise training.disturbance.refusal("disturbances", fault)
        if training.adversarial.adversarial:
            words = " ".join(training.adversarial.adversarial)
            fault = f"is {words}; attacks need the networks in the trainer, expected none"
            raise training.adversarial.refusal("adversarial", fault)
        batches = SampleBatches(
            evenly(goal_data(self._bags, self._settings).training, run.frames),
            seed=run.seed,
            batch=run.batch,
            steps=run.steps,
            augmentation=training.augmentation,
        )
        return train_over_topics(
            system,
            link,
            stream(batches, 0, run.workers),
            make_pattern(training.pattern, system),
            EndLoss(training.loss),
            make_optimizer(system, training.optimizer),
            cost=TrainingCost(),
            max_grad_norm=training.optimizer.max_grad_norm,
        )

    def _save_joins(self, system: TrainableSystem, output: Path) -> dict[str, Path]:
        """Write the weights of the stages that learn here; their files."""
        output.mkdir(parents=True, exist_ok=True)
        files = system.pipeline.weights_files()
        weights = {name: output / files[name] for name in system.end_joins if name in files}
        for name, path in weights.items():
            system.pipeline.stage(name).save(path)
        return weights

    def _record(self, files: Mapping[str, Path], output: Path) -> None:
        """Record the system with the weights that the nodes wrote, where they are here."""
        for stage, path in files.items():
            if not path.is_file():
                self.get_logger().warning(
                    f"the system is not recorded: the weights {path} of the stage {stage} are on "
                    "another machine; with all of them here, 'conegrad system log' records it"
                )
                return
        training = self._settings.training
        trained = training.system.with_weights(files)
        description = run_description(
            training.system,
            name=training.run.system_name,
            pattern=training.pattern.pattern,
            seeds=(training.run.seed,),
            bags=[(bag, "training") for bag in self._bags],
            settings=plain_settings(training),
        )
        pipeline = load_pipeline(trained.pipeline, stage_settings(trained), trainable=True)
        record_run(output, pipeline, description)

    def _save(self, node: str) -> Path:
        """Let a node write its weights; the path that it names."""
        client = self.create_client(Trigger, f"{node}/save_weights")
        future = client.call_async(Trigger.Request())
        self._executor.spin_until_future_complete(future, SAVE_TIMEOUT)
        answer = future.result() if future.done() else None
        if answer is None or not answer.success:
            reason = (
                f"gave no answer within {SAVE_TIMEOUT:g} s" if answer is None else answer.message
            )
            raise TrainingError(f"{node}/save_weights: {reason}")
        self.get_logger().info(f"{node} {answer.message}")
        return Path(answer.message.removeprefix(WROTE))


def main() -> None:
    """Entry point of ``ros2 run conegrad_training topic_trainer``.

    What a user can cause ends it with exit code 1 and one line.
    """
    node: TopicTrainer | None = None
    try:
        check_discovery()
        rclpy.init()
        node = TopicTrainer()
        node.train()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (GraphError, *USER_ERRORS) as error:
        raise SystemExit(str(error)) from error
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
