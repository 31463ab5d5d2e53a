"""Facts about the packages and the files of the repository that building relies on."""

import configparser
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = "0.2.0"
PACKAGES = sorted(path.parent for path in ROOT.glob("src/*/package.xml"))
PYTHON_PACKAGES = [package for package in PACKAGES if (package / "setup.py").is_file()]
REQUIREMENTS = (ROOT / "requirements/requirements.txt").read_text()
ROS_KEYS = {
    "ackermann_msgs", "ament_index_python",
    "builtin_interfaces", "conegrad_core", "conegrad_data",
    "conegrad_evaluation", "conegrad_msgs", "conegrad_nodes", "conegrad_simulation",
    "conegrad_training", "diagnostic_msgs", "geometry_msgs", "launch", "launch_ros",
    "lifecycle_msgs", "nav_msgs", "rcl_interfaces", "rclpy", "rosgraph_msgs", "sensor_msgs",
    "std_msgs", "std_srvs", "tf2_msgs", "visualization_msgs",
}  # fmt: skip
KEYS = {
    "cv2": "python3-opencv",
    "diskcache": "python3-diskcache-pip",
    "jinja2": "python3-jinja2",
    "joblib": "python3-joblib",
    "matplotlib": "python3-matplotlib",
    "mlflow": "python3-mlflow",
    "numpy": "python3-numpy",
    "onnxruntime": "python3-onnxruntime-pip",
    "optuna": "python3-optuna-pip",
    "open3d": "python3-open3d-pip",
    "PIL": "python3-pil",
    "rosbags": "python3-rosbags-pip",
    "scipy": "python3-scipy",
    "sklearn": "python3-sklearn",
    "torch": "python3-pytorch-pip",
    "tqdm": "python3-tqdm",
    "ultralytics": "python3-ultralytics-pip",
    "yaml": "python3-yaml",
    **{key: key for key in ROS_KEYS},
}

# Where the name on PyPI is not that of the module; open3d comes as open3d or as open3d-cpu.
DISTRIBUTIONS = {
    "albumentations": "albumentationsx",
    "cv2": "opencv-python",
    "foxglove": "foxglove-sdk",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
FROM_PYPI = {
    *KEYS,
    "albumentations",
    "foxglove",
    "mcap",
    "onnx",
    "openvino",
    "safetensors",
    "starlette",
    "uvicorn",
    "zstandard",
} - ROS_KEYS

# Packages that are used without an import: message definitions in a bag.
NOT_IMPORTED = {"conegrad_data": {"conegrad_msgs"}}


def tracked_files():
    """Paths of the files under version control, or those of the sources where git has none."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def dependencies(package):
    """Keys that a package.xml depends on."""
    tree = ElementTree.parse(package / "package.xml")
    return {element.text for element in tree.getroot() if element.tag.endswith("depend")}


def imported(package):
    """Top-level modules that the sources of a package import."""
    modules = set()
    launch_files = (package / "launch").glob("*.py")
    for path in [*(package / package.name).rglob("*.py"), *launch_files]:
        modules |= set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    return modules - {package.name}


def setup_cfg(package):
    """Metadata of a package as setuptools reads it."""
    parser = configparser.ConfigParser()
    parser.read(package / "setup.cfg")
    return parser


def test_there_are_nine_packages():
    assert [package.name for package in PACKAGES] == [
        "conegrad_bringup",
        "conegrad_core",
        "conegrad_data",
        "conegrad_desktop",
        "conegrad_evaluation",
        "conegrad_msgs",
        "conegrad_nodes",
        "conegrad_simulation",
        "conegrad_training",
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_package_is_named_and_licensed_as_its_folder_and_the_project(package):
    root = ElementTree.parse(package / "package.xml").getroot()
    assert root.findtext("name") == package.name
    assert root.findtext("license") == "AGPL-3.0-or-later"
    assert root.findtext("version") == VERSION


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda package: package.name)
def test_package_declares_what_it_imports(package):
    needed = {KEYS[module] for module in imported(package) if module in KEYS}
    assert needed - dependencies(package) == set()


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda package: package.name)
def test_package_requires_from_pypi_what_it_imports(package):
    required = set(setup_cfg(package)["options"]["install_requires"].split())
    needed = {DISTRIBUTIONS.get(module, module) for module in imported(package) & FROM_PYPI}
    assert needed - required == set()


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda package: package.name)
def test_package_imports_what_it_declares(package):
    modules = imported(package)
    # Programs and plugins, such as rviz2, are no modules of Python: KEYS does not list them.
    used = {KEYS[module] for module in modules if module in KEYS}
    used |= NOT_IMPORTED.get(package.name, set())
    assert (dependencies(package) & set(KEYS.values())) - used == set()
    distributions = {DISTRIBUTIONS.get(module, module) for module in modules}
    required = set(setup_cfg(package)["options"]["install_requires"].split())
    assert required - distributions - {"setuptools"} == set()


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda package: package.name)
def test_package_declares_its_version_and_marker_for_the_index(package):
    metadata = setup_cfg(package)["metadata"]
    assert (metadata["name"], metadata["version"]) == (package.name, VERSION)
    assert metadata["license"] == "AGPL-3.0-or-later"
    assert (package / "resource" / package.name).is_file()


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda package: package.name)
def test_package_says_that_it_is_typed(package):
    assert (package / package.name / "py.typed").is_file()
    assert "py.typed" in setup_cfg(package)["options.package_data"][package.name].split()


def test_a_car_gets_neither_viewers_nor_a_simulator():
    on_a_car = [package for package in PACKAGES if package.name != "conegrad_desktop"]
    needed = set.union(*map(dependencies, on_a_car))
    desktop = {"foxglove_bridge", "ros_gz_bridge", "ros_gz_sim", "rviz2"}
    assert needed & {*desktop, "conegrad_desktop"} == set()
    assert desktop <= dependencies(ROOT / "src/conegrad_desktop")


def test_the_core_depends_on_no_ros_package():
    assert dependencies(PACKAGES[1]) & ROS_KEYS == set()


def test_launch_and_config_are_reached_through_links():
    bringup = ROOT / "src/conegrad_bringup"
    assert (bringup / "launch").readlink() == Path("../../launch")
    assert (bringup / "config").readlink() == Path("../../config")


def test_requirements_are_pinned_and_name_no_address():
    assert "://" not in REQUIREMENTS
    lines = [line for line in REQUIREMENTS.splitlines() if line and not line.startswith((" ", "#"))]
    assert [line for line in lines if "==" not in line] == []


def test_requirements_cover_every_direct_one():
    text = (ROOT / "requirements/requirements.in").read_text()
    direct = re.findall(r"^([A-Za-z][\w.-]*)", text, re.MULTILINE)
    pinned = set(re.findall(r"^([a-z][\w.-]*?)(?:\[\w+\])?==", REQUIREMENTS, re.MULTILINE))
    assert {name.lower() for name in direct} - pinned == set()


def test_no_file_names_a_home_folder():
    # Spelt in parts, so that this file does not find itself.
    home = re.compile(r"(?<![\w.])/(?:" + "home|root|Users" + r")/\w")
    found = []
    for path in tracked_files():
        if path.is_file() and path.stat().st_size < 1_000_000:
            text = path.read_bytes().decode(errors="ignore")
            found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in home.finditer(text)]
    assert found == []


def test_the_licence_is_the_whole_agpl():
    text = (ROOT / "LICENSE").read_text()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text.splitlines()[0]
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) == 661
