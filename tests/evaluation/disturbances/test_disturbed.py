"""Faults change what they act on, by known amounts, and nothing else."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import pose_matrix, transform_points
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.disturbances.calibrations import displaced
from conegrad_evaluation.disturbances.disturbance import MOTION, STREAMS, TIME
from conegrad_evaluation.disturbances.disturbed import DisturbedSamples, disturbed
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.disturbances.registry import disturbances
from conegrad_evaluation.disturbances.time import delay, with_motion_unaccounted
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample, SampleKey

VEHICLE = load_vehicle("formula_student")
CALIBRATION = Calibration(VEHICLE.camera.model(), VEHICLE.camera_from_lidar(), VEHICLE.lidar_height)
NOTHING = TrueCones(
    torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), *[torch.zeros(0, dtype=torch.bool)] * 2
)


def sample(frame=3):
    image = np.random.default_rng(0).integers(0, 255, (20, 640, 3)).astype(np.uint8)
    angles = torch.linspace(-2.0, 2.0, 401)
    scan = Scan(torch.full((401,), 5.0), angles)
    context = FrameContext(CALIBRATION)
    return Sample({"image": image, "scan": scan}, context, NOTHING, SampleKey("drive", frame, 7))


GROWING = [
    name
    for name, found in disturbances().items()
    if found.acts_on not in (TIME, MOTION, *STREAMS) and len(found.severities) == 3
    if name != "image_fog"  # which blurs noise at any density: by its light, below
]


@pytest.mark.parametrize("name", GROWING)
def test_each_acts_on_its_part_alone_and_grows_with_severity(name):
    intact = sample()
    changes = []
    for severity in (1, 2, 3):
        found = disturbed(sample(), Fault(name, severity, seed=4))
        again = disturbed(sample(), Fault(name, severity, seed=4))
        assert equal_parts(found, again) == {"Image", "Scan", "calibration"}
        acts_on = disturbances()[name].acts_on
        assert equal_parts(found, intact) == {"Image", "Scan", "calibration"} - {acts_on}
        changes.append(change(found, intact))
    assert changes == sorted(changes)
    assert changes[0] < changes[2]


def equal_parts(a, b):
    ranges = [each.inputs["scan"].ranges for each in (a, b)]
    mountings = [each.context.calibration.camera_from_lidar for each in (a, b)]
    equal = {
        "Image": np.array_equal(a.inputs["image"], b.inputs["image"]),
        "Scan": torch.equal(*(r.nan_to_num(nan=-1.0) for r in ranges)),
        "calibration": torch.equal(*mountings),
    }
    return {name for name, same in equal.items() if same}


def change(found, intact):
    images = [each.inputs["image"].astype(float) for each in (found, intact)]
    ranges = [each.inputs["scan"].ranges.nan_to_num(nan=-1.0) for each in (found, intact)]
    mountings = [each.context.calibration.camera_from_lidar for each in (found, intact)]
    of_scan = float((ranges[0] - ranges[1]).abs().sum())
    return abs(images[0] - images[1]).sum() + of_scan + float((mountings[0] - mountings[1]).norm())


def test_draws_differ_between_frames_and_between_seeds():
    noisy = Fault("scan_range_noise", seed=1)
    first, second = disturbed(sample(3), noisy), disturbed(sample(4), noisy)
    other = disturbed(sample(3), Fault("scan_range_noise", seed=2))
    assert "Scan" not in equal_parts(first, second)
    assert "Scan" not in equal_parts(first, other)


def test_an_exchange_of_channels_makes_blue_red():
    blue = sample()._replace(inputs={"image": np.full((4, 4, 3), (10, 20, 200), np.uint8)})
    found = disturbed(blue, Fault("image_channels_swapped", 3))
    assert found.inputs["image"][0, 0].tolist() == [200, 20, 10]


def test_a_turned_hue_makes_blue_red_as_well():
    blue = sample()._replace(inputs={"image": np.full((4, 4, 3), (0, 0, 200), np.uint8)})
    found = disturbed(blue, read_fault("image_hue:degrees=120"))
    assert found.inputs["image"][0, 0].tolist() == [200, 0, 0]


def test_a_blur_keeps_the_light():
    dot = np.zeros((41, 64, 3), np.uint8)
    dot[20, 32] = 250
    for name, given in (("image_defocus", {"radius": 20.0}), ("image_motion_blur", {"length": 40})):
        found = disturbed(sample()._replace(inputs={"image": dot}), Fault(name, given=given))
        image = found.inputs["image"].astype(int)
        assert abs(image[..., 0].sum() - 250) < 25  # rounded in each pixel
        assert image.max() < 100


def test_a_sector_is_blocked_about_its_centre():
    found = disturbed(sample(), read_fault("scan_blocked_sector:width=20,centre=30"))
    scan = found.inputs["scan"]
    blocked = scan.angles[scan.ranges.isnan()]
    assert math.degrees(float(blocked.min())) == pytest.approx(20, abs=0.6)
    assert math.degrees(float(blocked.max())) == pytest.approx(40, abs=0.6)


def test_a_camera_that_looks_lower_than_calibrated_is_taken_to_see_things_lower():
    # A point straight ahead of the calibrated camera appears above the middle of the actual one.
    wrong = displaced(CALIBRATION, pitch=math.radians(2.0))
    ahead = torch.tensor([[0.0, 0.0, 10.0]])  # of the actual camera, in its optical frame
    lidar_from_actual = torch.linalg.inv(CALIBRATION.camera_from_lidar)
    found = transform_points(wrong.camera_from_lidar, transform_points(lidar_from_actual, ahead))
    expected = [0.0, 10 * math.sin(math.radians(2)), 10 * math.cos(math.radians(2))]  # y down
    torch.testing.assert_close(found[0], torch.tensor(expected), atol=1e-4, rtol=0)


def test_a_camera_further_left_than_calibrated_is_moved_by_centimetres():
    wrong = disturbed(sample(), read_fault("camera_moved:y=5")).context.calibration
    shift = wrong.camera_from_lidar - CALIBRATION.camera_from_lidar
    torch.testing.assert_close(shift[:3, 3], torch.tensor([-0.05, 0.0, 0.0]), atol=1e-6, rtol=0)


def test_a_motion_that_there_was_not_follows_the_one_that_there_was():
    moving = sample()
    moving = moving._replace(context=moving.context._replace(motion=torch.tensor([0.1, 0.0, 0.0])))
    found = with_motion_unaccounted(moving, torch.tensor([0.5, 0.0, 0.02])).context.motion
    torch.testing.assert_close(found, pose_matrix(0.6, 0.0, 0.02))


def test_late_stamps_give_an_earlier_image_and_the_motion_by_the_stamps(make_drive, plan):
    replay = BagReplay(make_drive(plan(frames=5)))  # 10 Hz, 0.54 m and 0.045 rad between frames
    intact, late = replay[2], DisturbedSamples(replay, read_fault("camera_late:milliseconds=100"))
    assert np.array_equal(late[2].inputs["image"], replay[1].inputs["image"])
    scans = [each.inputs["scan"].ranges.nan_to_num() for each in (late[2], intact)]
    assert torch.equal(*scans)
    torch.testing.assert_close(late[2].truth.positions, intact.truth.positions)
    torch.testing.assert_close(late[2].context.motion, torch.eye(4))  # so the stamps say
    halfway = replay.with_late_stamps(2, 0.03)  # own image, carried on along the odometry
    assert np.array_equal(halfway.inputs["image"], intact.inputs["image"])
    x, y = halfway.context.motion[:2, 3].tolist()
    assert math.hypot(x, y) == pytest.approx(0.3 * 12.0 * 0.045, rel=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("camera_pitch:4", "severity of camera_pitch is 4, expected 1 to 3"),
        ("camera_pitch:radians=1", "has no parameter 'radians', expected one of degrees"),
        ("camera_pitch:much", "is 'camera_pitch:much', expected NAME"),
    ],
)
def test_refuses_what_a_disturbance_does_not_have(text, message):
    with pytest.raises(ValueError, match=message):
        read_fault(text)


def test_refuses_an_unknown_name_and_lists_those_that_there_are():
    with pytest.raises(
        PipelineError, match=r"'fogg' is registered, expected one of camera_delayed"
    ):
        read_fault("fogg:1")


def test_a_fault_of_a_stream_needs_a_running_graph():
    with pytest.raises(ValueError, match="acts on the stream of the camera, and a sample has none"):
        disturbed(sample(), read_fault("camera_slow"))


def test_refuses_a_sample_without_what_it_acts_on_and_time_without_a_recording():
    without = sample()._replace(inputs={"image": sample().inputs["image"]})
    with pytest.raises(ValueError, match=r"drive, frame 3 .* expected one of kind Scan"):
        disturbed(without, Fault("scan_dropped_beams"))
    with pytest.raises(ValueError, match="expected DisturbedSamples of a recording"):
        disturbed(sample(), Fault("camera_late"))
    with pytest.raises(ValueError, match=r"needs samples of a recording .* found list"):
        DisturbedSamples([sample()], Fault("camera_late"))


@pytest.mark.parametrize(("name", "port"), [("no_image", "image"), ("no_scan", "scan")])
def test_a_lost_sensor_gives_nothing(name, port):
    found = disturbed(sample(), read_fault(name))
    assert found.inputs[port] is None
    assert sum(value is None for value in found.inputs.values()) == 1


def test_lost_odometry_leaves_no_motion_between_the_sensors_nor_within_the_scan():
    intact = sample()
    scan = intact.inputs["scan"]._replace(motions=torch.zeros(401, 3))
    context = intact.context._replace(motion=torch.tensor([0.5, 0.0, 0.0]))
    moving = intact._replace(inputs={**intact.inputs, "scan": scan}, context=context)
    found = disturbed(moving, read_fault("odometry_lost"))
    assert found.context.motion is None
    assert found.inputs["scan"].motions is None
    assert found.inputs["image"] is moving.inputs["image"]
    slipped = disturbed(moving, read_fault("odometry_slip:share=0.5"))
    assert slipped.context.motion[0, 3] == pytest.approx(0.75)


def test_jitter_differs_by_frame_and_is_the_same_in_every_run():
    fault = read_fault("camera_jitter:jitter=20")
    delays = [
        [delay(fault.parameters, np.random.default_rng((frame, 1))) for frame in range(200)]
        for _ in range(2)
    ]
    assert delays[0] == delays[1]
    assert np.std(delays[0]) == pytest.approx(0.02, rel=0.2)


def test_fog_takes_far_returns_first():
    near, far = sample(), sample()
    ranges = far.inputs["scan"].ranges
    far = far._replace(
        inputs={**far.inputs, "scan": far.inputs["scan"]._replace(ranges=ranges * 3)}
    )
    kept = [
        int((disturbed(s, read_fault("scan_fog:3")).inputs["scan"].ranges == r).sum())
        for s, r in ((near, 5.0), (far, 15.0))
    ]
    assert kept[0] > 2 * kept[1] > 0


def test_fog_brightens_what_is_dark():
    dark = sample()._replace(inputs={"image": np.full((120, 320, 3), 20, dtype=np.uint8)})
    found = [disturbed(dark, Fault("image_fog", severity)) for severity in (1, 2, 3)]
    light = [each.inputs["image"].mean() for each in found]
    assert 20 < light[0] < light[1] < light[2]


@pytest.mark.parametrize("name", sorted(disturbances()))
def test_every_fault_is_written_as_it_is_read(name):
    assert read_fault(str(Fault(name))).parameters == Fault(name).parameters
