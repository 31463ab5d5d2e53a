"""Life cycle, diagnostics and parameters that all nodes with a stage share."""

from dataclasses import dataclass

import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from conegrad_core.settings import Config, setting
from conegrad_data.status.part_status import Level
from conegrad_nodes.node_base.perception_node import PerceptionNode

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class ModelConfig(Config):
    """Settings of a model."""

    gain: float = setting(1.0, "Factor", low=0.0)


class ModelNode(PerceptionNode):
    """Notes what is asked of it."""

    def __init__(self, *, wants_start=True, fault=None, **options):
        super().__init__("model_node", **options)
        self._wants_start, self.fault, self.calls = wants_start, fault, []
        self.config = self.declare_loaded(ModelConfig, "model")

    def load(self):
        self.calls.append("load")
        if self.fault is not None:
            raise self.fault

    def warm_up(self):
        self.calls.append("warm_up")

    def release(self):
        self.calls.append("release")

    def halt(self):
        self.calls.append("halt")

    @property
    def wants_start(self):
        return self._wants_start


@pytest.fixture
def started(graph, context):
    """Function that makes and starts a node."""

    def make(**options):
        node = graph.add(ModelNode(context=context, **options))
        node.start()
        return node

    return make


def test_starts_by_itself_loading_before_warming_up(started):
    assert started().calls == ["load", "warm_up"]


def test_without_autostart_it_waits_to_be_configured(started):
    node = started(wants_start=False)
    assert node.calls == []
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.calls == ["load"]


def test_stops_its_threads_before_it_releases_the_model(started):
    node = started()
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.calls == ["load", "warm_up", "halt", "release"]


def test_a_model_that_cannot_be_loaded_is_reported_and_may_be_loaded_later(graph, reports, started):
    node = started(fault=ValueError("the weights are of a cat detector"))
    graph.until(lambda: reports.level("model_node: node") == Level.ERROR, "an error")
    text = "cannot configure: the weights are of a cat detector"
    assert reports.text("model_node: node") == text
    assert node.calls == ["load", "release"]
    node.fault = None
    node.start()
    graph.until(lambda: reports.text("model_node: node") == "active", "the node to be active")
    assert reports.level("model_node: node") == Level.OK


def test_an_error_that_no_setting_causes_ends_the_node(graph, started):
    started(fault=ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        graph.until(lambda: False, "the error")


def test_settings_may_be_set_while_the_node_is_unconfigured_only(started):
    node = started(wants_start=False)
    louder = [Parameter("model.gain", value=2.0)]
    assert node.set_parameters(louder)[0].successful
    node.trigger_configure()
    (result,) = node.set_parameters(louder)
    assert not result.successful
    assert result.reason == "model.gain: may be set while the node is unconfigured, it is inactive"


def test_a_parameter_that_no_node_has_is_reported_with_the_nearest_name(graph, reports, started):
    started(parameter_overrides=[Parameter("segmenter.weight", value="x")])
    part = "model_node: parameters"
    graph.until(lambda: part in reports.latest, "a report")
    assert "segmenter.weight is unknown, did you mean segmenter.weights?" in reports.text(part)
