"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_simulation"

setup(
    name=NAME,
    version="0.1.0",
    description="Drives along tracks of cones, rendered and ray cast, with exact truth.",
    license="AGPL-3.0-or-later",
    author="ConeGrad contributors",
    packages=find_packages(exclude=["tests"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "conegrad_core",
        "conegrad_data",
        "conegrad_evaluation",
        "conegrad_nodes",
        "numpy",
        "opencv-python",
        "pillow",
        "pyyaml",
        "rosbags",
        "scipy",
        "torch",
        "tqdm",
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "driver_node = conegrad_simulation.programs:driver_node",
            "simulator_node = conegrad_simulation.programs:simulator_node",
            "truth_node = conegrad_simulation.programs:truth_node",
        ],
    },
)
