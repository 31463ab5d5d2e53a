import pytest
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.gate.bag_gate import GateSettings
from conegrad_evaluation.gate.faults import read_faults
from conegrad_evaluation.samples.sample import Sample, SampleKey


def test_bounds_of_the_evaluation_are_given_or_of_the_vehicle():
    assert GateSettings().evaluation.max_range == 12.0
    small = GateSettings(vehicle="roboracer", max_range=3.0).evaluation
    assert small.max_range == 3.0
    assert small.match_distance < 0.5


def test_a_silent_sensor_gives_no_input():
    scan = Scan(torch.ones(3), torch.linspace(-1.0, 1.0, 3))
    sample = Sample({"image": 1, "scan": scan}, FrameContext(), None, SampleKey("lap", 0, 0))
    assert read_faults(["no_scan"])["no_scan"](sample).inputs == {"image": 1, "scan": None}


def test_a_fault_is_named_with_its_severity():
    image = torch.full((8, 8, 3), 200, dtype=torch.uint8).numpy()
    sample = Sample({"image": image}, FrameContext(), None, SampleKey("lap", 0, 0))
    ((name, disturb),) = read_faults(["image_darkness:3"]).items()
    assert name == "image_darkness:3"
    assert disturb(sample).inputs["image"].mean() < 50


def test_faults_of_time_are_refused():
    with pytest.raises(ValueError, match="disturbance camera_late shifts stamps"):
        read_faults(["camera_late"])
