"""Every example runs as its docstring says, and gives what it promises."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OWN_PIPELINE = EXAMPLES / "own_pipeline" / "exposure_camera_lidar.yaml"
DEADLINE = 170  # [s]
CONEGRAD = ("-m", "conegrad_bringup.command_line")
FIVE_LINES = """
from conegrad_core import Perception, Scan, Vehicle
car = Vehicle.load("formula_student")
scan = Scan(ranges, car.lidar.angles())
cones = Perception.load()(image, scan, car)
print(len(cones.positions))
"""


def finished(*command, **environment):
    """A program that has ended, however it did; its folder is that of the examples."""
    return warm_python.finished(
        [sys.executable, *command],
        timeout=DEADLINE,
        cwd=EXAMPLES,
        env={**os.environ, "MPLBACKEND": "agg", **environment},
    )


def run(*command, **environment):
    """What a program prints that succeeds."""
    result = finished(*command, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def install(package, folder):
    """Install a package with pip from a copy of its sources, without what it depends on."""
    copy = folder.with_name(f"{package.name}_sources")
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("*.egg-info", "build"))
    pip = ("pip", "install", "--quiet", "--no-deps", "--no-build-isolation")
    words = (*pip, "--disable-pip-version-check", "--target", folder, copy)
    subprocess.run([sys.executable, "-m", *words], timeout=DEADLINE, check=True)


@pytest.fixture(scope="module")
def core_alone(tmp_path_factory):
    """Environment in which pip has installed conegrad_core, and nothing else of ours is found."""
    folder = tmp_path_factory.mktemp("core") / "site"
    install(ROOT / "src/conegrad_core", folder)
    return {"PYTHONPATH": str(folder), "AMENT_PREFIX_PATH": ""}


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A simulated second."""
    pytest.importorskip("conegrad_msgs")
    path = tmp_path_factory.mktemp("drive") / "drive"
    options = ("--track", "random", "--seed", "7", "--seconds", "1", "--camera-rate", "8")
    run(*CONEGRAD, "simulate", "-o", path, *options)
    return path


def test_the_core_alone_perceives_a_frame(core_alone):
    code = "import conegrad_core, sys; print(conegrad_core.__file__); import conegrad_data"
    alone = finished("-c", code, **core_alone)
    assert core_alone["PYTHONPATH"] in alone.stdout
    assert "No module named 'conegrad_data'" in alone.stderr
    lines = run("perceive_frame.py", **core_alone).splitlines()
    assert lines[0].split()[0] == "x"
    assert sum("yellow" in line for line in lines) >= 3
    assert sum("blue" in line for line in lines) >= 3


def test_five_lines_give_cones(core_alone):
    code = f"from perceive_frame import read_frame\nimage, ranges = read_frame()\n{FIVE_LINES}"
    assert int(run("-c", code, **core_alone)) >= 8


@pytest.fixture(scope="module")
def own_package(tmp_path_factory):
    """Folder in which pip has installed the package of the example."""
    folder = tmp_path_factory.mktemp("own") / "site"
    install(EXAMPLES / "own_pipeline", folder)
    return folder


def beside(package, environment):
    """Environment with a package more."""
    known = environment.get("PYTHONPATH", "")
    return {**environment, "PYTHONPATH": f"{package}{os.pathsep}{known}"}


def test_a_pipeline_of_ones_own_runs_with_the_core_alone(core_alone, own_package):
    environment = beside(own_package, core_alone)
    first, second = run("run_own_pipeline.py", **environment).splitlines()
    assert 0.1 < float(first.split()[1].rstrip(",")) < 0.9
    words = second.split()
    assert int(words[0]) == int(words[-1]) > 0  # an untrained calibration changes nothing


def test_without_its_package_a_pipeline_of_ones_own_is_refused_by_name(core_alone):
    result = finished("run_own_pipeline.py", **core_alone)
    assert result.returncode != 0
    assert "exposure_camera_lidar.yaml:" in result.stderr
    assert "exposure_meter" in result.stderr


def test_a_pipeline_of_ones_own_is_checked_and_shown(own_package, tmp_path):
    environment = beside(own_package, os.environ)
    printed = run(*CONEGRAD, "pipeline", "check", OWN_PIPELINE, **environment)
    assert printed.endswith(": 5 stages, sequential + joining parallel, no faults\n")
    picture = tmp_path / "graph.svg"
    lines = run(*CONEGRAD, "pipeline", "show", OWN_PIPELINE, "-o", picture, **environment)
    rows = [line.split() for line in lines.splitlines()]
    meter = ["meter", "exposure_meter", "conegrad-exposure", "camera_node", "image", "exposure"]
    assert meter in rows
    calibrator = ["calibrator", "network", "6", "built-in", "values", "colour,", "existence", "-"]
    assert calibrator in rows
    (port,) = (row for row in rows if row[:2] == ["exposure", "Exposure"])
    assert port[2:] == ["meter", "calibrator", "exposure", "conegrad_msgs/PortTensors"]
    assert picture.stat().st_size > 1000


def test_the_notebook_runs_from_its_first_cell_to_its_last(core_alone):
    pytest.importorskip("IPython")
    printed = run("-m", "IPython", "first_look.ipynb", **core_alone)
    assert "detector: gradient in" in printed
    assert "segmenter: gradient in" in printed
    assert "Error" not in printed


@pytest.fixture(scope="module")
def three_steps(drive):
    """What the example prints that trains the car."""
    return run("train_three_steps.py", drive).splitlines()


@pytest.mark.slow
def test_three_steps_on_a_bag_change_the_losses(three_steps):
    lines = three_steps
    assert [line.split(":")[0] for line in lines[-3:]] == ["step 0", "step 1", "step 2"]


@pytest.mark.slow
def test_the_stages_of_ones_own_learn_with_the_others(drive, three_steps, own_package):
    environment = beside(own_package, os.environ)
    own = run("train_three_steps.py", drive, OWN_PIPELINE, **environment).splitlines()
    first, last = "step 0", "step 2"
    steps = [{line.split(":")[0]: line for line in lines} for lines in (own, three_steps)]
    assert steps[0][first] == steps[1][first]  # the calibration begins as the identity
    assert steps[0][last] != steps[1][last]  # and has learned something


@pytest.mark.slow
def test_cones_of_a_bag_become_a_table(drive, tmp_path):
    run(*CONEGRAD, "perceive", drive, "-o", tmp_path / "cones", "--direct")
    printed = run("cones_to_pandas.py", tmp_path / "cones")
    assert "yellow" in printed
    assert "blue" in printed
