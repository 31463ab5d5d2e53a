"""Examines what is installed: programs and packages, weights, engines, devices, disk, settings."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from conegrad_core.engines.cache import cache_folder, private_folder
from conegrad_core.engines.errors import EngineError
from conegrad_core.pipeline.build import DEFAULT, load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.system_record.manifest import file_hash
from conegrad_core.weights import WEIGHTS_FOLDER
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding

PYTHONS = ((3, 10), (3, 13))  # oldest and newest version that is tried
NEEDED = {  # module: what it is for
    "torch": "every network",
    "ultralytics": "the detector",
    "cv2": "images",
    "rosbags": "recordings",
    "conegrad_msgs": "the messages of ConeGrad; build and source the workspace",
}
ENGINES = {"openvino": "the detector on a CPU", "onnxruntime": "the scan network on a CPU"}
INSTALL = "install it in the Python that runs ConeGrad: make build, or make car beside ROS of apt"
ROOM = 5 * 2**30  # [bytes] free, below which a recording of a few minutes fills the disk
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def examine_packages() -> Iterator[Finding]:
    """Python, and the packages without which nothing or not the default runs."""
    version = sys.version_info[:2]
    text = f"Python {version[0]}.{version[1]} in {sys.prefix}"
    if not PYTHONS[0] <= version <= PYTHONS[1]:
        oldest, newest = (f"{major}.{minor}" for major, minor in PYTHONS)
        remedy = f"run it with Python {oldest} to {newest}"
        yield Finding("packages", Level.WARN, f"{text}, tried are {oldest} to {newest}", remedy)
    missing = [(name, use) for name, use in NEEDED.items() if not _is_installed(name)]
    for name, use in missing:
        yield Finding("packages", Level.ERROR, f"{name} is not installed: {use}", INSTALL)
    for name, use in ENGINES.items():
        if not _is_installed(name):
            missing.append((name, use))
            text = f"{name} is not installed, the engine of {use}"
            yield Finding("engines", Level.ERROR, text, f"{INSTALL}; or choose engine torch")
    if not missing:
        yield Finding("packages", Level.OK, f"{text}: all packages are installed")


def examine_weights(folder: Path = WEIGHTS_FOLDER) -> Iterator[Finding]:
    """Every byte of the weights that ship, by the hashes of their cards.

    Args:
        folder: of the weights.
    """
    count = 0
    for card in sorted(folder.glob("*.json")):
        expected = json.loads(card.read_text(encoding="utf-8")).get("sha256")
        path = card.with_suffix(".safetensors")
        if expected is None:
            continue
        if not path.is_file():
            text = f"{path} is missing"
        elif (found := file_hash(path)) != expected:
            text = f"{path} is not the file of its card: sha256 {found[:12]}, not {expected[:12]}"
        else:
            count += 1
            continue
        yield Finding("weights", Level.ERROR, text, "install ConeGrad again, or check it out anew")
    if count:
        yield Finding("weights", Level.OK, f"{count} files in {folder} are as they shipped")


def examine_engines(pipeline: str = DEFAULT) -> Iterator[Finding]:
    """Whether the stages of a pipeline load and their engines run.

    Args:
        pipeline: by name or path, or the reference of a recorded system.
    """
    try:
        graph = load_pipeline(pipeline)
        graph.accelerate()
    except (EngineError, PipelineError, ImportError, OSError, ValueError) as error:
        remedy = "put right what it names; --pipeline examines another pipeline or system"
        yield Finding("engines", Level.ERROR, f"pipeline {pipeline}: {error}", remedy)
        return
    stages = ", ".join(graph.order)
    yield Finding("engines", Level.OK, f"pipeline {pipeline}: {stages} load and run")


def examine_device(has_device: bool | None = None) -> Iterator[Finding]:
    """Whether torch can use the GPU of this machine, and the processor its full speed.

    Args:
        has_device: a GPU of NVIDIA is in this machine; None: looked up.
    """
    if has_device is None:
        nodes = ("/dev/nvidia0", "/dev/nvhost-gpu", "/dev/nvgpu")  # the latter two of a Jetson
        has_device = any(Path(node).exists() for node in nodes)
    if has_device and not torch.cuda.is_available():
        yield Finding(
            "device",
            Level.WARN,
            f"this machine has a GPU, but torch {torch.__version__} finds none: all runs on the "
            "processor",
            "install the torch of NVIDIA for this machine, and its driver: docs/deployment.md",
        )
    elif has_device:
        yield Finding("device", Level.OK, f"GPU {torch.cuda.get_device_name(0)}")
    yield from examine_governor(GOVERNOR)


def examine_governor(path: Path) -> Iterator[Finding]:
    """Whether the processor saves power.

    Args:
        path: file of Linux that names the governor; a machine without one says nothing.
    """
    governor = path.read_text().strip() if path.is_file() else ""
    if governor == "powersave" and not _is_pstate(path):
        yield Finding(
            "device",
            Level.WARN,
            f"the processor runs at its lowest clock: {path} is powersave",
            "sudo cpupower frequency-set -g performance; on a Jetson sudo nvpmodel -m 0",
        )


def examine_disk(room: int = ROOM) -> Iterator[Finding]:
    """Whether there is room for recordings and exported networks.

    Args:
        room: bytes that should be free.
    """
    for what, path in (("recordings", Path.cwd()), ("exported networks", _existing_cache())):
        free = shutil.disk_usage(path).free
        text = f"{free / 2**30:.1f} GB free for {what} in {path}"
        if free < room:
            remedy = "make room, or work on another disk (CONEGRAD_CACHE for exported networks)"
            text = f"{text}, expected {room / 2**30:.1f} GB"
            yield Finding("disk", Level.WARN, text, remedy)
        else:
            yield Finding("disk", Level.OK, text)
    try:
        private_folder()
    except OSError as error:
        text = f"{cache_folder()} cannot be used: {error}: networks are exported at every start"
        remedy = "make it this user's own, or set CONEGRAD_CACHE to another folder"
        yield Finding("disk", Level.WARN, text, remedy)


def _existing_cache() -> Path:
    """The folder of exported networks, or the nearest above it that exists."""
    path = cache_folder()
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())


def _is_pstate(path: Path) -> bool:
    """Whether the driver is intel_pstate or amd_pstate, whose powersave runs at full clock."""
    driver = path.with_name("scaling_driver")
    return driver.is_file() and "pstate" in driver.read_text()


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
