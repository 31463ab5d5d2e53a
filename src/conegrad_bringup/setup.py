"""Build of the ament_python package; its metadata is in setup.cfg, but for the shared files."""

from pathlib import Path

from setuptools import setup

NAME = "conegrad_bringup"


def shared_files(folder: str) -> list[tuple[str, list[str]]]:
    """Files below a folder, each to the same place below share/conegrad_bringup."""
    files: dict[str, list[str]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(files.items())


setup(
    python_requires=">=3.10",  # colcon cannot read it from setup.cfg beside arguments
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared_files("launch"),
        *shared_files("config"),
    ],
)
