"""Which stages of a pipeline file need a node of their own."""

import pytest
from installed_package import write_brightness_pipeline

from conegrad_core.pipeline.errors import PipelineError
from conegrad_nodes.pipeline_hosts import further_stages


def test_the_nodes_of_the_car_run_all_stages_of_the_car():
    assert further_stages("camera_lidar") == []


def test_a_stage_of_a_user_needs_a_node(tmp_path):
    assert further_stages(write_brightness_pipeline(tmp_path)) == ["brightness"]


def test_a_stage_with_another_port_than_that_of_the_car_needs_a_node(tmp_path):
    path = write_brightness_pipeline(tmp_path)
    text = path.read_text().replace("detections: detections}", "detections: boxes}")
    path.write_text(text)
    assert further_stages(path) == ["detector", "brightness"]


def test_settings_of_a_stage_that_a_node_of_the_car_runs_are_refused(tmp_path):
    path = write_brightness_pipeline(tmp_path)
    old = "{module: scan_cnn,"
    path.write_text(path.read_text().replace(old, f"{old} settings: {{max_range: 9.0}},"))
    expected = r"with_brightness.yaml:5: stage segmenter: .* as parameters segmenter\.\*"
    with pytest.raises(PipelineError, match=expected):
        further_stages(path)
