"""The fusion on synthetic scenes: where, which colour, does it exist."""

import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConeClass, TrueCones, UnusableConesError, check_cones
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.scalars import INITIAL_VALUES
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.calibration import mounted_calibration
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.geometry.transforms import mounting_matrix, pose_matrix, rigid_inverse
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.losses import EndLoss

CAMERA, LIDAR, BOTH = 1, 2, 3


@pytest.fixture(scope="module")
def fuser():
    return Fuser()


def fuse(fuser, scene, scan=None, detections=None, motion=None):
    with torch.inference_mode():
        return select_cones(
            fuser(
                scene.scan() if scan is None else scan,
                scene.detections() if detections is None else detections,
                scene.calibration,
                motion,
            )
        )


def truth_of(scene):
    count = len(scene.cones)
    classes = torch.tensor([cone[2] for cone in scene.cones])
    seen = torch.ones(count, dtype=torch.bool)
    return TrueCones(scene.positions, classes, seen, seen)


def assert_all_found(world, cones, scene, within=0.03, colour=True):
    assert len(cones.positions) == len(scene.cones)
    for x, y, kind in scene.cones:
        cone = world.found(cones, x, y, within)
        assert cone is not None, f"nothing at {x}, {y}"
        if colour:
            assert cone.colours.argmax() == kind


def test_every_cone_is_found_once_in_its_place_and_colour(world, fuser):
    scene = world.scene((*world.track(), (8.0, 0.2, ConeClass.SMALL_ORANGE)))
    cones = fuse(fuser, scene)
    assert_all_found(world, cones, scene)
    assert (cones.existence_logits.sigmoid() > 0.9).all()
    assert (cones.source == BOTH).all()
    torch.testing.assert_close(cones.colours.sum(-1), torch.ones(len(cones.colours)))


@pytest.mark.parametrize("degrees", [-0.8, 0.8])
def test_a_car_that_dips_keeps_its_colours(world, fuser, degrees):
    scene = world.scene(world.track())
    detections = scene.detections(pitch_error=math.radians(degrees))
    assert_all_found(world, fuse(fuser, scene, detections=detections), scene)


def test_clutter_is_suppressed_by_the_beams(world, fuser):
    posts = tuple((2.0 + 1.3 * step, 4.0 - 1.1 * (step % 8), 0.05) for step in range(10))
    walls = ((0.0, 5.0, 20.0, 5.0), (0.0, -5.0, 20.0, -5.0))
    scene = world.scene(world.track(), posts=posts, walls=walls)
    assert_all_found(world, fuse(fuser, scene), scene)


def test_cones_standing_against_a_wall_are_found(world, fuser):
    # Geometry alone sees one wall: its gap to the cones is 3 cm.
    scene = world.scene(world.track(), walls=((0.0, 1.8, 20.0, 1.8),))
    assert_all_found(world, fuse(fuser, scene), scene)


def test_background_boxes_change_nothing(world, fuser):
    scene = world.scene(world.track())
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(30, 2, generator=generator) * torch.tensor([1200.0, 600.0])
    junk = torch.cat([corner, corner + 15 + 60 * torch.rand(30, 2, generator=generator)], dim=1)
    boxes, logits = scene.detections()
    detections = Detections(
        torch.cat([boxes, junk]), torch.cat([logits, torch.full((30, 4), -6.0)])
    )
    assert_all_found(world, fuse(fuser, scene, detections=detections), scene)


def test_a_cone_hidden_from_the_lidar_is_placed_by_the_camera(world, fuser):
    # A post at 3 m hides the cone from the low LiDAR, not from the camera above.
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),), posts=((3.0, 0.0, 0.1),))
    cones = fuse(fuser, scene)
    cone = world.found(cones, 6.0, 0.0, within=0.1)
    assert cone is not None
    assert cone.source == CAMERA
    assert cone.colours.argmax() == ConeClass.YELLOW


def test_a_cone_beside_the_image_is_found_without_colour(world, fuser):
    scene = world.scene(((0.5, 4.0, ConeClass.BLUE), (6.0, 0.0, ConeClass.YELLOW)))
    cones = fuse(fuser, scene)
    beside = world.found(cones, 0.5, 4.0)
    assert beside.source == LIDAR
    assert beside.colours.argmax() == ConeClass.UNKNOWN
    assert beside.existence_logits.sigmoid() > 0.8


def test_what_the_camera_should_see_and_does_not_is_doubted(world, fuser):
    scene = world.scene(((6.0, 0.0, ConeClass.YELLOW),))
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    with torch.inference_mode():
        unseen = fuser(scene.scan(), nothing, scene.calibration)
        alone = fuser(scene.scan(), None, scene.calibration)
    change = unseen.existence_logits - alone.existence_logits
    assert change.tolist() == pytest.approx([INITIAL_VALUES["missed_bias"]], abs=1e-4)
    assert change < -1


def test_two_faint_signs_in_one_place_are_a_cone_and_each_alone_is_none(world, fuser):
    scene = world.scene(((13.0, 2.0, ConeClass.BLUE),))
    scan, boxes = scene.scan(cone_logit=0.0), scene.detections(cone_logit=-2.5)
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    with torch.inference_mode():
        both = select_cones(fuser(scan, boxes, scene.calibration))
        no_box = select_cones(fuser(scan, nothing, scene.calibration))
        no_segment = select_cones(fuser(None, boxes, scene.calibration))
    assert world.found(both, 13.0, 2.0).colours.argmax() == ConeClass.BLUE
    assert len(no_box.positions) == len(no_segment.positions) == 0


def test_the_camera_alone_gives_cones(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    with torch.inference_mode():
        cones = select_cones(fuser(None, scene.detections(), scene.calibration))
    assert_all_found(world, cones, scene, within=0.1)
    assert (cones.source == CAMERA).all()


def existence_of_a_box(fuser, scene, scan, cone_logit=0.0):
    """Of the box of the only cone of a scene, which no segment matches."""
    with torch.inference_mode():
        cones = fuser(scan, scene.detections(cone_logit=cone_logit), scene.calibration)
    return float(cones.existence_logits[cones.source == CAMERA].sigmoid().max())


def test_a_box_is_doubted_only_where_the_lidar_looked(world, fuser):
    scene = world.scene(((9.0, 1.0, ConeClass.BLUE),))
    empty = world.scene((), posts=((2.0, -1.5, 0.1),)).scan()
    beside = [t[(empty.angles < 0.0)] for t in empty[:3]]
    blind = empty._replace(ranges=torch.full((1081,), torch.nan))
    alone = existence_of_a_box(fuser, scene, None)
    assert alone > 0.5
    assert existence_of_a_box(fuser, scene, empty) < 0.5
    for scan in (SegmentedScan(*beside), blind):
        assert existence_of_a_box(fuser, scene, scan) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("yaw", [0.0, 2.5, math.pi])
def test_a_lidar_may_hang_upside_down_or_look_backwards(world, fuser, yaw):
    scene = world.scene((*world.track(), (6.0, 0.3, ConeClass.SMALL_ORANGE)))
    place = torch.tensor([0.0, 0.0, scene.calibration.lidar_height])
    base_from_lidar = mounting_matrix(place, math.pi, 0.0, yaw)
    level_from_lidar = base_from_lidar.clone()
    level_from_lidar[2, 3] = 0.0
    calibration = mounted_calibration(
        scene.calibration.camera,
        scene.calibration.camera_from_lidar @ level_from_lidar,
        base_from_lidar,
    )
    assert calibration.ground_z == pytest.approx(place[2].item())
    scan = scene.scan()
    hanging = scan._replace(angles=yaw - scan.angles)
    motion = pose_matrix(0.3, 0.02, 0.05)
    hanging_motion = rigid_inverse(level_from_lidar) @ motion @ level_from_lidar
    with torch.inference_mode():
        upright = fuser(scan, scene.detections(), scene.calibration, motion)
        found = fuser(hanging, scene.detections(), calibration, hanging_motion)
    turn = level_from_lidar[:2, :2]
    torch.testing.assert_close(found.positions @ turn.mT, upright.positions, atol=1e-3, rtol=0)
    covariances = turn @ found.covariances @ turn.mT
    torch.testing.assert_close(covariances, upright.covariances, atol=1e-4, rtol=1e-2)
    torch.testing.assert_close(found.colours, upright.colours, atol=1e-3, rtol=0)
    torch.testing.assert_close(found.existence_logits, upright.existence_logits, atol=0.02, rtol=0)


def test_the_lidar_alone_gives_cones_of_unknown_colour(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    with torch.inference_mode():
        cones = select_cones(fuser(scene.scan(), None, scene.calibration))
    assert_all_found(world, cones, scene, colour=False)
    assert (cones.source == LIDAR).all()
    assert (cones.colours[:, ConeClass.UNKNOWN] == 1).all()


def test_empty_sensors_give_no_cones(world, fuser):
    scene = world.scene(world.track())
    silent = scene.scan()._replace(ranges=torch.full((1081,), torch.nan))
    no_beams = SegmentedScan(torch.zeros(0), torch.zeros(0), torch.zeros(0))
    no_boxes = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    for scan in (silent, no_beams, None):
        cones = fuser(scan, no_boxes, scene.calibration)
        assert cones.positions.shape == (0, 2)
        assert cones.covariances.shape == (0, 2, 2)
        assert cones.colours.shape == (0, 5)


def test_a_silent_scan_leaves_the_cameras_cones(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    silent = scene.scan()._replace(ranges=torch.full((1081,), torch.nan))
    assert_all_found(world, fuse(fuser, scene, scan=silent), scene, within=0.1)


def test_motion_between_the_stamps_is_taken_out(world, fuser):
    before = world.scene(world.track(4.0, 11.0))
    motion = (1.0, 0.05, 0.08)  # the car drove on between image and scan
    after = before.moved(*motion)
    lidar_from_image = rigid_inverse(pose_matrix(*motion))
    cones = fuse(fuser, after, detections=before.detections(), motion=lidar_from_image)
    assert_all_found(world, cones, after)
    uncompensated = fuse(fuser, after, detections=before.detections())
    assert len(uncompensated.positions) > len(cones.positions)


def test_motion_is_given_as_a_pose_or_a_matrix(world, fuser):
    scene = world.scene(world.track(4.0, 7.0))
    pose = Pose2(-0.3, 0.02, 0.05)
    as_pose = fuse(fuser, scene, motion=torch.tensor(pose))
    as_matrix = fuse(fuser, scene, motion=pose_matrix(*pose))
    torch.testing.assert_close(as_pose, as_matrix)


def test_a_lidar_network_that_rejects_everything_costs_no_cone(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    cones = fuse(fuser, scene, scan=scene.scan(cone_logit=-10.0, other_logit=-10.0))
    assert_all_found(world, cones, scene)


def test_a_detector_that_rejects_everything_costs_no_cone(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    boxes, logits = scene.detections()
    cones = fuse(fuser, scene, detections=Detections(boxes, logits - 6))
    assert_all_found(world, cones, scene)


@pytest.mark.parametrize(
    ("beams", "classes"),
    [
        pytest.param(0.0, 0.0, id="both sensors right"),
        pytest.param(-10.0, 0.0, id="LiDAR silenced"),
        pytest.param(0.0, -6.0, id="camera silenced"),
        pytest.param(-10.0, -6.0, id="both silenced"),
    ],
)
def test_the_end_loss_reaches_boxes_classes_and_beams(world, fuser, beams, classes):
    scene = world.scene(world.track(4.0, 11.0))
    scan = scene.scan()
    if beams:
        scan = scan._replace(logits=torch.full((1081,), beams))
    boxes, logits = scene.detections()
    # 4 px too low: the position is wrong, too.
    detections = Detections((boxes + 4).requires_grad_(), (logits + classes).requires_grad_())
    scan = scan._replace(logits=scan.logits.requires_grad_())
    losses = EndLoss()(fuser(scan, detections, scene.calibration), truth_of(scene))
    sum(losses.values()).backward()
    on_cones = scan.logits.grad[scene.scan().logits > 0]
    for gradient in (on_cones, detections.boxes_xyxy.grad, detections.logits.grad):
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 5e-4


def test_a_silenced_lidar_recovers_by_the_end_loss_alone(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    logits = torch.full((1081,), -10.0, requires_grad=True)
    detections, truth = scene.detections(), truth_of(scene)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        cones = fuser(scene.scan()._replace(logits=logits), detections, scene.calibration)
        loss = sum(EndLoss()(cones, truth).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    on_cones = scene.scan().logits > 0
    assert logits[on_cones].mean() > 0
    assert logits[~on_cones].max() == -10


def test_colour_is_learnt_through_soft_association(world, fuser):
    scene = world.scene(world.track(4.0, 11.0))
    boxes, _ = scene.detections()
    logits = torch.zeros(len(boxes), 4, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    truth = truth_of(scene)
    for _ in range(30):
        cones = fuser(scene.scan(), Detections(boxes, logits), scene.calibration)
        loss = EndLoss()(cones, truth)["colour"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert logits.argmax(-1).tolist() == truth.classes.tolist()


def test_passes_gradients_through_the_whole_fusion(world):
    scene = world.scene(((5.0, 1.0, ConeClass.BLUE), (7.0, -1.0, ConeClass.YELLOW)))
    fuser = Fuser().double()
    scan = scene.scan(cone_logit=1.0, other_logit=-1.0)
    hit = scan.ranges.isfinite()
    scan = SegmentedScan(*(tensor[hit].double() for tensor in scan[:3]))
    # Away from the exact match: there the covariance of a box has a kink.
    boxes, logits = scene.detections()
    boxes = (boxes + torch.tensor([1.0, -2, 2, 3])).double()
    camera = scene.calibration.camera
    calibration = scene.calibration._replace(
        camera=camera._replace(
            intrinsics=camera.intrinsics.double(), distortion=camera.distortion.double()
        ),
        camera_from_lidar=scene.calibration.camera_from_lidar.double(),
    )

    def outputs(boxes, logits, beams):
        cones = fuser(scan._replace(logits=beams), Detections(boxes, logits), calibration)
        return cones[:4]

    inputs = [t.clone().requires_grad_() for t in (boxes, logits.double(), scan.logits)]
    assert torch.autograd.gradcheck(outputs, inputs)


def test_passes_gradients_to_every_scalar(world):
    fuser = Fuser(FuserConfig())
    hidden = (6.0, 0.0, ConeClass.YELLOW)
    scene = world.scene((*world.track(4.0, 11.0), hidden), posts=((3.0, 0.0, 0.1),))
    scene_boxes = scene.detections()
    detections = scene_boxes._replace(boxes_xyxy=scene_boxes.boxes_xyxy + 2)
    scan = scene.scan()
    left = SegmentedScan(*(t[scan.angles > -0.1] for t in scan[:3]))  # the others: camera alone
    colours = ConeColours(torch.randn(detections.logits.shape))
    cones = fuser(left, detections, scene.calibration, colours=colours)
    sum(EndLoss()(cones, truth_of(scene)).values()).backward()
    silent = [n for n, p in fuser.scalars.named_parameters() if not p.grad.abs() > 0]
    assert silent == []


def test_covariances_are_honest_in_a_noisy_world(world, fuser):
    # Squared error by covariance is chi-square with 2 degrees of freedom: mean 2.
    generator = torch.Generator().manual_seed(2)
    scene = world.scene(world.track(4.0, 14.0))
    clean, (boxes, logits) = scene.scan(), scene.detections()
    squares = []
    for _ in range(40):
        noise = 0.02 * torch.randn(1081, generator=generator)
        shaken = boxes + 3.0 * torch.randn(boxes.shape, generator=generator)
        scan = clean._replace(ranges=clean.ranges + noise)
        cones = fuse(fuser, scene, scan=scan, detections=Detections(shaken, logits))
        near = torch.cdist(cones.positions, scene.positions)
        error = cones.positions - scene.positions[near.argmin(1)]
        weighted = torch.linalg.solve(cones.covariances, error[..., None])[..., 0]
        squares += (error * weighted).sum(-1)[near.amin(1) < 0.3].tolist()
    assert 0.7 < sum(squares) / len(squares) < 4.0


def test_refuses_no_input_at_all(world, fuser):
    with pytest.raises(ValueError, match="expected one of them at least"):
        fuser(None, None, world.calibration())


def test_a_scan_alone_needs_no_calibration_and_boxes_do(world, fuser):
    scene = world.scene(world.track())
    alone = fuser(scene.scan(), None, None)
    torch.testing.assert_close(alone, fuser(scene.scan(), None, world.calibration()))
    with pytest.raises(ValueError, match="calibration is None, expected one for the detections"):
        fuser(scene.scan(), scene.detections(), None)


def test_refuses_motion_of_the_wrong_shape(world, fuser):
    scene = world.scene(world.track())
    with pytest.raises(ValueError, match=r"motion has shape \(2,\)"):
        fuse(fuser, scene, motion=torch.zeros(2))


@pytest.mark.parametrize("seed", range(5))
def test_no_covariance_has_a_determinant_that_is_not_positive_whatever_the_boxes(
    world, fuser, seed
):
    generator = torch.Generator().manual_seed(seed)
    scene = world.scene(world.track())
    count = 200
    centres = torch.rand(count, 2, generator=generator) * 3000 - 800
    sizes = 10 ** (torch.rand(count, 2, generator=generator) * 8 - 4)
    boxes = torch.cat([centres - sizes / 2, centres + sizes / 2], dim=-1)
    logits = torch.randn(count, 4, generator=generator) * 10 ** (
        torch.rand(count, 1, generator=generator) * 4
    )
    detections = Detections(boxes, logits)
    for scan in (scene.scan(), scene.scan(cone_logit=-10.0), None):
        with torch.inference_mode():
            cones = fuser(scan, detections, scene.calibration)
        check_cones(cones)


@pytest.mark.parametrize(
    ("field", "value"), [("positions", math.nan), ("covariances", 0.0), ("covariances", -1.0)]
)
def test_cones_that_nobody_may_act_on_are_refused(world, fuser, field, value):
    cones = fuse(fuser, world.scene(world.track()))
    check_cones(cones)
    odd = getattr(cones, field).clone()
    odd[0] = value
    with pytest.raises(UnusableConesError):
        check_cones(cones._replace(**{field: odd}))
