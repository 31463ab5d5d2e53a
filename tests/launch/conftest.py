"""A graph that watches what launch files start, and parameters of tiny untrained networks."""

import pytest
import yaml


@pytest.fixture
def graph(context):
    pytest.importorskip("conegrad_msgs")
    from ros_graph import Graph

    graph = Graph(context)
    yield graph
    graph.close()


@pytest.fixture
def processes():
    """What a launch file starts."""
    from launch_support import Processes

    return Processes()


@pytest.fixture(scope="session")
def tiny_parameters(tmp_path_factory):
    """Parameters of the model nodes by node."""
    from untrained import SIZE, write_camera_weights, write_lidar_weights

    folder = tmp_path_factory.mktemp("weights")
    detector = {
        "weights": write_camera_weights(folder),
        "engine": "torch",
        "input_width": SIZE[0],
        "input_height": SIZE[1],
    }
    return {
        "camera_node": {"detector": detector},
        "lidar_node": {"segmenter": {"weights": write_lidar_weights(folder)}},
        "fusion_node": {"min_existence": 0.01},
    }


@pytest.fixture
def write_parameters(tmp_path):
    """Function that writes parameters by node into a file and returns its path."""

    def write(by_node):
        path = tmp_path / "parameters.yaml"
        sections = {f"/**/{node}": {"ros__parameters": by_node[node]} for node in by_node}
        path.write_text(yaml.safe_dump(sections))
        return str(path)

    return write


@pytest.fixture
def params_file(write_parameters, tiny_parameters):
    """Parameter file of the tiny networks."""
    return write_parameters(tiny_parameters)


@pytest.fixture(scope="session")
def small_drive(tmp_path_factory):
    """A simulated bag of three seconds: images at 10 Hz, scans at 20 Hz, odometry and truth."""
    from small_car import small_car

    from conegrad_simulation.recording.bag import BagConfig, simulate_bag
    from conegrad_simulation.recording.drive import DriveConfig
    from conegrad_simulation.track.named_track import make_track

    car = small_car()
    output = tmp_path_factory.mktemp("bags") / "drive"
    simulate_bag(output, make_track("random", 3, car), car, DriveConfig(), BagConfig(seconds=3.0))
    return output
