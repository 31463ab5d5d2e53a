"""The closed loop's world without ROS: events, faults, truth, animation and picture."""

import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from PIL import Image

from conegrad_simulation.closed_loop.animation import MAX_BYTES, DriveAnimation
from conegrad_simulation.closed_loop.bicycle import BicycleConfig, DriveCommand
from conegrad_simulation.closed_loop.drive_supervisor import DriveSupervisor, SupervisorConfig
from conegrad_simulation.closed_loop.lap_picture import save_lap_picture
from conegrad_simulation.closed_loop.simulator import SensorConfig, Simulator
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene


@pytest.fixture(scope="module")
def description():
    """An acceleration track, seen by a small camera, which renders fast."""
    whole = describe_scene(SceneSettings(track="acceleration", seed=3))
    camera = dataclasses.replace(whole.vehicle.camera, width=320, height=180)
    return whole._replace(vehicle=dataclasses.replace(whole.vehicle, camera=camera))


@pytest.fixture
def make(description):
    def make(**sensors):
        config = SensorConfig(**{"camera_rate": 10.0, **sensors})
        return Simulator(description, config, BicycleConfig())

    return make


def until(simulator, seconds):
    """What happens before a time."""
    return list(outputs_until(simulator, seconds))


def outputs_until(simulator, seconds):
    """What happens before a time, while it happens."""
    return itertools.takewhile(lambda h: h.event.time < seconds, steps(simulator))


def steps(simulator):
    while True:
        yield simulator.step()


def topics(outputs):
    return [message.topic for output in outputs for message in output.messages]


def test_sensors_run_at_their_rates_on_the_topics_of_a_simulated_bag(make):
    received = topics(until(make(), 0.5))
    assert {topic: received.count(topic) for topic in set(received)} == {
        "/odom": 100,
        "/scan": 20,
        "/image_raw/compressed": 5,
        "/camera_info": 5,
        "/truth": 24,  # of each image and scan, but not of the scan before the first image
    }


def test_raw_images_are_published_on_request(make):
    simulator = make(quality=0)
    assert simulator.is_raw
    assert "/image_raw" in topics(until(simulator, 0.05))


def test_the_same_commands_give_the_same_messages(make):
    def drive():
        simulator = make()
        until(simulator, 0.1)
        simulator.car.command(DriveCommand(5.0, 0.5))
        outputs = until(simulator, 0.4)
        scans = [e.msg.ranges for h in outputs for e in h.messages if e.topic == "/scan"]
        return np.array(scans), simulator.car.pose

    (scans, pose), (again, pose_again) = drive(), drive()
    np.testing.assert_array_equal(scans, again)
    assert pose == pose_again


@pytest.mark.parametrize(
    ("fault", "topic"), [("camera_lost", "/image_raw/compressed"), ("lidar_lost", "/scan")]
)
def test_a_lost_sensor_publishes_nothing_and_no_cone_is_visible_to_it(make, fault, topic):
    outputs = until(make(**{fault: (0.2, 0.4)}), 0.6)
    times = [h.event.time for h in outputs if topic in topics([h])]
    assert times[0] < 0.2
    assert times[-1] > 0.4
    assert not [time for time in times if 0.2 <= time < 0.4]
    truths = [e.msg for h in outputs for e in h.messages
              if e.topic == "/truth" and 0.25 < h.event.time < 0.39]  # fmt: skip
    flag = "visible_camera" if fault == "camera_lost" else "visible_lidar"
    assert truths
    assert not any(getattr(cone, flag) for truth in truths for cone in truth.cones)


def test_faults_need_a_start_before_their_end():
    with pytest.raises(ValueError, match=r"camera_lost is \(3\.0, 2\.0\)"):
        SensorConfig(camera_lost=(3.0, 2.0))


def test_the_supervisor_ends_the_drive_of_a_car_that_stands(make, description):
    simulator = make()
    supervisor = DriveSupervisor(description, simulator.car, SupervisorConfig(max_standing=0.2))
    while not supervisor.log.outcome:
        simulator.step()
        supervisor.update()
    assert supervisor.log.outcome == "the car has stood still since 0.0 s"
    assert not supervisor.log.is_finished


def test_the_supervisor_counts_touched_cones_and_ends_the_drive_off_the_track(make, description):
    simulator = make()
    supervisor = DriveSupervisor(description, simulator.car, SupervisorConfig())
    simulator.car.command(DriveCommand(6.0, 1.0))
    for tick in range(1, 1000):
        simulator.car.advance(tick / 100)
        supervisor.update()
        if supervisor.log.outcome:
            break
    assert supervisor.log.outcome.startswith("the car left the track after")
    assert supervisor.log.clearance < 1.0
    figures = supervisor.log.summary()
    assert figures["cones_touched"] == len(supervisor.log.touched)
    assert figures["lateral_max"] > 1.75


def test_an_open_track_is_driven_once_up_to_its_margin(make, description):
    simulator = make()
    supervisor = DriveSupervisor(description, simulator.car, SupervisorConfig(laps=3))
    simulator.car.command(DriveCommand(20.0, 0.0))
    for tick in range(1, 2000):
        simulator.car.advance(tick / 100)
        supervisor.update()
        if supervisor.log.outcome:
            break
    log = supervisor.log
    assert log.outcome == "finished"
    assert log.touched == []
    assert log.lap_times == pytest.approx([log.seconds])
    assert log.trace[-1].along == pytest.approx(log.length - 8.0, abs=0.3)


def test_animation_and_picture_show_the_drive(make, description, tmp_path):
    simulator = make()
    animation = DriveAnimation(simulator)
    supervisor = DriveSupervisor(description, simulator.car, SupervisorConfig())
    simulator.car.command(DriveCommand(6.0, 0.0))
    for output in outputs_until(simulator, 1.5):
        supervisor.update()
        if output.event.kind == "camera":
            animation.add_frame(output.picture)
    count = animation.save(tmp_path / "lap.gif")
    assert (tmp_path / "lap.gif").stat().st_size <= MAX_BYTES
    with Image.open(tmp_path / "lap.gif") as gif:
        assert gif.n_frames == count >= 4
        assert gif.size == (384 + 216, 216)
    save_lap_picture(description, supervisor.log, SensorConfig(), tmp_path / "lap.png")
    assert cv2.imread(str(tmp_path / "lap.png")).shape[1] == 1400


def test_a_frozen_camera_publishes_one_image_under_new_stamps(make):
    outputs = until(make(faults=("camera_frozen:milliseconds=1000",)), 0.35)
    images = [m.msg for o in outputs for m in o.messages if m.topic == "/image_raw/compressed"]
    assert len({image.data.tobytes() for image in images}) == 1
    assert len({image.header.stamp.nanosec for image in images}) == len(images) > 2


def test_a_fault_acts_between_its_times(make):
    outputs = until(make(faults=("no_scan@0.2-0.4",), camera_rate=1.0), 0.5)
    times = [o.event.time for o in outputs for m in o.messages if m.topic == "/scan"]
    # 40 scans per second: 8 before the fault, 4 after it.
    assert len(times) == 12
    assert [time for time in times if 0.2 <= time < 0.4] == []


def test_refuses_a_fault_that_is_none():
    with pytest.raises(ValueError, match="faults fault is 'no_scan@', expected NAME"):
        SensorConfig(faults=("no_scan@",))
