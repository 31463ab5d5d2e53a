"""Build of the ament_python package.

``launch`` and ``config`` beside this file are links to the folders at the root of the repository.
They must be links: colcon replaces each data file under its build folder by a link, and with a
path such as ``../../launch`` it would replace the file of the repository itself.
"""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "conegrad_bringup"


def shared_files(folder: str) -> list[tuple[str, list[str]]]:
    """Files below a folder, each to the same place below share/conegrad_bringup."""
    files: dict[str, list[str]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(files.items())


setup(
    name=NAME,
    version="0.1.0",
    description="Launch files, configuration and the command line of ConeGrad.",
    license="AGPL-3.0-or-later",
    author="ConeGrad contributors",
    packages=find_packages(exclude=["tests"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared_files("launch"),
        *shared_files("config"),
    ],
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "conegrad_core",
        "conegrad_data",
        "conegrad_evaluation",
        "conegrad_nodes",
        "conegrad_simulation",
        "conegrad_training",
        "numpy",
        "pyyaml",
        "rich",
        "rosbags",
        "tqdm",
    ],
    zip_safe=False,
    entry_points={"console_scripts": ["conegrad = conegrad_bringup.command_line:main"]},
)
