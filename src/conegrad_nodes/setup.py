"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_nodes"

setup(
    name=NAME,
    version="0.1.0",
    description="ROS 2 nodes of ConeGrad: camera, LiDAR, fusion, and all three in one process.",
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
        "mcap",
        "numpy",
        "open3d",
        "opencv-python",
        "pillow",
        "pyyaml",
        "rosbags",
        "scipy",
        "torch",
        "zstandard",
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "camera_node = conegrad_nodes.programs:camera_node",
            "lidar_node = conegrad_nodes.programs:lidar_node",
            "fusion_node = conegrad_nodes.programs:fusion_node",
            "perception = conegrad_nodes.programs:perception",
            "lifecycle_manager = conegrad_nodes.programs:lifecycle_manager",
            "wait_until_active = conegrad_nodes.programs:wait_until_active",
        ],
    },
)
