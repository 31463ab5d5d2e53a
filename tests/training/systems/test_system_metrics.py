"""How the figures of the ports of a system are put together."""

import pytest

from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import PortResult
from conegrad_evaluation.system.system_metrics import SystemMetrics, measure, new_metrics
from conegrad_training.systems.system import TrainableSystem

OUTPUT = PortResult({"f1_colour": 0.5, "f1": 0.75}, {"frames": 3})


def test_the_output_comes_first_in_the_headline():
    ports = {"detections": PortResult({"mAP50": 0.25}, {"mean": 0.25}), "segmentation": None}
    metrics = SystemMetrics(OUTPUT, ports)
    assert list(metrics.headline().items()) == [("f1_colour", 0.5), ("f1", 0.75), ("mAP50", 0.25)]


def test_a_name_that_occurs_twice_gets_its_port_in_front():
    left, right = PortResult({"mAP50": 0.25}, {}), PortResult({"mAP50": 0.5}, {})
    headline = SystemMetrics(OUTPUT, {"left": left, "right": right}).headline()
    assert headline["mAP50"] == 0.25
    assert headline["right.mAP50"] == 0.5


def test_json_holds_every_port_and_the_keys_of_version_0_1():
    ports = {"detections": PortResult({"mAP50": 0.25}, {"mean": 0.25}), "segmentation": None}
    assert SystemMetrics(OUTPUT, ports).to_dict() == {
        "headline": {"f1_colour": 0.5, "f1": 0.75, "mAP50": 0.25},
        "system": {"frames": 3},
        "ports": {"detections": {"mean": 0.25}, "segmentation": None},
        "boxes": {"mean": 0.25},
        "beams": None,
    }


def test_ports_without_a_metric_are_left_out():
    assert set(new_metrics({"image": "Image", "cones": "Cones"}, EvaluationConfig())) == {"cones"}


def test_an_empty_evaluation_is_refused(system: TrainableSystem):
    with pytest.raises(ValueError, match="samples is empty"):
        measure(system, [], EvaluationConfig())
