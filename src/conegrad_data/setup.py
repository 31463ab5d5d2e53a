"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_data"

setup(
    name=NAME,
    version="0.1.0",
    description="Recordings of ConeGrad: bags, messages, calibration, odometry, truth; no rclpy.",
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
)
