from conegrad_core.pipeline.build import stage_classes, stage_config
from conegrad_core.pipeline.file import load_specification
from conegrad_core.system_record.provenance import described, provenance
from conegrad_core.system_record.stage_hash import weights_hash
from conegrad_core.weights import WEIGHTS_FOLDER


def test_the_car_is_made_of_its_pipeline_and_the_weights_that_ship():
    specification = load_specification("camera_lidar")
    classes = stage_classes(specification)
    configs = {
        name: stage_config(specification, name, of_stage.config_class, {})
        for name, of_stage in classes.items()
    }
    found = provenance(specification.source, classes, configs)
    shipped = weights_hash(WEIGHTS_FOLDER / "scan_cnn.safetensors")[:12]
    assert found["pipeline"] == "camera_lidar"
    assert found["weights.segmenter"] == f"scan_cnn.safetensors {shipped}"
    assert "system" not in found
    assert f"segmenter scan_cnn.safetensors {shipped}" in described(found)


def test_nothing_known_is_described_by_nothing():
    assert described({}) == ""
