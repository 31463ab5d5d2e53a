"""What of a cone is owed to which sensor."""

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.association import Association
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.provenance import lidar_share
from conegrad_core.fusion.scalars import INITIAL_VALUES
from conegrad_core.fusion.segments import LidarCandidates
from conegrad_core.fusion.selection import select_cones

NOTHING = Detections(torch.zeros(0, 4), torch.zeros(0, 4))


@pytest.fixture(scope="module")
def fuser():
    return Fuser()


def shares(match, camera_information):
    """Shares of a segment ahead, 0.1 m exact along and 0.2 m across, and of the box beside it."""
    lidar = LidarCandidates(
        torch.tensor([[5.0, 0.0]]),
        torch.tensor([[1.0, 0.0]]),
        torch.tensor([[0.01, 0.04]]),
        torch.zeros(1),
    )
    association = Association(torch.tensor([[match]]), torch.tensor([1 - match]))
    fused = gaussians.inverse(lidar.information + match * torch.tensor([camera_information]))
    return lidar_share(lidar, fused, association).tolist()


@pytest.mark.parametrize(
    ("match", "camera_information", "expected"),
    [
        pytest.param(1.0, [100.0, 0.0, 25.0], [1 / 2, 1 / 2], id="both know as much"),
        pytest.param(0.5, [100.0, 0.0, 25.0], [2 / 3, 1 / 3], id="of a match that is half sure"),
        pytest.param(
            1.0, [300.0, 0.0, 0.0], [5 / 8, 5 / 8], id="1/4 of one axis, all of the other"
        ),
        pytest.param(0.0, [100.0, 0.0, 25.0], [1.0, 0.0], id="each alone"),
    ],
)
def test_the_share_is_that_of_the_information(match, camera_information, expected):
    assert shares(match, camera_information) == pytest.approx(expected, abs=1e-6)


def test_a_segment_has_the_evidence_of_the_scan_and_what_the_image_adds(world, fuser):
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),))
    with torch.inference_mode():
        alone = fuser(scene.scan(), None, scene.calibration)
        denied = fuser(scene.scan(), NOTHING, scene.calibration)
        seen = fuser(scene.scan(), scene.detections(), scene.calibration)
    assert torch.equal(alone.lidar_evidence, alone.existence_logits)
    assert alone.camera_evidence.tolist() == [0.0]
    assert torch.equal(denied.lidar_evidence, alone.lidar_evidence)
    missed = INITIAL_VALUES["missed_bias"]
    assert denied.camera_evidence.tolist() == pytest.approx([missed], abs=1e-4)
    assert seen.lidar_evidence[0] == alone.lidar_evidence[0]
    assert seen.camera_evidence[0] > 0
    assert 0.5 < seen.lidar_share[0] < 1


def test_a_box_has_the_evidence_of_the_image_and_what_the_scan_changes(world, fuser):
    # A post at 3 m hides the cone from the low LiDAR, not from the camera above.
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),), posts=((3.0, 0.0, 0.1),))
    with torch.inference_mode():
        alone = fuser(None, scene.detections(), scene.calibration)
        both = fuser(scene.scan(), scene.detections(), scene.calibration)
    cone = world.found(select_cones(both), 6.0, 0.0)
    assert alone.lidar_evidence.tolist() == alone.lidar_share.tolist() == [0.0]
    assert cone.camera_evidence == pytest.approx(float(alone.existence_logits[0]), abs=1e-4)
    total = cone.camera_evidence + cone.lidar_evidence
    assert total == pytest.approx(float(cone.existence_logits), abs=1e-4)
    assert cone.lidar_share < 0.05


def test_a_segment_that_explains_a_box_speaks_against_the_box_alone(world, fuser):
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),))
    with torch.inference_mode():
        segment, box = fuser(scene.scan(), scene.detections(), scene.calibration).lidar_evidence
    assert segment > 0 > box


def test_provenance_has_no_gradient(world, fuser):
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),))
    scan = scene.scan()
    learned = scan._replace(logits=scan.logits.requires_grad_())
    cones = fuser(learned, scene.detections(), scene.calibration)
    assert cones.existence_logits.requires_grad
    assert not cones.lidar_evidence.requires_grad
    assert not cones.lidar_share.requires_grad
