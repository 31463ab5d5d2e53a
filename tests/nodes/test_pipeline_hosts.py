"""Which node runs which stage of a pipeline file, and what travels between them."""

import pytest
from installed_package import brightness_package, write_brightness_pipeline

from conegrad_core.pipeline.errors import PipelineError
from conegrad_nodes.pipeline_hosts import APART, pipeline_hosts


def test_the_nodes_of_the_car_run_its_stages():
    hosts = pipeline_hosts("camera_lidar")
    assert (hosts.camera, hosts.lidar, hosts.fusion) == (("detector",), ("segmenter",), ("fuser",))
    assert (hosts.camera_ports, hosts.lidar_ports) == (("detections",), ("segmentation",))
    assert hosts.node_names() == ("camera_node", "lidar_node", "fusion_node")
    assert hosts.node_names(APART) == ("fusion_node", "detector_node", "segmenter_node")


@pytest.mark.parametrize(
    ("pipeline", "camera", "ports"),
    [
        ("camera_keypoints", ("detector", "cropper", "keypoints"), ("detections", "keypoints")),
        (
            "camera_fork",
            ("detector", "cropper", "keypoints", "classifier"),
            ("detections", "keypoints", "colours"),
        ),
    ],
)
def test_the_camera_node_runs_all_that_needs_the_image_alone(pipeline, camera, ports):
    hosts = pipeline_hosts(pipeline)
    assert (hosts.camera, hosts.lidar, hosts.fusion) == (camera, (), ("solver", "fuser"))
    assert hosts.camera_ports == hosts.crossing(camera) == ports  # the crops stay inside
    assert hosts.sensors == ("camera",)
    assert hosts.node_names() == ("camera_node", "fusion_node")
    apart = tuple(f"{stage}_node" for stage in camera)
    assert hosts.node_names(APART) == ("fusion_node", *apart)


def test_a_stage_that_the_cones_do_not_come_from_has_a_node_of_its_own(tmp_path):
    with brightness_package(tmp_path / "site"):
        hosts = pipeline_hosts(write_brightness_pipeline(tmp_path))
    assert hosts.camera == ("detector",)
    assert hosts.node_names() == ("camera_node", "lidar_node", "fusion_node", "brightness_node")


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("{image: Image, scan: Scan}", "{eye: Image, scan: Scan}", r":1: the input eye: Image has"),
        ("outputs: {cones: cones}\n", "outputs: {all: detections}\n", r":6: 0 outputs of kind Co"),
    ],
    ids=["another input", "no cones"],
)
def test_what_cannot_run_live_is_named_with_its_line(tmp_path, before, after, fault):
    path = tmp_path / "odd.yaml"
    text = (
        "inputs: {image: Image, scan: Scan}\n"
        "stages:\n"
        "  detector: {module: yolov5_detector, inputs: {image: image},"
        " outputs: {detections: detections}}\n"
        "  segmenter: {module: scan_cnn, inputs: {scan: scan},"
        " outputs: {segmentation: segmentation}}\n"
        "  fuser: {module: cone_fusion, inputs: {detections: detections, segmentation:"
        " segmentation}, outputs: {cones: cones}}\n"
        "outputs: {cones: cones}\n"
    )
    assert before in text
    changed = text.replace(before, after)
    path.write_text(
        changed.replace("inputs: {image: image}", "inputs: {image: eye}")
        if "eye" in after
        else changed
    )
    with pytest.raises(PipelineError, match=f"odd.yaml{fault}"):
        pipeline_hosts(path)
