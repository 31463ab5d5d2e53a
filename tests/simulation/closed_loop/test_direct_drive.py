"""A drive in one process: the car follows what the perception says, and stops with its reason."""

import dataclasses

import pytest
import torch

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")

from conegrad_core.cones import Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.mounting import Ground
from conegrad_core.timing.pairing import Pair
from conegrad_data.recording.base_odometry import BASE_FRAME
from conegrad_nodes.playback.direct import DirectFrame
from conegrad_simulation.closed_loop import direct_drive
from conegrad_simulation.closed_loop.direct_drive import DirectDrive
from conegrad_simulation.closed_loop.drive_supervisor import SupervisorConfig
from conegrad_simulation.closed_loop.simulator import SensorConfig
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

LANE = [(x, side * 1.75, int(side < 0)) for x in range(0, 16, 3) for side in (1, -1)]
SWAPPED = Reason("colours_swapped", "the near cones have the colour of the other side")


class StandIn:
    """A perception that sees a straight lane around the car, and doubts it after a time.

    Args:
        parameters: of the nodes; not used.
        hosts: of the pipeline; not used.
    """

    seconds = 0.5  # until it doubts

    def __init__(self, parameters, hosts):
        self._first_ns = None

    def take(self, role, msg, receive_ns):
        """Cones of each scan."""
        self._first_ns = self._first_ns or receive_ns
        if role != "scan":
            return []
        x, y, colours = torch.tensor(LANE).unbind(-1)
        cones = Cones(
            torch.stack([x, y], dim=-1).float(),
            0.01 * torch.eye(2).expand(len(LANE), 2, 2),
            torch.nn.functional.one_hot(colours.long(), 5).float(),
            torch.full((len(LANE),), 3.0),
            torch.full((len(LANE),), 3),
        )
        is_late = receive_ns - self._first_ns > self.seconds * 1e9
        reasons = (SWAPPED,) if is_late else ()
        pair = Pair(receive_ns, "image", "scan", None, 0.0, "")
        return [DirectFrame(pair, cones, BASE_FRAME, Ground(0.0), reasons, receive_ns)]


def drive(monkeypatch, **sensors):
    """A drive on an acceleration track, ended and logged."""
    monkeypatch.setattr(direct_drive, "DirectPerception", StandIn)
    whole = describe_scene(SceneSettings(track="acceleration"))
    camera = dataclasses.replace(whole.vehicle.camera, width=160, height=90)
    vehicle = dataclasses.replace(whole.vehicle, camera=camera)
    config = SensorConfig(camera_rate=1.0, odometry_rate=100.0, quality=0, **sensors)
    supervisor = SupervisorConfig(max_standing=0.3, max_seconds=3.0)
    found = DirectDrive(whole._replace(vehicle=vehicle), config, supervisor)
    found.run()
    return found


def test_the_car_drives_while_the_cones_are_in_order_and_stops_when_they_contradict(monkeypatch):
    driven = drive(monkeypatch)
    last = driven.turns[-1]
    assert [turn.decision.cause for turn in driven.turns][-2:] == ["driving", "cones not trusted"]
    assert last.decision.text == f"stopped: {SWAPPED}"
    assert 0.6 < last.time < 0.9
    assert "stood still" in driven.log.outcome
    assert driven.log.touched == []
    assert 0.2 < driven.log.trace[-1].along < 3.0


def test_without_scans_no_cones_come_and_the_car_stands(monkeypatch):
    driven = drive(monkeypatch, faults=("no_scan",))
    assert driven.turns[-1].decision.text == "stopped: no cones received yet"
    assert driven.log.trace[-1].along == pytest.approx(0.0, abs=1e-6)
