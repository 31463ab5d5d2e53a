"""What is registered by the entry points of installed packages."""

import pytest

from conegrad_core.camera.stage import DetectorStage
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.ports import CONES
from conegrad_core.pipeline.registry import PORTS, STAGES, port_type, registered, stage_class


def test_the_car_is_registered_by_the_core_itself():
    assert stage_class("yolov5_detector") is DetectorStage
    assert port_type("Cones") is CONES
    assert {"cone_fusion", "scan_cnn", "yolov5_detector"} <= set(registered(STAGES))
    assert {"Cones", "Detections", "Image", "Scan", "SegmentedScan"} <= set(registered(PORTS))


def test_a_package_adds_stages_by_entry_point_alone():
    assert stage_class("network").__name__ == "Network"
    assert port_type("Number").name == "Number"


def test_an_unknown_name_lists_what_exists():
    with pytest.raises(PipelineError, match=r"'radar' is registered, expected .*scan_cnn"):
        stage_class("radar")
    with pytest.raises(PipelineError, match=r"no port type 'Cloud' is registered, .*Detections"):
        port_type("Cloud")


@pytest.mark.parametrize(
    "value", ["gone_package.stages:Radar", "conegrad_core.cones:Radar"], ids=["module", "class"]
)
def test_an_entry_point_that_cannot_be_imported_names_its_package(distribution, value: str):
    distribution("radar_package", {STAGES: [f"radar = {value}"]})
    with pytest.raises(PipelineError, match="'radar' of package radar_package cannot be imported"):
        stage_class("radar")


def test_two_packages_that_claim_one_name_are_both_named(distribution):
    distribution("first_package", {STAGES: ["radar = toys:Network"]})
    distribution("second_package", {STAGES: ["radar = toys:Fixed"]})
    expected = r"claimed by first_package \(toys:Network\) and second_package \(toys:Fixed\)"
    with pytest.raises(PipelineError, match=expected):
        stage_class("radar")


def test_an_entry_point_of_another_kind_is_refused(distribution):
    distribution("odd_package", {STAGES: ["odd = toys:GainConfig"], PORTS: ["Odd = toys:Network"]})
    with pytest.raises(PipelineError, match="'odd' of package odd_package is GainConfig, expected"):
        stage_class("odd")
    with pytest.raises(PipelineError, match="'Odd' of package odd_package is Network, expected"):
        port_type("Odd")
