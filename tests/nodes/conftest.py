"""A graph of nodes on real topics, messages for it, and tiny random weights."""

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from ros_graph import Graph, Reports
from sensor_messages import camera_info_msg, image_msg, scan_msg
from untrained import SIZE, write_camera_weights, write_lidar_weights

from conegrad_data.calibration.calibration_file import CalibrationFile


@pytest.fixture
def graph(context, tmp_path, monkeypatch):
    monkeypatch.setenv("CONEGRAD_CACHE", str(tmp_path / "cache"))
    graph = Graph(context)
    yield graph
    graph.close()


@pytest.fixture
def reports(graph):
    return Reports(graph)


@pytest.fixture(scope="session")
def camera_weights(tmp_path_factory):
    return write_camera_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def lidar_weights(tmp_path_factory):
    return write_lidar_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def camera_parameters(camera_weights):
    return {
        "detector__weights": camera_weights,
        "detector__engine": "torch",
        "detector__input_width": SIZE[0],
        "detector__input_height": SIZE[1],
    }


@pytest.fixture
def lidar_parameters(lidar_weights):
    return {"segmenter__weights": lidar_weights}


FRAMES = """
frames:
  - {parent: base_link, child: lidar, translation: [1.0, 0.0, 0.15], quaternion: [0, 0, 0, 1]}
  - parent: base_link
    child: camera_optical
    translation: [0.5, 0.0, 1.0]
    quaternion: [-0.5, 0.5, -0.5, 0.5]
"""


@pytest.fixture
def frames_file(tmp_path):
    path = tmp_path / "frames.yaml"
    path.write_text(FRAMES)
    assert CalibrationFile(path).camera is None
    return str(path)


@pytest.fixture
def messages():
    """Makers of messages: image, scan, camera_info."""

    class Messages:
        image = staticmethod(image_msg)
        scan = staticmethod(scan_msg)
        camera_info = staticmethod(camera_info_msg)

    return Messages
