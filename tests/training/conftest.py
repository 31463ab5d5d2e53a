"""A small car, a bag of a second, and untrained weights: enough to train on in seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_car import HEIGHT, WIDTH, small_car

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.lidar.scan_network import ScanNetwork
from conegrad_core.lidar.segmenter import save_segmenter
from conegrad_core.vehicle import Vehicle
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_simulation.recording.bag import BagConfig, SimulatedBag, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track
from conegrad_training.data.simulated_samples import SimulatedSamples
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig


@pytest.fixture(scope="session")
def small_vehicle() -> Vehicle:
    """The preset of the race car with a coarse camera and a coarse LiDAR."""
    return small_car()


@pytest.fixture(scope="session")
def small_bag(small_vehicle: Vehicle, tmp_path_factory: pytest.TempPathFactory) -> SimulatedBag:
    """A second of driving: 9 images, 20 scans, odometry and truth."""
    output = tmp_path_factory.mktemp("bags") / "drive"
    track = make_track("random", 3, small_vehicle)
    return simulate_bag(output, track, small_vehicle, DriveConfig(), BagConfig(seconds=1.0))


@pytest.fixture(scope="session")
def replay(small_bag: SimulatedBag) -> BagReplay:
    return BagReplay(small_bag.path)


@pytest.fixture(scope="session")
def system_config(tmp_path_factory: pytest.TempPathFactory) -> SystemConfig:
    """Weights files of untrained networks, and a small input."""
    folder: Path = tmp_path_factory.mktemp("weights")
    torch.manual_seed(7)
    camera, lidar, fusion = (folder / f"{name}.safetensors" for name in ("camera", "lidar", "f"))
    save_network(
        build_network("yolov5n"),
        camera,
        architecture="yolov5n",
        input_size=(WIDTH, HEIGHT),
        half=False,
    )
    save_segmenter(ScanNetwork(), lidar, {})
    Fuser().save(fusion)
    files = {"detector": camera, "segmenter": lidar, "fuser": fusion}
    return SystemConfig(input_width=WIDTH, input_height=HEIGHT).with_weights(files)


@pytest.fixture
def new_system(system_config: SystemConfig) -> Callable[[], TrainableSystem]:
    return lambda: load_system(system_config)


@pytest.fixture
def system(new_system: Callable[[], TrainableSystem]) -> TrainableSystem:
    return new_system()


@pytest.fixture(scope="session")
def labelled(small_vehicle: Vehicle) -> list[Sample]:
    """Simulated samples with boxes and beam labels."""
    made = SimulatedSamples(small_vehicle, first_seed=50, count=3, size=(WIDTH, HEIGHT))
    return [made[place] for place in range(3)]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A local store; making its tables takes seconds, so there is one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlruns') / 'mlflow.db'}"
