"""Truth as it counts for pipelines with different sensors."""

import pytest
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.seen_truth import seen_truth

BOTH, CAMERA, LIDAR, NONE = (True, True), (True, False), (False, True), (False, False)
SEEN = torch.tensor([BOTH, CAMERA, LIDAR, NONE])
TRUTH = TrueCones(torch.rand(4, 2), torch.arange(4), SEEN[:, 0], SEEN[:, 1])


@pytest.mark.parametrize(
    ("inputs", "camera", "lidar"),
    [
        pytest.param(["Image"], [1, 1, 0, 0], [0, 0, 0, 0], id="a camera alone"),
        pytest.param(["Scan"], [0, 0, 0, 0], [1, 0, 1, 0], id="a LiDAR alone"),
        pytest.param(["Image", "Scan"], [1, 1, 0, 0], [1, 0, 1, 0], id="both"),
        pytest.param(["Image", "Detections"], [1, 1, 0, 0], [0, 0, 0, 0], id="results see nothing"),
        pytest.param(["Detections"], [1, 1, 0, 0], [1, 0, 1, 0], id="no sensor: as it is"),
        pytest.param([], [1, 1, 0, 0], [1, 0, 1, 0], id="no input: as it is"),
    ],
)
def test_only_what_the_sensors_of_the_inputs_see_counts(
    inputs: list[str], camera: list[int], lidar: list[int]
):
    seen = seen_truth(TRUTH, inputs)
    assert seen.visible_camera.tolist() == [bool(one) for one in camera]
    assert seen.visible_lidar.tolist() == [bool(one) for one in lidar]
    assert torch.equal(seen.positions, TRUTH.positions)
    assert torch.equal(seen.classes, TRUTH.classes)


def test_the_given_truth_stays_as_it_is():
    seen_truth(TRUTH, ["Image"])
    assert torch.equal(TRUTH.visible_lidar, SEEN[:, 1])


def test_refuses_a_kind_that_does_not_exist():
    with pytest.raises(PipelineError, match="no port type 'Radar' is registered"):
        seen_truth(TRUTH, ["Radar"])
