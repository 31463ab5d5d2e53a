"""Importing this skips the module that does, where launch files cannot be run."""

import pytest

APT_ONLY = "launch and launch_pytest come with apt's ROS 2, not with the wheels"

pytest.importorskip("launch_ros.actions", reason=APT_ONLY)
pytest.importorskip("launch_pytest", reason=APT_ONLY)
if pytest.version_tuple >= (8, 4):  # it removed what launch_pytest of Jazzy reads
    pytest.skip(
        f"launch_pytest of Jazzy needs pytest < 8.4, this is {pytest.__version__}",
        allow_module_level=True,
    )
