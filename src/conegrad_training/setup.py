"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_training"

setup(
    name=NAME,
    version="0.1.0",
    description="Training of the models of ConeGrad, alone or through the fusion, and evaluation.",
    license="AGPL-3.0-or-later",
    author="ConeGrad contributors",
    packages=find_packages(exclude=["tests"]),
    package_data={NAME: ["templates/*", "*/templates/*"]},
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
        "conegrad_simulation",
        "jinja2",
        "matplotlib",
        "mlflow",
        "numpy",
        "opencv-python",
        "pillow",
        "plotly",
        "pyyaml",
        "rosbags",
        "safetensors",
        "scipy",
        "torch",
        "tqdm",
        "ultralytics",
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "training_node = conegrad_training.programs:training_node",
            "training_camera_node = conegrad_training.programs:training_camera_node",
            "training_lidar_node = conegrad_training.programs:training_lidar_node",
            "topic_trainer = conegrad_training.programs:topic_trainer",
        ],
    },
)
