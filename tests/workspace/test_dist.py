"""The packages as wheels, installed by pip without a clone and without ROS."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a machine without ROS does not find; all else comes from the environment of the tests.
WITHOUT_ROS = """
import sys
from importlib.machinery import PathFinder


class WithoutRos(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition(".")[0]
        if top.startswith(("rclpy", "ament_", "rosidl_", "builtin_interfaces", "launch")):
            return None
        return None if top.endswith("_msgs") else super().find_spec(name, path, target)


sys.meta_path = [WithoutRos if finder is PathFinder else finder for finder in sys.meta_path]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Function that runs Python where the wheels are installed, elsewhere than in the clone."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [ROOT / "scripts/dist.sh", folder / "dist", "--wheel"], check=True, capture_output=True
    )
    wheels = sorted((folder / "dist").glob("*.whl"))
    assert len(wheels) == 7
    site = folder / "site"
    words = ["-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--target", site]
    subprocess.run([sys.executable, *words, *wheels], check=True)
    (site / "sitecustomize.py").write_text(WITHOUT_ROS)

    def run(*arguments):
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(site),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True,
            text=True,
        )  # fmt: skip

    return run


def test_the_definitions_of_the_messages_come_with_the_wheel(installed):
    done = installed(
        "-c",
        "from conegrad_data.bags.types import default_typestore, interface_files\n"
        "print(interface_files()[0].parts[-4:], len(interface_files()))\n"
        "print('conegrad_msgs/msg/ConeArray' in default_typestore().types)\n",
    )
    count = len(list((ROOT / "src/conegrad_msgs/msg").glob("*.msg")))
    first = "('conegrad_data', 'interfaces', 'msg', 'Cone.msg')"
    assert done.stdout.splitlines() == [f"{first} {count}", "True"], done.stderr


def test_pipelines_and_weights_come_with_the_wheel_and_need_no_ros(installed):
    done = installed("-m", "conegrad_bringup.command_line", "pipeline", "list")
    assert done.returncode == 0, done.stderr
    assert "camera_lidar " in done.stdout
    done = installed(
        "-c",
        "from importlib.resources import files\n"
        "folder = files('conegrad_core').joinpath('weights')\n"
        "print(*sorted(path.name for path in folder.iterdir()))",
    )
    weights = ROOT / "src/conegrad_core/conegrad_core/weights"
    assert done.stdout.split() == sorted(path.name for path in weights.iterdir()), done.stderr


def test_a_command_that_needs_ros_says_so_with_the_remedy(installed):
    done = installed("-m", "conegrad_bringup.command_line", "perceive", "drive", "-o", "cones")
    assert done.returncode == 1
    assert "'conegrad perceive' needs ROS 2 and conegrad_msgs" in done.stderr
    assert "source ROS 2 Jazzy and the built workspace" in done.stderr
    assert len(done.stderr.splitlines()) == 1
